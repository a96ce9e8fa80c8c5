"""Reads suite files: the format is described in README.md beside this file."""

import os
import re

# key -> how it may be written: "one" value, "many" values
KEYS = {
    "script": "one", "args": "one", "shell": "one",
    "options": "one", "params": "one", "stdin": "one", "env": "many", "file": "many",
    "trigger": "one", "target": "one", "stop": "one", "stop_within": "one",
    "requires": "many", "modes": "one", "timeout": "one", "guests": "one", "portable": "one", "peer": "one",
    "expect": "one", "expect_line": "many", "expect_regex": "many", "expect_none": "many",
    "expect_stderr": "many", "expect_exit": "one",
}
INDENT = 4


class SuiteError(Exception):
    pass


class Case:
    """One test: its suite, its name and what the file says about it, by key."""

    def __init__(self, suite, name, line, defaults):
        self.suite, self.name, self.line = suite, name, line
        self.values = {k: list(v) for k, v in defaults.items()}
        self.own = set()
        self.files = []                 # (name, text)

    def add(self, key, value):
        if KEYS[key] == "one" or key not in self.own:
            if key in self.own:
                raise SuiteError("`%s` is given twice" % key)
            # a case's own value replaces a default, except for requires, which adds up
            if key != "requires":
                self.values[key] = []
        self.own.add(key)
        self.values.setdefault(key, []).append(value)

    def one(self, key, default=None):
        got = self.values.get(key)
        return got[-1] if got else default

    def many(self, key):
        return self.values.get(key, [])

    def flag(self, key):
        return self.one(key, "no") == "yes"

    @property
    def id(self):
        return "%s/%s" % (self.suite, self.name)

    def modes(self, guest=False):
        if guest:
            own = self.modes()
            if self.one("guests") == "no":
                return []
            return ["image"] if "image" in own else own
        if self.one("script") is None:
            return ["direct"]
        if self.flag("portable"):
            return ["image"]
        return self.one("modes", "direct image").split()

    def check(self):
        ways = [k for k in ("script", "args", "shell") if k in self.values]
        if len(ways) != 1:
            raise SuiteError("a case needs exactly one of script, args, shell")
        if not any(k in self.values for k in
                   ("expect", "expect_line", "expect_regex", "expect_none", "expect_stderr", "expect_exit")):
            raise SuiteError("a case needs an expectation")
        for key in ("expect_regex", "expect_none", "expect_stderr"):
            for pattern in self.many(key):
                try:
                    re.compile(pattern)
                except re.error as e:
                    raise SuiteError("bad regular expression `%s`: %s" % (pattern, e)) from None


def read_block(lines, at):
    """The indented lines from `at` on, without their indentation -> (text, next line)."""
    block = []
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith(" " * INDENT)):
        block.append(lines[at][INDENT:])
        at += 1
    while block and not block[-1].strip():
        block.pop()
    return "\n".join(block), at


def parse(path):
    """A suite file -> list of cases."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    suite = os.path.basename(path)
    defaults = Case(suite, "", 0, {})
    cases, current, at = [], defaults, 0
    try:
        while at < len(lines):
            line = lines[at]
            at += 1
            if not line.strip() or line.startswith("#"):
                continue
            m = re.match(r"(\w+)(?: ([\w./-]+))?:(?:$|\s+(.*)$)", line)
            if not m:
                raise SuiteError("expected `key: value`")
            key, extra, value = m.groups()
            if key == "case":
                if current is not defaults:
                    current.check()
                current = Case(suite, value, at, defaults.values)
                if any(c.name == value for c in cases):
                    raise SuiteError("two cases are called `%s`" % value)
                cases.append(current)
                continue
            if key not in KEYS:
                raise SuiteError("unknown key `%s`" % key)
            if value is None:
                value, at = read_block(lines, at)
            if key == "file":
                current.files.append((extra, value))
            elif key == "requires":
                for word in value.split():
                    current.add(key, word)
            else:
                current.add(key, value)
        if current is not defaults:
            current.check()
    except SuiteError as e:
        raise SuiteError("%s:%d: %s" % (path, at, e)) from None
    return cases
