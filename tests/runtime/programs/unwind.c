// flags: -O2 -fomit-frame-pointer -fno-optimize-sibling-calls -fcf-protection=none -ldl
// unwind WAY [wait | MILLISECONDS]: gets to probed() by functions of known names, none of which keeps a frame pointer
// for the sake of it. With `wait` it says a line and waits for one before.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "usdt.h"

#define FUNCTION __attribute__((noipa))

FUNCTION void probed(void) { __asm__ volatile(USDT_NOTE("unwind", "here", "0", "")); }

static volatile int sink;

FUNCTION void last(void) {
  probed();
  sink++;
}

// Half a second of processor time.
FUNCTION void burn(void) {
  for (clock_t end = clock() + CLOCKS_PER_SEC / 2; clock() < end;)
    for (int i = 0; i < 100000; i++) sink++;
}

FUNCTION void called(void) {
  getppid();
  const int file = open("/dev/null", O_WRONLY);
  if (write(file, "", 1) == 1) sink++;
}

// Its frame pointer is a register like any other: rbp is lost for whoever follows it.
FUNCTION void many_registers(int n) {
  register long rbp __asm__("rbx") = n;
  __asm__ volatile("" ::"r"(rbp) : "rbp", "r12", "r13", "r14", "r15");
  last();
  sink++;
}

FUNCTION void deep(int left) {
  if (left > 0)
    deep(left - 1);
  else
    many_registers(left);
  sink++;
}

FUNCTION void with_alloca(int n) {
  char *room = __builtin_alloca(n);
  memset(room, 1, n);
  __asm__ volatile("" ::"r"(room) : "memory");
  many_registers(n);
  sink += room[0];
}

FUNCTION void with_alignment(int n) {
  __attribute__((aligned(256))) char room[256];
  memset(room, n, sizeof(room));
  __asm__ volatile("" ::"r"(room) : "memory");
  with_alloca(n);
  sink += room[0];
}

// Both, and arguments on the stack: the frame is found through memory.
FUNCTION void with_all(int a, int b, int c, int d, int e, int f, int g, int h) {
  __attribute__((aligned(128))) char room[128];
  char *more = __builtin_alloca(a);
  memset(room, b, sizeof(room));
  memset(more, c, a);
  __asm__ volatile("" ::"r"(room), "r"(more) : "memory");
  with_alignment(d + e + f + g + h);
  sink += room[0] + more[0];
}

static void handler(int signal) {
  deep(3);
  sink += signal;
}

FUNCTION void interrupted(void) {
  raise(SIGUSR1);
  sink++;
}

static int compare(const void *a, const void *b) {
  last();
  return *(const int *)a - *(const int *)b;
}

FUNCTION void sorting(void) {
  int numbers[] = {2, 1};
  qsort(numbers, 2, sizeof(int), compare);
  sink += numbers[0];
}

static void *thread(void *argument) {
  deep(2);
  sink++;
  return argument;
}

static int on_frame(void *context, void *argument) {
  (void)context, (void)argument;
  last();
  sink++;
  return 5;  // _URC_END_OF_STACK
}

FUNCTION void through_library(void) {
  void *library = dlopen("libgcc_s.so.1", RTLD_NOW);
  int (*backtrace)(int (*)(void *, void *), void *) = NULL;
  if (library) *(void **)&backtrace = dlsym(library, "_Unwind_Backtrace");
  usleep(300000);  // for whoever has to take note of the library
  if (backtrace) backtrace(on_frame, NULL);
  sink++;
}

// Through code that a just-in-time compiler might have made, with a frame pointer: push rbp; mov rbp, rsp; call rdi;
// pop rbp.
FUNCTION void generated(void) {
  static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
  void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return;
  memcpy(place, code, sizeof(code));
  void (*call)(void (*)(void)) = NULL;
  *(void **)&call = place;
  call(last);
  sink++;
}

// Without unwind tables, and rbp leads nowhere.
void without_tables(void);
__asm__(
    ".text\n.type without_tables, @function\nwithout_tables:\n  push %rbp\n  mov $1, %ebp\n  call probed\n  pop %rbp\n "
    " ret\n"
    ".size without_tables, . - without_tables\n");

// Children that are over in a moment, one after the other: with exec, of a process that has thousands of mappings, and
// such that are seen by samples.
FUNCTION void crunch(void) {
  for (int i = 0; i < 3000000; i++) sink++;
}

FUNCTION void in_child(const char *way, char *program) {
  if (fork() == 0) {
    char *const arguments[] = {program, "brief", NULL};
    if (!strcmp(way, "starts")) execv(program, arguments);
    if (!strcmp(way, "forks")) deep(2);
    if (!strcmp(way, "crunches")) crunch();
    _exit(0);
  }
  wait(NULL);
}

FUNCTION void children(const char *way, char *program) {
  const int pages = 6000;
  char *at = mmap(NULL, pages * 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!strcmp(way, "forks"))
    for (int i = 0; i < pages; i += 2) mprotect(at + i * 4096L, 4096, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 50; i++) in_child(way, program);
}

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "";
  char line[16];
  if (argc > 2 && !strcmp(argv[2], "wait")) {
    puts("ready"), fflush(stdout);
    if (!fgets(line, sizeof(line), stdin)) return 1;
  } else if (argc > 2) {
    usleep(atoi(argv[2]) * 1000);  // for whoever has to take note of this process
  }
  if (!strcmp(way, "brief")) deep(50), _exit(0);
  if (!strcmp(way, "starts") || !strcmp(way, "forks") || !strcmp(way, "crunches")) children(way, argv[0]);
  if (!strcmp(way, "deep")) deep(50);
  if (!strcmp(way, "aligned")) with_all(40, 1, 2, 3, 4, 5, 6, 7);
  if (!strcmp(way, "signal")) signal(SIGUSR1, handler), interrupted();
  if (!strcmp(way, "sort")) sorting();
  if (!strcmp(way, "library")) through_library();
  if (!strcmp(way, "burn")) burn();
  if (!strcmp(way, "call")) called();
  if (!strcmp(way, "generated")) generated();
  if (!strcmp(way, "cut")) without_tables();
  if (!strcmp(way, "thread")) {
    pthread_t id;
    if (pthread_create(&id, NULL, thread, NULL) == 0) pthread_join(id, NULL);
  }
  if (!strcmp(way, "fork")) {
    if (fork() == 0) {
      usleep(3000000);
      deep(2);
      _exit(0);
    }
    wait(NULL);
  }
  usleep(100000);  // for whoever asks for names
  return 0;
}
