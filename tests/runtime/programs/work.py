# Says that it is there and waits for a line; then calls known functions a known number of times.
import sys


def leaf(n):
    return n + 1


def middle(n):
    return sum(leaf(i) for i in range(n))


def main():
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(10):
        middle(10)
    import gc
    gc.collect()
    import colorsys
    return colorsys


main()
