// flags: -fomit-frame-pointer -fno-optimize-sibling-calls
// Calls probed() in a constructor, in main and in a function that libc calls, and has ended after a millisecond.
#include <stdlib.h>

__attribute__((noipa, used)) int probed(int n) { return n + 1; }
static __attribute__((noipa)) int deep(int n) { return n ? deep(n - 1) + 1 : probed(3) + 1; }
static int compare(const void *a, const void *b) { return deep(3) + *(const int *)a - *(const int *)b; }

__attribute__((constructor)) static void early(void) { deep(2); }

int main(void) {
  int pair[2] = {2, 1};
  deep(5);
  qsort(pair, 2, sizeof *pair, compare);
  return 0;
}
