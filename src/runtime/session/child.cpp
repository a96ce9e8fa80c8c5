#include "runtime/session/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/session/command_line.h"
#include "runtime/session/file_limit.h"
#include "runtime/session/pipe.h"
#include "runtime/session/signals.h"
#include "runtime/session/traced_start.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace awl {
namespace {

// What the child does: waits for the word, then becomes the command.
[[noreturn]] void become(const std::string &path, const std::vector<std::string> &words, int go, int failed,
                         pid_t parent) {
  reset_signals();
  restore_file_limit();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // awl died before the line above
  std::vector<char *> argv;
  for (const std::string &word : words) argv.push_back(const_cast<char *>(word.c_str()));
  argv.push_back(nullptr);
  char byte = 0;
  ssize_t n;
  do n = read(go, &byte, 1);
  while (n < 0 && errno == EINTR);
  if (n != 1) _exit(1);  // awl gave up
  execv(path.c_str(), argv.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(failed, &error, sizeof(error));
  _exit(127);
}

}  // namespace

int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));  // Linux 5.3; close-on-exec by itself
}

Result<std::unique_ptr<Child>> Child::start(const std::string &command) {
  const std::vector<std::string> words = TRY(split_command(command));
  const std::string path = TRY(find_executable(words.front()));
  Pipe go = TRY(make_pipe()), failed = TRY(make_pipe());
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    go.to.close();  // or it would wait for itself
    become(path, words, go.from.get(), failed.to.get(), parent);
  }
  if (pid < 0) return fail_errno("fork");
  std::unique_ptr<Child> child(new Child);
  child->pid_ = pid;
  child->program_ = path;
  child->go_ = std::move(go.to);
  child->failed_ = std::move(failed.from);
  child->pidfd_ = Fd(open_pidfd(pid));
  if (!child->pidfd_) return fail_errno("pidfd_open");
  return child;
}

Child::~Child() { terminate(); }

Result<void> Child::go(const std::function<void()> &mapped) {
  const bool traced = mapped && trace_start(pid_);
  const char byte = 1;
  if (write(go_.get(), &byte, 1) != 1) return fail_errno("start the command");
  go_.close();
  if (traced) follow_start(pid_, mapped);
  int error = 0;
  ssize_t n;
  do n = read(failed_.get(), &error, sizeof(error));
  while (n < 0 && errno == EINTR);
  if (n == sizeof(error)) return fail(std::strerror(error));
  return {};
}

void Child::terminate() {
  if (!ended_ && pid_ > 0) kill(pid_, SIGTERM);
}

Child::Ending Child::ending() {
  siginfo_t info = {};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return {};
  ended_ = true;
  if (info.si_code == CLD_EXITED)
    return {true, info.si_status == 0, "exited with status " + std::to_string(info.si_status)};
  const char *name = sigabbrev_np(info.si_status);
  return {true, false,
          "was killed by " + (name ? "SIG" + std::string(name) : "signal " + std::to_string(info.si_status))};
}

}  // namespace awl
