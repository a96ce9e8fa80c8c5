// flags: -O2 -fno-omit-frame-pointer
// Functions that are inlined into one another: deep() is only ever called through two of them. At the entry of leaf() no
// frame is set up yet, so that a walk of the stack skips its caller, deep().

#define KEPT __attribute__((noinline, noclone))
#define INLINED static inline __attribute__((always_inline))

KEPT void leaf(int n) { __asm__ volatile("" ::"r"(n) : "memory"); }
KEPT void deep(int n) {
  leaf(n);
  __asm__ volatile("" ::: "memory");
}

INLINED void middle(int n) {
  deep(n + 1);  // line 15
  __asm__ volatile("" ::: "memory");
}

INLINED void upper(int n) {
  middle(n * 2);  // line 20
  __asm__ volatile("" ::: "memory");
}

KEPT void entered(int n) {
  upper(n);  // line 25
  __asm__ volatile("" ::: "memory");
}

int main(void) {
  entered(5);  // line 30
  __asm__ volatile("" ::: "memory");
  return 0;
}
