// flags: -O0
// Variables at lines of source, without optimisation.
#include <stdio.h>
#include <stdlib.h>

struct pair {
  int first;
  long second;
};

volatile int sink;

static int total(const char *label, int n) {
  static int calls = 40;
  struct pair pair = {n, -2 * n};
  int list[3] = {n, n + 1, n + 2};
  const char *text = label;
  calls++;
  for (int i = 0; i < n; i++) {
    int n = 100 + i;
    sink = n;  // line 21
  }
  sink = pair.first + list[2];  // line 23
  return text[0] + calls;       // line 24
}

// The last two are on the stack.
static long eight(long a, long b, long c, long d, long e, long f, int g, struct pair h) {
  return a + b + c + d + e + f + g + h.second;
}

int main(void) {
  struct pair pair = {5, 6};
  char label[] = "label";  // on a page that was touched
  for (int n = 1; n < 3; n++) sink = total(label, n);
  return eight(1, 2, 3, 4, 5, 6, 77, pair) < 0;
}
