#!/usr/bin/python3
"""fill_buckets.py PID MAP COUNT: every bucket that holds something in a histogram without keys gets COUNT more.

Counts that no test can wait for are written into the map of the awl of that process id."""

import ctypes
import glob
import os
import platform
import re
import struct
import sys
import time

MAP_LOOKUP, MAP_UPDATE, GET_FD_BY_ID, INFO_BY_FD = 1, 2, 14, 15
NUMBER = {"x86_64": 321, "aarch64": 280}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, *words):
    """The system call with an attribute of 64-bit words."""
    attribute = ctypes.create_string_buffer(struct.pack("%dQ" % len(words), *words), 128)
    result = libc.syscall(NUMBER, command, attribute, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf(%d)" % command)
    return result


def info(fd):
    """Name and size of values of a map."""
    out = ctypes.create_string_buffer(256)
    bpf(INFO_BY_FD, fd | 256 << 32, ctypes.addressof(out))
    value_size, = struct.unpack_from("I", out, 12)
    return out.raw[24:40].rstrip(b"\0").decode(), value_size


def find(pid, name):
    """The map that the kernel knows as AT_NAME: a descriptor, and the size of its value."""
    for path in glob.glob("/proc/%s/fdinfo/*" % pid):
        try:
            with open(path, encoding="ascii") as f:
                number = re.search(r"^map_id:\s*(\d+)", f.read(), re.M)
        except FileNotFoundError:
            continue
        if number:
            fd = bpf(GET_FD_BY_ID, int(number.group(1)))
            known, size = info(fd)
            if known == "AT_" + name:
                return fd, size
            os.close(fd)
    return None


def possible_cpus():
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as f:
        return int(re.split(r"[-,]", f.read().strip())[-1]) + 1


def main():
    pid, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    deadline = time.time() + 20
    while time.time() < deadline:
        found = find(pid, name)
        if found:
            fd, size = found
            key = ctypes.create_string_buffer(4)
            values = (ctypes.c_uint64 * (size // 8 * possible_cpus()))()
            bpf(MAP_LOOKUP, fd, ctypes.addressof(key), ctypes.addressof(values))
            buckets = [i for i in range(len(values)) if values[i] and i % (size // 8) != size // 8 - 1]  # the last is the sum
            if buckets:
                for i in buckets:
                    values[i] += count
                bpf(MAP_UPDATE, fd, ctypes.addressof(key), ctypes.addressof(values), 0)
                return 0
        time.sleep(0.05)
    return 1


if __name__ == "__main__":
    sys.exit(main())
