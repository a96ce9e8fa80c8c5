// Calls probed() with 4096 different stacks: the bits of a number choose which of two functions each frame is in.
#include <stdint.h>

#pragma GCC optimize("no-omit-frame-pointer")

__attribute__((noinline)) void probed(void) { __asm__ volatile("" ::: "memory"); }

__attribute__((noinline)) void zero(uint32_t bits, int left);
__attribute__((noinline)) void one(uint32_t bits, int left);

static inline void next(uint32_t bits, int left) {
  if (left == 0)
    probed();
  else if (bits & 1)
    one(bits >> 1, left - 1);
  else
    zero(bits >> 1, left - 1);
  __asm__ volatile("" ::: "memory");  // no tail calls
}
void zero(uint32_t bits, int left) { next(bits, left); }
void one(uint32_t bits, int left) { next(bits, left); }

int main(void) {
  for (uint32_t i = 0; i < 4096; i++) next(i, 12);
  return 0;
}
