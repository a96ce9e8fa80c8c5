#!/usr/bin/env python3
"""Integer constants of the kernel's UAPI headers as a C++ table.

usage: make_constants.py CC KERNEL_CONSTANTS.txt OUTPUT.cpp

The preprocessor says which macros there are and expands each of them; what comes out is evaluated here as a C
constant expression. Macros that are no integers (types, strings, code) fail to evaluate and are left out.
Enumerators are read from the preprocessed text. Same headers, same output.
"""
import os
import re
import subprocess
import sys

# Beyond linux/*.h and asm/*.h: what scripts call by the names of the C library.
LIBC_HEADERS = """errno.h fcntl.h limits.h poll.h sched.h signal.h stdint.h sys/epoll.h sys/mman.h sys/socket.h
sys/stat.h sys/wait.h netinet/in.h netinet/tcp.h linux/netfilter/nf_conntrack_common.h
linux/netfilter/nf_conntrack_tcp.h linux/netfilter/nf_tables.h asm-generic/ioctl.h asm-generic/errno.h
asm-generic/fcntl.h asm-generic/mman-common.h asm-generic/socket.h""".split()
UNDERSCORED = ("__NR_", "_NSIG")  # other names with an underscore first are internal
MARK = "awl_constant_"


def headers(cc):
    """Names of headers in the order of inclusion."""
    found = set()
    for directory in include_dirs(cc):
        for sub in ("linux", "asm"):
            path = os.path.join(directory, sub)
            if os.path.isdir(path):
                found.update(f"{sub}/{name}" for name in os.listdir(path) if name.endswith(".h"))
    found = {name for name in found if not name.endswith(("_32.h", "_x32.h"))}  # of other ABIs
    return LIBC_HEADERS + sorted(found)


def include_dirs(cc):
    run = subprocess.run([cc, "-E", "-v", "-x", "c", os.devnull], capture_output=True, text=True, check=True)
    text = run.stderr.split("search starts here:")[-1].split("End of search list")[0]
    return [line.strip() for line in text.splitlines() if line.startswith(" ")]


def preprocess(cc, source, *flags):
    command = [cc, "-std=c11", "-w", "-E", "-D_GNU_SOURCE", *flags, "-x", "c", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True)


def usable(cc, names):
    """Leaves out headers that stop the preprocessor: they need others that user space does not have."""
    names = list(names)
    for _ in range(200):
        source = "".join(f"#include <{name}>\n" for name in names)
        run = preprocess(cc, source, "-dM")
        if run.returncode == 0:
            return source, run.stdout
        bad = {int(n) for n in re.findall(r"^(?:In file included from |\s+from )?<stdin>:(\d+)", run.stderr, re.M)}
        if not bad:
            sys.exit(f"make_constants.py: {cc} fails:\n{run.stderr}")
        names = [name for number, name in enumerate(names, 1) if number not in bad]
    sys.exit("make_constants.py: no usable headers")


TOKEN = re.compile(r"""\s*(?:(?P<int>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)(?P<suffix>[uUlLzZ]*)(?![\w.])
  |(?P<char>'(?:\\[^'x]+|\\x[0-9a-fA-F]+|[^'\\])')|(?P<name>[A-Za-z_]\w*)
  |(?P<op><<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:()]))""", re.X)
TYPE_WORDS = {"unsigned", "signed", "int", "long", "short", "char", "const"}
TYPEDEFS = {"__u8": (1, False), "__u16": (2, False), "__u32": (4, False), "__u64": (8, False), "__s8": (1, True),
            "__s16": (2, True), "__s32": (4, True), "__s64": (8, True), "uint8_t": (1, False), "uint16_t": (2, False),
            "uint32_t": (4, False), "uint64_t": (8, False), "int8_t": (1, True), "int16_t": (2, True),
            "int32_t": (4, True), "int64_t": (8, True), "size_t": (8, False), "__kernel_size_t": (8, False),
            "_Bool": (1, False), "__be16": (2, False), "__be32": (4, False), "__le16": (2, False),
            "__le32": (4, False), "__le64": (8, False), "__be64": (8, False), "__sum16": (2, False),
            "loff_t": (8, True), "__poll_t": (4, False), "__kernel_time64_t": (8, True), "ulong": (8, False),
            "__kernel_old_time_t": (8, True), "sa_family_t": (2, False), "in_addr_t": (4, False),
            "__kernel_sa_family_t": (2, False), "pid_t": (4, True), "__kernel_pid_t": (4, True)}
ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, '"': 34, "a": 7, "b": 8, "f": 12, "v": 11}
LEVELS = [["||"], ["&&"], ["|"], ["^"], ["&"], ["==", "!="], ["<", ">", "<=", ">="], ["<<", ">>"], ["+", "-"],
          ["*", "/", "%"]]


