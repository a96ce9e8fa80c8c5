// flags: -fno-inline
// Functions with more arguments than registers carry: one here, and the kernel's do_futex, whose seventh is the mask.
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pair {
  int first, second;
};

__attribute__((noipa, used)) long many(long a, long b, long c, long d, long e, long f, long g, long h, const char *text,
                                       struct pair *pair) {
  return a + b + c + d + e + f + g + h + text[0] + pair->second;
}

int main(void) {
  struct pair pair = {70, 71};
  char text[] = "ninth";
  uint32_t word = 0;
  syscall(SYS_futex, &word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0x1234);
  return many(1, 2, 3, 4, 5, 6, -7, 8, text, &pair) == 0;
}
