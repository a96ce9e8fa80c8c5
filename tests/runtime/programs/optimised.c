// flags: -O2
// Variables at lines of source, where the compiler keeps few of them in memory.
#include <stdio.h>

#define KEPT __attribute__((noipa))

struct wide {
  long a, b;
};

volatile long sink;

KEPT struct wide make(long n) { return (struct wide){n, -n}; }
KEPT void see(long n) { sink = n; }

static inline __attribute__((always_inline)) void inlined(long depth) {
  long doubled = depth * 2;
  see(depth);  // line 18
  sink = doubled;
}

KEPT long work(long n, long unused) {
  const int fixed = 1234;
  long sum = 0;
  struct wide parts = make(n);
  for (long i = 0; i < n; i++) {
    see(sum);  // line 27
    sum += i * 3;
  }
  see(fixed);  // line 30
  see(parts.a);
  return sum;  // line 32
}

int main(void) {
  work(3, 9);
  inlined(7);
  for (volatile long i = 20; i < 22; i++) {
    long here = i;
    inlined(here);
  }
  puts("done");
  return 0;
}
