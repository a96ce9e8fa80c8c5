// Runs a command and measures it, more exactly than an interpreter can: a small process starts it, so neither the time
// of a large fork nor the resident memory of the parent is counted.
//
//   launch [-l LINE] [-i] COMMAND [ARGUMENT...]
//
//   -l LINE  note when this line appears on the command's standard output
//   -i       send SIGINT as soon as it has
//
// Prints one line: wall time, time until the line, time from the signal to the end (ns; 0 where there is none), CPU time
// (ns), peak resident memory (kB) and exit status. What the command itself prints is dropped. The command has ended when
// it can be waited for: processes that it leaves behind are not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Looks for a line in a stream that comes in pieces.
struct Finder {
  const char *line;
  char text[256];
  size_t length;
};

static int found(struct Finder *finder, const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != '\n') {
      if (finder->length < sizeof finder->text - 1) finder->text[finder->length++] = bytes[i];
      continue;
    }
    finder->text[finder->length] = 0;
    finder->length = 0;
    if (strcmp(finder->text, finder->line) == 0) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  struct Finder finder = {0};
  int interrupt = 0, option;
  while ((option = getopt(argc, argv, "+l:i")) != -1) {
    if (option == 'l') finder.line = optarg;
    else if (option == 'i') interrupt = 1;
    else return 2;
  }
  if (optind == argc) return 2;

  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return perror("pipe"), 1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  const long long start = now_ns();
  const int failed = posix_spawnp(&pid, argv[optind], &actions, NULL, argv + optind, environ);
  if (failed) return fprintf(stderr, "%s: %s\n", argv[optind], strerror(failed)), 1;
  close(out[1]);

  struct pollfd fds[2] = {{.fd = out[0], .events = POLLIN}, {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN}};
  long long line_at = 0, signal_at = 0;
  while (!(fds[1].revents & POLLIN)) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return perror("poll"), 1;
    if (!fds[0].revents) continue;
    char bytes[65536];
    ssize_t count = read(out[0], bytes, sizeof bytes);
    if (count <= 0) fds[0].fd = -1;
    if (count <= 0 || !finder.line || line_at || !found(&finder, bytes, (size_t)count)) continue;
    line_at = now_ns();
    if (interrupt) {
      signal_at = now_ns();
      kill(pid, SIGINT);
    }
  }
  int status;
  struct rusage usage;
  wait4(pid, &status, 0, &usage);
  const long long end = now_ns();
  const long long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
                        (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
  printf("%lld %lld %lld %lld %ld %d\n", end - start, line_at ? line_at - start : 0, signal_at ? end - signal_at : 0, cpu,
         usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
