// What bench/run traces: a process that does getpgid(2) calls and measures what each costs it.
//
//   victim serve      for each line "calls N" on standard input: does N calls, prints "CPU_NS WALL_NS", both in all
//   victim functions  the same with calls of a function that begins with endbr64, as distributions compile theirs
//   victim tick USEC  a call every USEC microseconds, until standard input ends
//
// The cost is CPU time of the thread, so what other processes do on its CPU is not counted.
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void call(long count, pid_t self) {
  for (long i = 0; i < count; i++) syscall(SYS_getpgid, self);
}

volatile long marked_sum;
__attribute__((noipa)) void marked(long n) {
  char *frame = __builtin_frame_address(0);  // makes it push a register first
  marked_sum += n + (frame == NULL);
}

static void call_function(long count, pid_t self) {
  for (long i = 0; i < count; i++) marked(self);
}

static int serve(void (*call)(long, pid_t), pid_t self) {
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    long count = 0;
    if (sscanf(line, "calls %ld", &count) != 1) return 2;
    long long wall = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
    call(count, self);
    cpu = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall = now_ns(CLOCK_MONOTONIC) - wall;
    printf("%lld %lld\n", cpu, wall);
    fflush(stdout);
  }
  return 0;
}

static int tick(long usec, pid_t self) {
  prctl(PR_SET_TIMERSLACK, 1000);
  struct pollfd in = {.fd = 0, .events = POLLIN};
  struct timespec pause = {0, usec * 1000};
  while (ppoll(&in, 1, &pause, NULL) == 0) call(1, self);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "serve") == 0) return serve(call, getpid());
  if (argc == 2 && strcmp(argv[1], "functions") == 0) return serve(call_function, getpid());
  if (argc == 3 && strcmp(argv[1], "tick") == 0) return tick(atol(argv[2]), getpid());
  fprintf(stderr, "usage: victim serve | victim functions | victim tick USEC\n");
  return 2;
}
