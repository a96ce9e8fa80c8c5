// flags: -fcf-protection=branch -fno-omit-frame-pointer -fno-inline
// Lines of source for uprobes, and functions that begin with endbr64 where the processor has it.
#include <stdio.h>

volatile int sink;

__attribute__((noipa)) int steps(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) {
    sink = i;  // line 10
    sum += sink;
  }
  return sum;
}

__attribute__((noipa)) long marked(long a, long b) {
  sink = (int)a;
  printf("%ld\n", a + b);  // line 18
  return a * b;
}

int main(void) {
  int total = steps(5);
  for (int i = 0; i < 3; i++) total += (int)marked(i, 10);
  return total == 0;
}
