#!/usr/bin/python3
"""Checks lines of JSON against docs/json.schema.json, with the part of JSON Schema that it uses. On the command line:
reads lines from standard input and says what is wrong with them."""

import json
import os
import re
import sys

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "json.schema.json")
KNOWN = {"$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "oneOf", "allOf", "required",
         "properties", "additionalProperties", "minProperties", "maxProperties", "items", "minItems", "minimum",
         "maximum", "pattern"}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
                              "null": type(None), "boolean": ()}[name])


def problem(value, schema, root, where="line"):
    """-> what is wrong with the value, None if nothing."""
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError("the schema uses %s, which this check does not know" % ", ".join(sorted(unknown)))
    if "$ref" in schema:
        return problem(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    if "type" in schema and not is_type(value, schema["type"]):
        return "%s is no %s" % (where, schema["type"])
    if "const" in schema and value != schema["const"]:
        return "%s is not %r" % (where, schema["const"])
    if "enum" in schema and value not in schema["enum"]:
        return "%s is none of %r" % (where, schema["enum"])
    if "minimum" in schema and value < schema["minimum"] or "maximum" in schema and value > schema["maximum"]:
        return "%s is out of range" % where
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return "%s does not match %s" % (where, schema["pattern"])
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return "%s is too short" % where
        for i, item in enumerate(value):
            found = problem(item, schema.get("items", {}), root, "%s[%d]" % (where, i))
            if found:
                return found
    if isinstance(value, dict):
        if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
            return "%s has %d members" % (where, len(value))
        for name in schema.get("required", []):
            if name not in value:
                return "%s lacks `%s`" % (where, name)
        for name, member in value.items():
            rule = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            found = "is not known" if rule is False else problem(member, rule, root, "%s.%s" % (where, name))
            if found:
                return found if rule is not False else "%s.%s %s" % (where, name, found)
    for part in schema.get("allOf", []):
        found = problem(value, part, root, where)
        if found:
            return found
    if "oneOf" in schema:
        found = [problem(value, part, root, where) for part in schema["oneOf"]]
        if found.count(None) > 1:
            return "%s fits more than one form" % where
        if None not in found:
            return "%s fits no form: %s" % (where, "; ".join(found))
    return None


def unique_members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice in an object: %r" % names)
    return dict(pairs)


def check_lines(text):
    """-> what is wrong with the first bad line, None if all are good."""
    with open(SCHEMA, encoding="utf-8") as f:
        schema = json.load(f)
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            found = problem(json.loads(line, object_pairs_hook=unique_members), schema, schema)
        except ValueError as e:
            found = str(e)
        if found:
            return "%s: %s" % (line, found)
    return None


if __name__ == "__main__":
    wrong = check_lines(sys.stdin.buffer.read().decode("utf-8"))
    if wrong:
        sys.exit(wrong)
