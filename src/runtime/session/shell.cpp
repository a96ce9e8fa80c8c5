#include "runtime/session/shell.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "runtime/session/child.h"
#include "runtime/session/file_limit.h"
#include "runtime/session/signals.h"

namespace awl {
namespace {

// The unwinder opens files meanwhile, so the limit is put back where only the command has it.
Result<pid_t> start_shell(const std::string &command, int output) {
  int failed[2];
  if (pipe2(failed, O_CLOEXEC) != 0) return fail_errno("pipe");
  const pid_t pid = fork();
  int error = errno;
  if (pid == 0) {
    reset_signals();
    restore_file_limit();
    dup2(output, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    error = errno;
    if (write(failed[1], &error, sizeof(error)) < 0) _exit(126);
    _exit(127);
  }
  close(failed[1]);
  // Nothing comes, and the end at once, when the shell runs.
  const bool refused = pid > 0 && read(failed[0], &error, sizeof(error)) == sizeof(error);
  close(failed[0]);
  if (pid < 0) return fail_errno("fork", error);
  if (!refused) return pid;
  waitpid(pid, nullptr, 0);
  return fail_errno("/bin/sh", error);
}

// Passes on what can be read without waiting, at most a pipe full: there may be no end of it. False at the end of the
// output.
bool take_output(int fd, const std::function<void(std::string_view)> &take) {
  char buffer[16384];
  for (int pieces = 0; pieces < 5; pieces++) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n > 0)
      take(std::string_view(buffer, static_cast<size_t>(n)));
    else if (n == 0)
      return false;
    else if (errno != EINTR)
      return errno == EAGAIN;
  }
  return true;
}

}  // namespace

Result<int> run_shell(const std::string &command, const std::function<void(std::string_view)> &take) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Result<pid_t> pid = start_shell(command, ends[1]);
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
    pollfd waits[] = {{open ? ends[0] : -1, POLLIN, 0}, {pidfd, POLLIN, 0}, {told ? -1 : Signals::fd(), POLLIN, 0}};
    poll(waits, std::size(waits), -1);
    if (open && waits[0].revents != 0) open = take_output(ends[0], take);
    if (waits[1].revents != 0 || pidfd < 0) break;
  }
  while (waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (open) open = take_output(ends[0], take);
  if (pidfd >= 0) close(pidfd);
  if (open) return ends[0];
  close(ends[0]);
  return -1;
}

BackgroundOutput::BackgroundOutput() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

BackgroundOutput::~BackgroundOutput() {
  for (const int fd : open_) close(fd);
  if (epoll_ >= 0) close(epoll_);
}

void BackgroundOutput::add(int fd) {
  epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  open_.push_back(fd);
}

void BackgroundOutput::pass_on(const std::function<void(std::string_view)> &take) {
  std::erase_if(open_, [&](int fd) {
    if (take_output(fd, take)) return false;
    close(fd);
    return true;
  });
}

}  // namespace awl
