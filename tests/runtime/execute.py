"""Runs one case in one mode and compares what came out with what was expected."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

import json_schema

ATTACHED = re.compile(r"^Attached \d+ probes?$", re.M)
ATTACHED_JSON = re.compile(r'"type": *"attached_probes"')
# bpftrace 0.17 prints this word when it is told to
PEER_ATTACHED = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
# options of a script that concern its compilation, or both halves of a run through an Image
BUILD_ONLY = {"-I", "--include", "--btf"}
BUILD_TOO = {"--unsafe"}
POLL = 0.005
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")


class Setting:
    """How the cases of this run are executed."""

    def __init__(self, awl, programs, peer=False, slow=1.0, images=None):
        self.awl, self.programs, self.peer = awl, programs, peer
        self.slow, self.images = slow, images


class Failure(Exception):
    pass


class Process:
    """A child in a process group of its own, with its output in files: a background process which
    keeps them open does not hold up the test."""

    def __init__(self, argv, cwd, name, env=None, stdin=subprocess.DEVNULL):
        self.out, self.err = (os.path.join(cwd, "." + name + s) for s in (".out", ".err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.child = subprocess.Popen(argv, cwd=cwd, stdin=stdin, stdout=out, stderr=err, env=env,
                                          start_new_session=True)
        self.pid = self.child.pid

    @staticmethod
    def text(path):
        with open(path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    stdout = property(lambda self: self.text(self.out))
    stderr = property(lambda self: self.text(self.err))

    def ended(self):
        return self.child.poll() is not None

    def wait(self, seconds):
        try:
            return self.child.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return None

    def release(self):
        """The line that a trigger or a target waits for."""
        try:
            self.child.stdin.write(b"go\n")
            self.child.stdin.close()
        except OSError:
            pass

    def kill(self):
        if self.child.stdin:
            try:
                self.child.stdin.close()
            except OSError:
                pass
        if not self.ended():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.child.wait()


def image_name(case):
    return re.sub(r"[^\w.-]+", "_", case.id) + ".img"


def split_options(options):
    """-> (for build, for run)"""
    build, run, words = [], [], shlex.split(options)
    while words:
        w = words.pop(0)
        if w in BUILD_ONLY:
            build += [w, words.pop(0)]
        else:
            if w in BUILD_TOO:
                build.append(w)
            run.append(w)
    return build, run


class Run:
    """One case in one mode."""

    def __init__(self, case, mode, setting):
        self.case, self.mode, self.setting = case, mode, setting
        self.timeout = float(case.one("timeout", "10")) * setting.slow
        self.deadline = time.monotonic() + self.timeout
        self.dir = tempfile.mkdtemp(prefix="awl-case-")
        self.names = {"AWL": setting.awl, "BIN": setting.programs, "SRC": SOURCE, "TMP": self.dir,
                      "RUNNER_PID": str(os.getpid()), "UID": str(os.getuid()), "KERNEL": os.uname().release}
        self.processes = []
        self.commands = []              # what was executed, for the report
        self.awl = self.trigger = self.target = None
        self.stdout = self.stderr = ""
        self.status = None

    # ---- text with placeholders

    def fill(self, text):
        def value(m):
            if m.group(1) not in self.names:
                raise Failure("unknown placeholder {{%s}}" % m.group(1))
            return self.names[m.group(1)]
        return re.sub(r"\{\{([A-Z_]+)\}\}", value, text)

    def key(self, key, default=None):
        text = self.case.one(key)
        return default if text is None else self.fill(text)

    # ---- processes

    def start(self, argv, name, env=None, stdin=subprocess.DEVNULL):
        p = Process(argv, self.dir, name, env, stdin)
        self.processes.append(p)
        return p

    def start_target(self):
        text = self.key("target")
        if text is None:
            return
        self.target = self.start(["/bin/sh", "-c", "exec " + text], "target", stdin=subprocess.PIPE)
        self.names["TARGET_PID"] = str(self.target.pid)
        while not self.target.stdout:
            if self.target.ended() or time.monotonic() > self.deadline:
                raise Failure("the target did not say that it is ready; its stderr: " + self.target.stderr)
            time.sleep(POLL)

    def start_trigger(self):
        text = self.case.one("trigger")
        if text is None:
            return
        # The pid must be known before the command is: the shell reads it after the signal to go.
        script = os.path.join(self.dir, ".trigger")
        self.trigger = self.start(["/bin/sh", "-c", "read -r _ || exit 0; . " + script], "trigger",
                                  stdin=subprocess.PIPE)
        self.names["TRIGGER_PID"] = str(self.trigger.pid)
        with open(script, "w", encoding="utf-8") as f:
            f.write(self.fill(text) + "\n")

    def environment(self):
        env = dict(os.environ)
        env.pop("AWL", None)
        env["LC_ALL"] = "C.UTF-8"
        if self.setting.peer:
            env[PEER_ATTACHED] = "1"
        for kv in self.case.many("env"):
            k, _, v = self.fill(kv).partition("=")
            env[k] = v
        return env

    def build_image(self, script, build_options, params):
        """Writes the Image, or takes the one written before -> its path, or None when building failed."""
        if self.case.flag("portable"):
            if self.setting.images:              # a missing one shows when it is run
                return os.path.join(self.setting.images, image_name(self.case))
        image = os.path.join(self.dir, "case.img")
        argv = [self.setting.awl, "build", "-o", image] + build_options + ["-e", script] + params
        self.commands.append(argv)
        p = self.start(argv, "build", self.environment())
        self.status = p.wait(self.deadline - time.monotonic())
        self.stdout, self.stderr = p.stdout, p.stderr
        if self.status is None:
            raise Failure("building the image timed out after %g s" % self.timeout)
        return image if self.status == 0 else None

    def command_line(self):
        """What to execute, or None when the Image could not be built."""
        if "shell" in self.case.values:
            return ["/bin/sh", "-c", self.key("shell")]
        if "args" in self.case.values:
            return [self.setting.awl] + shlex.split(self.key("args"))
        script, params = self.key("script"), shlex.split(self.key("params", ""))
        options = self.key("options", "")
        if self.mode == "direct":
            return [self.setting.awl] + shlex.split(options) + ["-e", script] + params
        build, run = split_options(options)
        image = self.build_image(script, build, params)
        return image and [self.setting.awl, "run", image] + run

    def is_attached(self):
        if self.setting.peer:
            return PEER_ATTACHED in self.awl.stderr
        return ATTACHED.search(self.awl.stderr) or ATTACHED_JSON.search(self.awl.stdout)

    def wait_attached(self):
        quiet = "-q" in shlex.split(self.case.one("options", "")) and time.monotonic() + self.setting.slow
        while not self.is_attached():
            if self.awl.ended():
                return
            if quiet and time.monotonic() > quiet:
                return
            if time.monotonic() > self.deadline:
                raise Failure("nothing was attached after %g s" % self.timeout)
            time.sleep(POLL)

    def stop_signal(self):
        """A script that does not call exit() is interrupted when its trigger has ended."""
        stop = self.key("stop")
        if stop is None:
            text = self.case.one("script") or ""
            stop = "none" if "exit(" in text or not (self.trigger or self.target) else "SIGINT"
        return None if stop == "none" else getattr(signal, stop)

    def stir(self):
        """Lets trigger and target go, waits for the trigger, interrupts awl if that is how the case ends."""
        self.wait_attached()
        for p in (self.trigger, self.target):
            if p:
                p.release()
        sig, cause = self.stop_signal(), self.trigger or self.target
        if sig and cause and cause.wait(self.deadline - time.monotonic()) is None:
            raise Failure("the trigger did not end in %g s" % self.timeout)
        if sig and not self.awl.ended():
            sent = time.monotonic()
            os.kill(self.awl.pid, sig)
            within = self.key("stop_within")
            if within and self.awl.wait(float(within) * self.setting.slow) is None:
                raise Failure("awl was still there %.2f s after %s" % (time.monotonic() - sent, sig.name))

    def execute(self):
        for name, text in self.case.files:
            path = os.path.join(self.dir, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(self.fill(text) + "\n")
            os.chmod(f.name, 0o755)
        self.start_target()
        self.start_trigger()
        argv = self.command_line()
        if argv is None:
            return
        self.commands.append(argv)
        stdin = subprocess.DEVNULL
        if "stdin" in self.case.values:
            with open(os.path.join(self.dir, ".stdin"), "w", encoding="utf-8") as f:
                f.write(self.key("stdin") + "\n")
            stdin = open(f.name, "rb")
        before = self.stderr                     # the warnings of the build belong to the case, too
        self.awl = self.start(argv, "awl", self.environment(), stdin)
        if self.trigger or self.target or self.case.one("stop"):
            self.stir()
        self.status = self.awl.wait(self.deadline - time.monotonic())
        self.stdout, self.stderr = self.awl.stdout, before + self.awl.stderr
        if self.status is None:
            raise Failure("timed out after %g s" % self.timeout)
        # bpftrace 0.17 has no status for this: the trigger's own result is only asked of awl
        if self.trigger and not self.setting.peer and self.trigger.wait(0) not in (0, None):
            raise Failure("the trigger failed with %s: %s" % (self.trigger.wait(0), self.trigger.stderr))

    # ---- comparison

    def lines(self, text):
        """Empty lines and blanks at the ends of lines do not count."""
        return [line.rstrip() for line in text.split("\n") if line.strip()]

    def peer_stdout(self):
        drop = re.compile(r"Attaching \d+ probes?\.\.\.\n")
        return drop.sub("", self.stdout)

    def writes_json(self):
        """True if standard output is awl's own, in JSON."""
        words = " ".join(self.commands[-1]) if self.commands else ""
        return "shell" not in self.case.values and "-f json" in words and " -o " not in words

    def compare(self):
        case, stdout = self.case, self.peer_stdout() if self.setting.peer else self.stdout
        want = self.key("expect")
        if want is not None and self.lines(want) != self.lines(stdout):
            raise Failure("stdout differs from `expect`")
        at, got = 0, [line.rstrip() for line in stdout.split("\n")]
        for line in map(self.fill, case.many("expect_line")):
            if line not in got[at:]:
                raise Failure("stdout lacks the line%s: %s" % (" (after the one before)" if at else "", line))
            at = got.index(line, at) + 1
        for pattern in map(self.fill, case.many("expect_regex")):
            if not re.search(pattern, stdout, re.M):
                raise Failure("nothing in stdout matches: " + pattern)
        for pattern in map(self.fill, case.many("expect_none")):
            m = re.search(pattern, stdout, re.M)
            if m:
                raise Failure("stdout has what it must not have (%s): %s" % (pattern, m.group(0)))
        if self.setting.peer:
            return
        if self.writes_json():
            wrong = json_schema.check_lines(stdout) or json_schema.check_lines(
                "\n".join(line for line in self.stderr.split("\n") if line.startswith("{")))
            if wrong:
                raise Failure("not as docs/json.schema.json says: " + wrong)
        for pattern in map(self.fill, case.many("expect_stderr")):
            if not re.search(pattern, self.stderr, re.M):
                raise Failure("nothing in stderr matches: " + pattern)
        if not case.many("expect_stderr") and "shell" not in case.values:
            rest = ATTACHED.sub("", self.stderr).strip()
            if rest:
                raise Failure("unexpected stderr")
        status = self.key("expect_exit", "0")
        if status != ("nonzero" if self.status else "0") and status != str(self.status):
            raise Failure("exit status %s, expected %s" % (self.status, status))

    def report(self, why):
        """Everything needed to understand a failure, as text."""
        case, parts = self.case, ["%s:%d" % (self.case.suite, self.case.line), why]
        parts += ["$ " + " ".join(map(shlex.quote, c)) for c in self.commands]
        if self.awl and self.status is None:
            self.stdout, self.stderr = self.awl.stdout, self.awl.stderr
        for key in ("expect", "expect_line", "expect_regex", "expect_none", "expect_stderr"):
            for text in case.many(key):
                parts.append("%s:\n%s" % (key, indent(self.fill(text))))
        parts.append("exit status: %s" % self.status)
        parts.append("stdout:\n" + indent(self.stdout))
        parts.append("stderr:\n" + indent(self.stderr))
        if self.trigger and (self.trigger.stdout or self.trigger.stderr):
            parts.append("trigger's output:\n" + indent(self.trigger.stdout + self.trigger.stderr))
        return "\n".join(parts)

    def close(self):
        for p in reversed(self.processes):
            p.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def indent(text, limit=60):
    """The text, four blanks in; of a long one the beginning and the end."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) > limit:
        half = limit // 2
        lines[half:-half] = ["... %d lines ..." % (len(lines) - 2 * half)]
    return "\n".join("    " + (line if len(line) < 2000 else line[:2000] + "...") for line in lines)


def run_case(case, mode, setting):
    """-> None when it passed, else the report."""
    run = Run(case, mode, setting)
    try:
        run.execute()
        run.compare()
        return None
    except Failure as e:
        return run.report(str(e))
    except OSError as e:
        return run.report("cannot run: %s" % e)
    finally:
        run.close()
