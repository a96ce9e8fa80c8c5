#!/usr/bin/env python3
"""Cuts stdlib/*.bt into declarations and writes them as a sorted C++ table: name -> text.

Only the declarations that a script uses are parsed at run time.
usage: make_stdlib_index.py OUTPUT.cpp FILE.bt...
"""
import re
import sys


def declarations(text):
    """Yields (name, text) of each `fn`, its doc lines and attributes included."""
    block = []
    open_name = None  # of a function whose body goes on
    for line in text.splitlines():
        if open_name:
            block.append(line)
            if line == "}":
                yield open_name, "\n".join(block) + "\n"
                block, open_name = [], None
        elif line.startswith(("///", "[[")):
            block.append(line)
        elif match := re.match(r"fn (\w+)\(", line):
            block.append(line)
            if line.endswith("{"):
                open_name = match[1]
                continue
            if not line.rstrip().endswith((";", "}")):
                sys.exit(f"declaration of {match[1]} must end on its line, or with a body that ends with a line of `}}`")
            yield match[1], "\n".join(block) + "\n"
            block = []
        elif line.strip() and not line.startswith("//"):
            sys.exit(f"unexpected line in stdlib: {line!r}")


def main():
    output, *files = sys.argv[1:]
    table = {}
    for path in files:
        with open(path, encoding="utf-8") as file:
            for name, text in declarations(file.read()):
                if name in table:
                    sys.exit(f"{name} is declared twice")
                table[name] = text
    rows = "".join(f'    {{"{name}", R"awl({text})awl"}},\n' for name, text in sorted(table.items()))
    with open(output, "w", encoding="utf-8") as file:
        file.write(
            '#include "ast/passes/stdlib.h"\n\nnamespace awl::ast {\n'
            "namespace {\nconstexpr StdlibEntry kIndex[] = {\n" + rows + "};\n}  // namespace\n"
            "std::span<const StdlibEntry> stdlib_index() { return kIndex; }\n}  // namespace awl::ast\n"
        )


main()
