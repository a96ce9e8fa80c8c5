#!/usr/bin/env python3
"""Cuts docs/diagnostics.md into one text for each code and writes them as a sorted C++ table.

usage: make_explanations.py DIAGNOSTICS.md OUTPUT.cpp
"""
import re
import sys


def main():
    source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        parts = re.split(r"^### ([EW]\d{4}).*\n", file.read(), flags=re.M)
    rows = {}
    for code, text in zip(parts[1::2], parts[2::2]):
        if code in rows:
            sys.exit(f"{source}: {code} stands twice")
        rows[code] = re.split(r"^## ", text, flags=re.M)[0].strip() + "\n"
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "cli/explanations.h"\n\nnamespace awl {\nnamespace {\nconstexpr Explanation kTable[] = {\n')
        for code, text in sorted(rows.items()):
            file.write(f'    {{"{code}", R"awl({text})awl"}},\n')
        file.write("};\n}  // namespace\nstd::span<const Explanation> explanations() { return kTable; }\n}  // namespace awl\n")


main()
