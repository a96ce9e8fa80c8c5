// spin MILLISECONDS: burns that much processor time in a function of its own.
#include <stdlib.h>
#include <time.h>

__attribute__((noipa)) long burn_cycles(long n) {
  volatile long sum = 0;
  for (long i = 0; i < n; i++) sum += i;
  return sum;
}

int main(int argc, char **argv) {
  double seconds = (argc > 1 ? atof(argv[1]) : 500) / 1000;
  clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
  while (clock() < end) burn_cycles(200000);
  return 0;
}
