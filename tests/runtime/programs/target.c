// target [exit|MILLISECONDS]: says that it is there; after a line of standard input it calls work() three times.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noipa)) int work(int n) { return n + 1; }

int main(int argc, char **argv) {
  char line[8];
  puts("ready");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) return 0;
  for (int i = 0; i < 3; i++) work(i);
  syscall(SYS_getpgid, 1234567);
  if (argc > 1) usleep(atoi(argv[1]) * 1000);
  return 0;
}
