#include "runtime/session/shell.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/session/child.h"
#include "runtime/session/file_limit.h"
#include "runtime/session/signals.h"

extern char **environ;

namespace awl {
namespace {

Result<pid_t> spawn_shell(const std::string &command, int output) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1}) sigaddset(&defaults, number);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  char shell[] = "sh", flag[] = "-c";
  std::string text = command;
  char *argv[] = {shell, flag, text.data(), nullptr};
  pid_t pid = -1;
  restore_file_limit();
  const int error = posix_spawn(&pid, "/bin/sh", &files, &attributes, argv, environ);
  raise_file_limit();
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return fail_errno("/bin/sh", error);
  return pid;
}

// Passes on what can be read without waiting; false at the end of the output.
bool take_output(int fd, const std::function<void(std::string_view)> &take) {
  char buffer[16384];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n > 0) {
      take(std::string_view(buffer, static_cast<size_t>(n)));
    } else if (n == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

}  // namespace

Result<void> run_shell(const std::string &command, const std::function<void(std::string_view)> &take) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Result<pid_t> pid = spawn_shell(command, ends[1]);
  close(ends[1]);
  if (!pid) {
    close(ends[0]);
    return std::unexpected(pid.error());
  }
  const int pidfd = open_pidfd(*pid);
  bool open = true, told = false;
  while (true) {
    if (Signals::stop_requested() && !told) {
      kill(*pid, SIGTERM);
      told = true;
    }
    pollfd waits[] = {{open ? ends[0] : -1, POLLIN, 0}, {pidfd, POLLIN, 0}};
    poll(waits, 2, -1);  // a signal interrupts it
    if (open && waits[0].revents != 0) open = take_output(ends[0], take);
    if (waits[1].revents != 0 || pidfd < 0) break;
  }
  while (waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (open) take_output(ends[0], take);
  if (pidfd >= 0) close(pidfd);
  close(ends[0]);
  return {};
}

}  // namespace awl