class NotAnInteger(Exception):
    pass


def wrap(value, size, signed):
    value &= (1 << size * 8) - 1
    if signed and value >> (size * 8 - 1):
        value -= 1 << size * 8
    return value, size, signed


class Evaluator:
    """C integer constant expressions on x86-64; values are (value, size, signed)."""

    def __init__(self, enumerators):
        self.enumerators = enumerators

    def evaluate(self, text):
        self.tokens = []
        position = 0
        text = text.strip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise NotAnInteger(text)
            self.tokens.append((match.lastgroup if match.lastgroup != "suffix" else "int", match))
            position = match.end()
        self.at = 0
        value = self.conditional()
        if self.at != len(self.tokens):
            raise NotAnInteger(text)
        return value

    def peek(self):
        if self.at == len(self.tokens):
            return ""
        kind, match = self.tokens[self.at]
        return match.group(kind)

    def take(self, text):
        if self.peek() != text:
            raise NotAnInteger(text)
        self.at += 1

    def conditional(self):
        condition = self.binary(0)
        if self.peek() != "?":
            return condition
        self.at += 1
        then = self.conditional()
        self.take(":")
        otherwise = self.conditional()
        size, signed = common(then, otherwise)
        return wrap((then if condition[0] else otherwise)[0], size, signed)

    def binary(self, level):
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek() in LEVELS[level]:
            op = self.peek()
            self.at += 1
            left = apply(op, left, self.binary(level + 1))
        return left

    def unary(self):
        op = self.peek()
        if op in ("-", "+", "~", "!"):
            self.at += 1
            value, size, signed = promote(self.unary())
            if op == "!":
                return int(not value), 4, True
            return wrap({"-": -value, "+": value, "~": ~value}[op], size, signed)
        if op == "(":
            mark = self.at
            self.at += 1
            cast = self.type_name()
            if cast and self.peek() == ")":
                self.at += 1
                return wrap(self.unary()[0], *cast)
            self.at = mark
        return self.primary()

    def type_name(self):
        words = []
        while self.at < len(self.tokens) and (self.peek() in TYPE_WORDS or (not words and self.peek() in TYPEDEFS)):
            words.append(self.peek())
            self.at += 1
        words = [word for word in words if word != "const"]
        if not words:
            return None
        if words[0] in TYPEDEFS:
            return TYPEDEFS[words[0]]
        size = 1 if "char" in words else 2 if "short" in words else 8 if "long" in words else 4
        return size, "unsigned" not in words

    def primary(self):
        if self.at == len(self.tokens):
            raise NotAnInteger()
        kind, match = self.tokens[self.at]
        self.at += 1
        if kind == "int":
            return literal(match.group("int"), match.group("suffix").lower())
        if kind == "char":
            text = match.group("char")[1:-1]
            if text.startswith("\\x"):
                return int(text[2:], 16), 4, True
            if text.startswith("\\"):
                return (ESCAPES[text[1:]] if text[1:] in ESCAPES else int(text[1:], 8)), 4, True
            return ord(text), 4, True
        if kind == "name" and match.group("name") == "sizeof":
            self.take("(")
            size = self.type_name()
            if not size:
                raise NotAnInteger()
            self.take(")")
            return size[0], 8, False
        if kind == "name" and match.group("name") in self.enumerators:
            value = self.enumerators[match.group("name")]
            return wrap(value, 4, True) if -1 << 31 <= value < 1 << 31 else wrap(value, 8, True)
        if kind == "op" and match.group("op") == "(":
            value = self.conditional()
            self.take(")")
            return value
        raise NotAnInteger()


def literal(digits, suffix):
    base = 16 if digits[:2] in ("0x", "0X") else 2 if digits[:2] in ("0b", "0B") else 8 if digits[0] == "0" else 10
    value = int(digits[2:] if base in (2, 16) else digits, base)
    for size in (4, 8):
        if "l" in suffix and size == 4:
            continue
        if "u" not in suffix and value < 1 << (size * 8 - 1):
            return value, size, True
        if ("u" in suffix or base != 10) and value < 1 << size * 8:
            return value, size, False
    raise NotAnInteger()


