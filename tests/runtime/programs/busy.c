// flags: -O2 -fno-inline
// A program that is busy in functions that are probed, and would notice if a probe changed anything: it checks every
// result, in threads, in a handler of signals and in forked children. Says "ready"; a line on its standard input starts
// the counting, the next one ends it and prints `add CALLS SUM`, `guarded CALLS` and `wrong N`.
#include "usdt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((section(".probes"), used)) unsigned short guarded_semaphore;

static atomic_ulong calls, sum, marks, wrong;
static atomic_int stopping;

__attribute__((noipa, used)) uint64_t add(uint64_t a, uint64_t b) { return a + b; }

// Five calls of add() that return in a row.
__attribute__((noipa, used)) uint64_t nested(uint64_t n, double half) {
  uint64_t below = n ? nested(n - 1, half) : 0;
  if (half != 0.5) wrong++;
  return add(below, n);
}

__attribute__((noipa, used)) void guarded(uint64_t n) {
  marks++;
  if (guarded_semaphore) asm volatile(USDT_NOTE("awlbusy", "guarded", "guarded_semaphore", "8@%0") :: "r"(n));
}

static void one_add(uint64_t a, uint64_t b) {
  calls++;
  sum += a + b;
  if (add(a, b) != a + b) wrong++;
}

static void one_nested(void) {
  calls += 5;
  sum += 0 + 1 + 3 + 6 + 10;
  if (nested(4, 0.5) != 10) wrong++;
}

static void on_alarm(int unused) {
  (void)unused;
  one_add(1000, 1);
  guarded(2);
}

static void *work(void *unused) {
  while (!stopping) {
    for (uint64_t i = 0; i < 20; i++) one_add(i, 7);
    one_nested();
    guarded(1);
    usleep(500);
  }
  return unused;
}

// Children come and go while breakpoints are written and taken away.
static void *breed(void *unused) {
  while (!stopping) {
    pid_t child = fork();
    if (child == 0) _exit(add(3, 4) == 7 && nested(4, 0.5) == 10 ? 0 : 1);
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) wrong++;
    // the child's own
    calls += 6;
    sum += 7 + 0 + 1 + 3 + 6 + 10;
    usleep(20000);
  }
  return unused;
}

int main(void) {
  puts("ready");
  fflush(stdout);
  if (getchar() == EOF) return 1;
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval each = {{0, 2000}, {0, 2000}};
  setitimer(ITIMER_REAL, &each, NULL);
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, work, NULL);
  pthread_create(&threads[1], NULL, work, NULL);
  pthread_create(&threads[2], NULL, breed, NULL);
  int c = getchar();
  stopping = 1;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
  printf("add %lu %lu\nguarded %lu\nwrong %lu\n", (unsigned long)calls, (unsigned long)sum, (unsigned long)marks,
         (unsigned long)wrong);
  fflush(stdout);
  // Goes on until its standard input ends, so that others can look what is left in it.
  while (c != EOF && getchar() != EOF) {}
  return 0;
}
