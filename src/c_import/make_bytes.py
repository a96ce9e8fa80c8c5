#!/usr/bin/env python3
"""Writes a file as an array of bytes in C++: the function unwinder_bytes().

usage: make_bytes.py FILE OUTPUT.cpp
"""
import sys


def main():
    source, output = sys.argv[1:]
    with open(source, "rb") as file:
        data = file.read()
    with open(output, "w", encoding="utf-8") as file:
        file.write("#include <string_view>\n\nnamespace awl {\nnamespace {\n")
        file.write(f"constexpr unsigned char kBytes[{len(data)}] = {{\n")
        for at in range(0, len(data), 32):
            file.write(",".join(str(byte) for byte in data[at : at + 32]) + ",\n")
        file.write("};\n}  // namespace\n\nstd::string_view unwinder_bytes();\nstd::string_view unwinder_bytes() {\n"
                   "  return {reinterpret_cast<const char *>(kBytes), sizeof(kBytes)};\n}\n\n}  // namespace awl\n")


main()
