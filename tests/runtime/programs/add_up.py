#!/usr/bin/python3
"""Adds up all that `awl -f json` printed of each map, and says the sums."""

import json
import sys

sums = {}
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] not in ("map", "hist"):
        if message["type"] != "attached_probes":
            print(line, end="")
        continue
    for name, value in message["data"].items():
        values = value.values() if isinstance(value, dict) else [value]
        if message["type"] == "hist":
            values = [bucket["count"] for buckets in values for bucket in buckets]
        sums[name] = sums.get(name, 0) + sum(int(v) for v in values)
for name in sorted(sums):
    print(name, sums[name])
