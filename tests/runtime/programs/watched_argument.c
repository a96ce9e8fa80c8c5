// watched_argument [N [PAUSE] | odd]: says "ready", waits for a line, then calls touch() for each of N variables (1),
// which writes twice, and writes once more to each behind it, after PAUSE microseconds. A second round of calls follows.
// With `odd` touch() gets an address that is not aligned.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static union {
  volatile int64_t value;
  char bytes[16];
} variables[64];

__attribute__((noipa, used)) void touch(int unused, volatile int64_t *p) {
  (void)unused;
  *p += 10;
  *p += 10;
}

int main(int argc, char **argv) {
  puts("ready");
  fflush(stdout);
  getchar();
  if (argc > 1 && !strcmp(argv[1], "odd")) {
    touch(0, (volatile int64_t *)(variables[0].bytes + 1));
    touch(0, (volatile int64_t *)(variables[0].bytes + 1));
    return 0;
  }
  int n = argc > 1 ? atoi(argv[1]) : 1;
  useconds_t pause = argc > 2 ? atoi(argv[2]) : 0;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < n; i++) {
      touch(0, &variables[i].value);
      if (pause > 0) usleep(pause);
      variables[i].value += 1;
    }
  }
  return 0;
}
