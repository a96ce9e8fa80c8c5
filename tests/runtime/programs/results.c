// flags: -O2
// Results of functions of every kind: a truth value whose register holds more, numbers with a fraction, structs.
#include <stdbool.h>
#include <stdio.h>

#define KEPT __attribute__((noipa))

struct pair {
  long first, second;
};
struct triple {
  long first, second, third;
};
struct point {
  double x, y;
};

KEPT bool larger(int a) {
#if defined(__x86_64__)
  __asm__ volatile("mov $0x100, %%eax" ::: "eax");  // only the lowest byte of the register is the result
#endif
  return a > 1;
}
KEPT double half(double d) { return d / 2; }
KEPT struct pair pair(long a) { return (struct pair){a, a + 1}; }
KEPT struct triple triple(long a) { return (struct triple){a, a + 1, a + 2}; }
KEPT struct point point(double x) { return (struct point){x, x}; }

int main(void) {
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += larger(i) + half(i) + pair(i).second + triple(i).third + point(i).y;
  printf("%g\n", sum);
  return 0;
}
