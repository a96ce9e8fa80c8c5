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
#include "runtime/session/pipe.h"
#include "runtime/session/signals.h"

namespace awl {
namespace {

// The unwinder opens files meanwhile, so the limit is put back where only the command has it.
Result<pid_t> start_shell(const std::string &command, int output) {
  Pipe failed = TRY(make_pipe());
  const pid_t pid = fork();
  int error = errno;
  if (pid == 0) {
    reset_signals();
    restore_file_limit();
    dup2(output, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    error = errno;
    if (write(failed.to.get(), &error, sizeof(error)) < 0) _exit(126);
    _exit(127);
  }
  failed.to.close();
  // Nothing comes, and the end at once, when the shell runs.
  const bool refused = pid > 0 && read(failed.from.get(), &error, sizeof(error)) == sizeof(error);
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

Result<Fd> run_shell(const std::string &command, const std::function<void(std::string_view)> &take) {
  Pipe output = TRY(make_pipe());
  fcntl(output.from.get(), F_SETFL, O_NONBLOCK);
  const pid_t pid = TRY(start_shell(command, output.to.get()));
  output.to.close();
  const Fd process(open_pidfd(pid));
  bool open = true, told = false;
  while (true) {
    if (Signals::stop_requested() && !told) {
      kill(pid, SIGTERM);
      told = true;
    }
    pollfd waits[] = {
        {open ? output.from.get() : -1, POLLIN, 0}, {process.get(), POLLIN, 0}, {told ? -1 : Signals::fd(), POLLIN, 0}};
    poll(waits, std::size(waits), -1);
    if (open && waits[0].revents != 0) open = take_output(output.from.get(), take);
    if (waits[1].revents != 0 || !process) break;
  }
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (open) open = take_output(output.from.get(), take);
  return open ? std::move(output.from) : Fd();
}

BackgroundOutput::BackgroundOutput() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

void BackgroundOutput::add(Fd output) {
  epoll_event event = {.events = EPOLLIN, .data = {.fd = output.get()}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, output.get(), &event);
  open_.push_back(std::move(output));
}

void BackgroundOutput::pass_on(const std::function<void(std::string_view)> &take) {
  std::erase_if(open_, [&](const Fd &output) { return !take_output(output.get(), take); });
}

}  // namespace awl
