"""What this kernel and this machine can do: asked by trying, once each.

missing(feature) -> None, or the reason why a case that requires it cannot run here.
"""

import ctypes
import ctypes.util
import functools
import os
import re
import shutil
import struct
import subprocess

NR_BPF = {"x86_64": 321, "aarch64": 280}
BPF_PROG_LOAD = 5
# as in enum bpf_prog_type
KPROBE, TRACEPOINT, PERF_EVENT = 2, 5, 7
PMU = "/sys/bus/event_source/devices/"
CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

libc = ctypes.CDLL(None, use_errno=True)


def prepare_tracefs():
    """tracefs at its usual place, in a mount namespace of our own so that the machine stays as it was."""
    if os.path.exists("/sys/kernel/tracing/events") or os.geteuid() != 0:
        return
    if libc.unshare(CLONE_NEWNS) == 0:
        libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    libc.mount(b"tracefs", b"/sys/kernel/tracing", b"tracefs", 0, None)


def load_program(kind):
    """Loads `r0 = 0; exit` -> None or the error."""
    insns = struct.pack("<BBhi", 0xb7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    code, license_ = ctypes.create_string_buffer(insns), ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("<IIQQIIQII", kind, 2, ctypes.addressof(code), ctypes.addressof(license_),
                       0, 0, 0, 0, 0).ljust(128, b"\0")
    buf = ctypes.create_string_buffer(attr, len(attr))
    number = NR_BPF.get(os.uname().machine)
    if number is None:
        return "unknown machine " + os.uname().machine
    fd = libc.syscall(number, BPF_PROG_LOAD, buf, len(attr))
    if fd < 0:
        return os.strerror(ctypes.get_errno())
    os.close(fd)
    return None


def bpf():
    if os.geteuid() != 0:
        return "not root"
    error = load_program(TRACEPOINT)
    return error and "the kernel refuses BPF programs: " + error


def pmu(name):
    error = bpf()
    if error:
        return error
    return None if os.path.exists(PMU + name + "/type") else "the kernel has no %ss" % name


def btf():
    try:
        return None if os.path.getsize("/sys/kernel/btf/vmlinux") else "the kernel's BTF is empty"
    except OSError:
        return "the kernel has no BTF"


def traceable(function):
    error = pmu("kprobe")
    if error:
        return error
    with open("/proc/kallsyms") as f:
        for line in f:
            if line.split()[2] == function:
                return None
    return "the kernel has no function " + function


def tracepoint(name):
    error = bpf()
    if error:
        return error
    if not os.path.exists("/sys/kernel/tracing/events"):
        return "tracefs is not mounted"
    where = "/sys/kernel/tracing/events/" + name.replace(":", "/")
    return None if os.path.exists(where) else "the kernel has no tracepoint " + name


def kernel_at_least(want):
    have = re.match(r"(\d+)\.(\d+)", os.uname().release)
    numbers = tuple(map(int, have.groups()))
    return None if numbers >= tuple(map(int, want.split("."))) else "kernel older than " + want


def command(name):
    return None if shutil.which(name) else "no command `%s`" % name


def file(path):
    return None if os.path.exists(path) else "no file " + path


def namespace(kind):
    """Containers and chroots are often refused them."""
    tried = subprocess.run(["unshare", "--" + kind, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           check=False) if shutil.which("unshare") else None
    if tried is None:
        return "no command `unshare`"
    return None if tried.returncode == 0 else "no new %s namespace here: %s" % (kind, tried.stderr.strip())


def cpus(count):
    return None if len(os.sched_getaffinity(0)) >= int(count) else "fewer than %s CPUs" % count


SIMPLE = {
    "root": lambda: None if os.geteuid() == 0 else "not root",
    "bpf": bpf,
    "btf": btf,
    "kprobe": lambda: pmu("kprobe"),
    "uprobe": lambda: pmu("uprobe"),
    "watchpoint": lambda: pmu("breakpoint"),
    "perf_event": lambda: bpf() or load_program(PERF_EVENT),
    "guest": lambda: None if "VMRUN" in os.environ else "only in a guest",
    "python3.11": lambda: file("/usr/bin/python3.11"),
}
WITH_ARGUMENT = {"kfunction": traceable, "tracepoint": tracepoint, "command": command, "file": file, "cpus": cpus,
                 "namespace": namespace}


@functools.lru_cache(None)
def missing(feature):
    if feature.startswith("!"):
        return None if missing(feature[1:]) else "only without " + feature[1:]
    if feature in SIMPLE:
        return SIMPLE[feature]()
    if feature.startswith("kernel>="):
        return kernel_at_least(feature[len("kernel>="):])
    name, colon, argument = feature.partition(":")
    if colon and name in WITH_ARGUMENT:
        return WITH_ARGUMENT[name](argument)
    raise KeyError("unknown feature `%s`" % feature)
