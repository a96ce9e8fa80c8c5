// Says "ready", waits for a line, then writes 5 times at the address 0x10000000, twice from another thread. An argument
// is the number of microseconds to sleep behind the first time.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile uint64_t *watched;

static void *write_twice(void *unused) {
  watched[0] = 40;
  watched[0] = 50;
  return unused;
}

int main(int argc, char **argv) {
  watched = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (watched == MAP_FAILED) return 1;
  puts("ready");
  fflush(stdout);
  getchar();
  for (uint64_t i = 1; i <= 3; i++) {
    watched[0] = i * 10;
    if (i == 1 && argc > 1) usleep(atoi(argv[1]));
  }
  pthread_t thread;
  pthread_create(&thread, NULL, write_twice, NULL);
  pthread_join(thread, NULL);
  return 0;
}
