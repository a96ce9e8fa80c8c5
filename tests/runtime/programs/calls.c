// flags: -fno-inline -no-pie -fno-omit-frame-pointer
// Functions for uprobes, each called a known number of times with known arguments.
// calls [fail|wait]: ends with status 3, or stays so that its symbols can be looked up.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct point {
  int x;
  long y;
  char name[8];
};

struct node {
  struct node *next;
  int value;
};

struct packed_bits {
  unsigned int low : 3;
  unsigned int high : 5;
  unsigned int rest : 24;
};

#define CALLED __attribute__((noipa, used))

volatile int sink;
int global_number = 77;

CALLED int add(int a, int b) { return a + b; }
CALLED const char *greet(const char *name) {
  static char answer[] = "greetings";
  answer[0] = name[0] ? 'g' : 'G';
  return answer;
}
CALLED long six(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }
CALLED int move(struct point *p) { return p->x + (int)p->y; }
CALLED int walk(struct node *n) {
  int sum = 0;
  for (; n; n = n->next) sum += n->value;
  return sum;
}
CALLED int bits(struct packed_bits *b) { return b->low + b->high; }
CALLED int bytes(const unsigned char *p, int n) { return p[0] + n; }
CALLED int numbers(const int32_t *p) { return p[0]; }
CALLED int64_t negative(int32_t narrow, int64_t wide) { return narrow + wide; }
CALLED uint8_t small(uint8_t v) { return v; }
CALLED int words(const char *const *list) { return list[0][0]; }
CALLED int inner(int n) { return n * 2; }
CALLED int outer(int n) { return inner(n) + 1; }
CALLED int loop(int i) { return i; }
CALLED int wild_one(void) { return sink; }
CALLED int wild_two(void) { return sink; }
CALLED int finish(void) { return sink; }

// The kernel places no breakpoint on a locked instruction.
__asm__(".globl locked_first\n.type locked_first, @function\nlocked_first: lock decl (%rdi)\nret\n"
        ".size locked_first, . - locked_first");
CALLED int locked_never(void) { return sink; }

int main(int argc, char **argv) {
  struct point p = {3, 4, "corner"};
  struct node third = {NULL, 30}, second = {&third, 20}, first = {&second, 10};
  struct packed_bits b = {5, 17, 0};
  const unsigned char raw[8] = {0, 1, 'a', 0x7f, 0x80, 0xff, '\n', 'z'};
  const int32_t ints[4] = {11, -22, 33, 44};
  // on the stack: a page that was touched can be read in a probe
  char world[] = "world", one[] = "first", two[] = "second", three[] = "third";
  const char *const list[] = {one, two, three, NULL};
  sink = add(2, 3);
  sink = add(40, 2);
  greet(world);
  six(1, 2, 3, 4, 5, 6);
  move(&p);
  walk(&first);
  bits(&b);
  bytes(raw, sizeof raw);
  numbers(ints);
  negative(-5, -6000000000);
  small(200);
  words(list);
  outer(4);
  for (int i = 0; i < 10; i++) loop(i);
  wild_one();
  wild_two();
  wild_two();
  finish();
  if (argc > 1 && !strcmp(argv[1], "wait")) sleep(20);
  return argc > 1 && !strcmp(argv[1], "fail") ? 3 : 0;
}
