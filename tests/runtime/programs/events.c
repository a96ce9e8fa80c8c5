// Calls event() a known number of times: `events THREADS CALLS [SECONDS]`, each thread CALLS times with the numbers 0 to 6.
// Then stays for some seconds, so that its symbols can be looked up.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static long calls;

__attribute__((noinline)) int event(int n) {
    __asm__ volatile("" ::: "memory");
    return n + 1;
}

static void *work(void *unused) {
    for (long i = 0; i < calls; i++)
        event(i % 7);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[64];
    int count = argc > 1 ? atoi(argv[1]) : 1;
    calls = argc > 2 ? atol(argv[2]) : 1;
    if (count > 64)
        count = 64;
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    if (argc > 3)
        sleep(atoi(argv[3]));
    return 0;
}
