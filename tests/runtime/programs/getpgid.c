// getpgid THREADS CALLS [ARGUMENT]: every thread calls getpgid(ARGUMENT) that often. No process has the default
// argument as its pid and nobody else asks for it, so that a script can count exactly these calls.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long calls, argument = 1234567;

static void *work(void *unused) {
  for (long i = 0; i < calls; i++) syscall(SYS_getpgid, argument);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t threads[64];
  int n = argc > 1 ? atoi(argv[1]) : 1;
  calls = argc > 2 ? atol(argv[2]) : 1;
  if (argc > 3) argument = atol(argv[3]);
  if (n < 1 || n > 64) return 2;
  if (n == 1) return work(NULL) != NULL;
  for (int i = 0; i < n; i++)
    if (pthread_create(&threads[i], NULL, work, NULL)) return 1;
  for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
  return 0;
}