def promote(value):
    return value if value[1] >= 4 else (value[0], 4, True)


def common(left, right):
    left, right = promote(left), promote(right)
    size = max(left[1], right[1])
    unsigned = any(not side[2] and side[1] == size for side in (left, right))
    return size, not unsigned


def apply(op, left, right):
    if op in ("<<", ">>"):
        value, size, signed = promote(left)
        if not 0 <= right[0] < size * 8:
            raise NotAnInteger()
        return wrap(value << right[0] if op == "<<" else value >> right[0], size, signed)
    if op in ("&&", "||"):
        return int(bool(left[0]) and bool(right[0]) if op == "&&" else bool(left[0]) or bool(right[0])), 4, True
    size, signed = common(left, right)
    a, b = wrap(left[0], size, signed)[0], wrap(right[0], size, signed)[0]
    if op in ("==", "!=", "<", ">", "<=", ">="):
        return int({"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[op]), 4, True
    if op in ("/", "%"):
        if b == 0:
            raise NotAnInteger()
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return wrap(quotient if op == "/" else a - quotient * b, size, signed)
    value = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[op]
    return wrap(value, size, signed)


def read_enumerators(text, evaluator):
    for body in re.findall(r"\benum\b\s*(?:__attribute__\s*\(\([^)]*\)\)\s*)?\w*\s*\{([^{}]*)\}", text):
        following = 0
        for item in body.split(","):
            match = re.match(r"\s*([A-Za-z_]\w*)\s*(?:=(.*))?$", item, re.S)
            if not match:  # behind the last comma; or another header's macro of that name was put in its place
                continue
            try:
                value = evaluator.evaluate(match.group(2))[0] if match.group(2) else following
            except NotAnInteger:
                break  # the values behind an unknown one are unknown, too
            evaluator.enumerators[match.group(1)] = value
            following = value + 1


def wanted(name):
    return not name.startswith("_") or name.startswith(UNDERSCORED)


def collect(cc):
    source, macros = usable(cc, headers(cc))
    names = sorted(set(re.findall(r"^#define (\w+) .", macros, re.M)))
    lines = "".join(f"\n{MARK}{number} {name}\n" for number, name in enumerate(names) if wanted(name))
    text = preprocess(cc, source + lines, "-P").stdout
    declarations, _, _ = text.partition(MARK)
    evaluator = Evaluator({})
    read_enumerators(declarations, evaluator)
    constants = {name: value for name, value in evaluator.enumerators.items() if wanted(name)}
    for number, expression in re.findall(rf"{MARK}(\d+)\b(.*?)(?={MARK}|\Z)", text[len(declarations):], re.S):
        try:
            value = evaluator.evaluate(expression)[0]
        except (NotAnInteger, KeyError, ValueError, RecursionError):
            continue
        constants[names[int(number)]] = value
    return constants


def kernel_constants(path):
    out = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].split()
            if line:
                out[line[0]] = int(line[1], 0)
    return out


def write(constants, path):
    names = sorted(constants, key=lambda name: name.encode())
    offsets, position = [], 0
    for name in names:
        offsets.append(position)
        position += len(name) + 1
    with open(path, "w", encoding="utf-8") as out:
        out.write('// Generated by make_constants.py.\n#include "runtime/types/constants_table.h"\n\nnamespace awl {\n\n')
        out.write("const char kConstantNames[] =\n")
        out.writelines(f'    "{name}\\0"\n' for name in names)
        out.write("    ;\nconst uint32_t kConstantOffsets[] = {\n")
        out.writelines(f"{offset},\n" for offset in offsets)
        out.write("};\nconst int64_t kConstantValues[] = {\n")
        # The smallest number has no literal of its own in C++.
        out.writelines(f"static_cast<int64_t>({constants[name] & (1 << 64) - 1}ULL),\n" for name in names)
        out.write(f"}};\nconst uint32_t kConstantCount = {len(names)};\n\n}}  // namespace awl\n")


def main():
    cc, extra, output = sys.argv[1:]
    constants = collect(cc)
    for name, value in kernel_constants(extra).items():
        constants.setdefault(name, value)
    os.makedirs(os.path.dirname(output), exist_ok=True)
    write(constants, output)


main()
