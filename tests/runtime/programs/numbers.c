// numbers A B C...: one getpgid() for each argument, from one thread and in this order.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) syscall(SYS_getpgid, (int)strtol(argv[i], NULL, 0));
  return 0;
}
