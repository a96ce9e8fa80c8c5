// flags: -fno-inline
// USDT markers with every kind of argument, two places of one marker, and one behind a semaphore.
#include "usdt.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((section(".probes"), used)) unsigned short guarded_semaphore;

struct holder {
  char pad[24];
  int32_t value;
};

static __attribute__((noipa)) void fire(int32_t a, uint64_t b, const char *text, struct holder *h, int8_t tiny) {
  asm volatile(USDT_NOTE("awltest", "arguments", "0", "-4@%0 8@%1 8@%2 -4@%3 -1@%b4 -4@$-7")
               :: "r"(a), "r"(b), "r"(text), "m"(h->value), "q"(tiny));
}

// Constants are written with a sign, whatever their type: so GCC writes 65535, 200 and 4000000000.
static __attribute__((noipa)) void constants(void) {
  asm volatile(USDT_NOTE("awltest", "constants", "0", "2@$-1 1@$-56 4@$-294967296 -1@$-56 8@$-1"));
}

static __attribute__((noipa)) void first_place(int32_t n) {
  asm volatile(USDT_NOTE("awltest", "twice", "0", "-4@%0") :: "r"(n));
}

static __attribute__((noipa)) void second_place(int64_t n) {
  asm volatile(USDT_NOTE("awltest", "twice", "0", "-8@%0") :: "m"(n));
}

static __attribute__((noipa)) void guarded(int32_t n) {
  if (guarded_semaphore) asm volatile(USDT_NOTE("awltest", "guarded", "guarded_semaphore", "-4@%0") :: "r"(n));
}

static __attribute__((noipa)) void plain(void) { asm volatile(USDT_NOTE("other", "plain", "0", "")); }

// usdt [wait]: with `wait` it says that it is there and goes on after a line of standard input.
int main(int argc, char **argv) {
  struct holder h = {"", -42};
  char text[] = "some text";  // on the stack: a page that was touched can be read in a probe
  char line[8];
  if (argc > 1 && !strcmp(argv[1], "wait")) {
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 0;
  }
  fire(-3, 5000000000u, text, &h, -5);
  constants();
  for (int i = 1; i <= 3; i++) first_place(i);
  second_place(100);
  guarded(9);
  plain();
  return 0;
}
