"""turns.py AWL FOLDER TURNS [OPTION ...]: attaches to a busy process and detaches TURNS times, several at a time, while
one run stays attached. FOLDER holds the program `busy`; the options are for awl. Prints what was lost and what is left
behind: programs, maps and links in the kernel, processes, breakpoints and the semaphore in the busy process."""

import json
import os
import re
import subprocess
import sys
import threading
import time

AWL, FOLDER, TURNS, OPTIONS = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
BUSY = FOLDER + "/busy"
AT_ONCE = 10
TOKEN = "AWL_TURNS=%d" % os.getpid()
PROBES = f"""uprobe:{BUSY}:add {{ @add = count(); @sum = sum(arg0 + arg1); }}
    uretprobe:{BUSY}:add {{ @returned = count(); @result = sum(retval); }}
    usdt:{BUSY}:guarded {{ @guarded = count(); }}"""
ONE_TURN = PROBES + """ uprobe:BUSY:nested { @seen++; }
    interval:ms:10 /@seen > 0/ { exit(); }
    interval:s:20 { printf("no event in 20 seconds\\n"); exit(); }""".replace("BUSY", BUSY)


def environment():
    return dict(os.environ, **dict([TOKEN.split("=")]))


def kernel_objects():
    """Programs, maps and links in the kernel: {("prog", id)}. Not the maps by which a session goes on in the script's
    programs: the kernel loses one (328 bytes) that somebody else looks at, as this does, in the moment when it is freed."""
    out = set()
    for kind in ("prog", "map", "link"):
        text = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, text=True).stdout
        out |= {(kind, e["id"]) for e in json.loads(text or "[]") if (kind, e.get("name")) != ("map", "awl_session")}
    return out


def held_by_others():
    """Those that other processes have open: they use BPF at the same time."""
    out = set()
    for folder in (f"/proc/{pid}/fdinfo" for pid in os.listdir("/proc") if pid.isdigit()):
        try:
            for fd in os.listdir(folder):
                with open(f"{folder}/{fd}") as f:
                    out |= {(kind, int(i)) for kind, i in re.findall(r"^(prog|map|link)_id:\t(\d+)$", f.read(), re.M)}
        except OSError:
            pass
    return out


def processes():
    """Processes that this test started and that are still there."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if TOKEN.encode() in f.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Busy:
    def __init__(self):
        self.process = subprocess.Popen([BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.line()
        names = subprocess.check_output(["nm", BUSY], text=True).splitlines()
        self.symbols = {f[2]: int(f[0], 16) for f in map(str.split, names) if len(f) == 3}
        with open(f"/proc/{self.process.pid}/maps") as f:
            self.base = int(f.readline().split("-")[0], 16)

    def line(self):
        return self.process.stdout.readline().strip()

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def memory(self):
        """"breakpoint" or "no breakpoint" at add(), and the marker's semaphore."""
        with open(f"/proc/{self.process.pid}/mem", "rb") as f:
            f.seek(self.base + self.symbols["add"])
            breakpoint_ = f.read(1) == b"\xcc"
            f.seek(self.base + self.symbols["guarded_semaphore"])
            return ("breakpoint" if breakpoint_ else "no breakpoint", int.from_bytes(f.read(2), "little"))

    def until(self, *wanted):
        """The kernel writes and takes away breakpoints some time after it was asked to."""
        end = time.monotonic() + 20
        while self.memory() != wanted and time.monotonic() < end:
            time.sleep(0.05)
        return "%s, semaphore %d" % self.memory()


def one_turn(command):
    run = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    return None if run.returncode == 0 and re.search(r"^@seen: [1-9]", run.stdout, re.M) and not run.stderr else \
        "status %d: %s %s" % (run.returncode, run.stdout, run.stderr)


def take_turns(pid):
    """All turns, by AT_ONCE threads, each of which attaches in one of three ways."""
    subprocess.run([AWL, "build", "-o", "turn.img", "-e", ONE_TURN], check=True)
    commands = [[AWL, "-q", *OPTIONS, "-e", ONE_TURN], [AWL, "-q", *OPTIONS, "-p", str(pid), "-e", ONE_TURN],
                [AWL, "run", "-q", *OPTIONS, "turn.img"]]
    left, failures, lock = [TURNS], [], threading.Lock()

    def work(number):
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            try:
                failure = one_turn(commands[number % len(commands)])
            except subprocess.TimeoutExpired:
                failure = "a turn hung"
            if failure:
                failures.append(failure)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(AT_ONCE)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return failures


def number(pattern, text):
    found = re.search(pattern, text, re.M)
    return int(found.group(1)) if found else None


def main():
    before = kernel_objects()
    busy = Busy()
    print("before:", busy.until("no breakpoint", 0))
    long = subprocess.Popen([AWL, *OPTIONS, "-e", PROBES + " interval:s:600 { exit(); }"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment(), text=True)
    long.stderr.readline()  # that it is attached
    print("attached:", busy.until("breakpoint", 1))

    busy.go()
    failures = take_turns(busy.process.pid)
    busy.go()
    did = [busy.line() for _ in range(3)]
    long.send_signal(2)
    counted, complaints = long.communicate()

    print("%d turns, %d failed" % (TURNS, len(failures)))
    for failure in failures[:5]:
        print("    ", failure)
    calls, total, marks = (int(n) for n in re.findall(r"\d+", did[0] + " " + did[1]))
    for name, is_, wanted in (("add", calls, "add"), ("returned", calls, "returned"), ("sum", total, "sum"),
                              ("result", total, "result"), ("guarded", marks, "guarded")):
        seen = number(rf"^@{wanted}: (\d+)$", counted)
        print(f"{name}: " + ("all counted" if seen == is_ else f"{seen} of {is_}"))
    print("target:", did[2], complaints.strip())

    print("after:", busy.until("no breakpoint", 0))
    end = time.monotonic() + 20
    while True:
        alive = processes()
        kept = kernel_objects() - before
        if kept and not alive:
            kept -= held_by_others()
        if not kept and not alive or time.monotonic() > end:
            break
        time.sleep(0.5)
    print("left:", sorted(kept) + alive or "nothing")
    busy.process.stdin.close()
    print("target ends with", busy.process.wait(20))


main()
