#include "runtime/session/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace awl {
namespace {

constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP};
constexpr std::array kOthers = {SIGPIPE, SIGUSR1};

volatile sig_atomic_t requests = 0;
volatile sig_atomic_t interrupts = 0;
int event = -1;
int user_event = -1;
std::array<struct sigaction, kEnding.size()> old_ending;
std::array<struct sigaction, kOthers.size()> old_others;

void on_signal(int number) {
  requests = requests + 1;
  // Only somebody at a terminal means by it that the output is not wanted: those who end services send SIGTERM and
  // SIGHUP one behind the other.
  if (number == SIGINT) interrupts = interrupts + 1;
  if (interrupts > 1) leave_fast(128 + number);  // async-signal-safe
  const int saved = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(event, &one, sizeof(one));
  errno = saved;
}

void on_user_signal(int) {
  const int saved = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(user_event, &one, sizeof(one));
  errno = saved;
}

}  // namespace

Signals::Signals() {
  requests = 0;
  interrupts = 0;
  event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  user_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action = {};
  action.sa_handler = on_signal;  // without SA_RESTART: waiting calls return
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kEnding.size(); i++) {
    sigaction(kEnding[i], nullptr, &old_ending[i]);
    // nohup: stays deaf. SIGINT is taken back, since shells without job control start `awl &` with it ignored.
    if (kEnding[i] == SIGHUP && old_ending[i].sa_handler == SIG_IGN) continue;
    sigaction(kEnding[i], &action, nullptr);
  }
  for (size_t i = 0; i < kOthers.size(); i++) {
    action.sa_handler = kOthers[i] == SIGUSR1 ? on_user_signal : SIG_IGN;
    sigaction(kOthers[i], &action, &old_others[i]);
  }
}

Signals::~Signals() {
  for (size_t i = 0; i < kEnding.size(); i++) sigaction(kEnding[i], &old_ending[i], nullptr);
  for (size_t i = 0; i < kOthers.size(); i++) sigaction(kOthers[i], &old_others[i], nullptr);
  close(event);
  close(user_event);
  event = user_event = -1;
}

bool Signals::stop_requested() { return requests > 0; }
int Signals::fd() { return event; }
int Signals::user_fd() const { return user_event; }

uint64_t Signals::take_user_signals() {
  uint64_t count = 0;
  return read(user_event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

void reset_signals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigemptyset(&action.sa_mask);
  for (int number : kEnding) sigaction(number, &action, nullptr);
  for (int number : kOthers) sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void leave_fast(int status) {
  const pid_t parent = getpid();
  const pid_t child = _Fork();  // glibc's fork() without handlers: allowed in a signal handler
  if (child != 0) _exit(status);
  // Nobody may wait for the end of our output because of this process.
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; fd++) null >= 0 ? dup2(null, fd) : close(fd);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  for (int number : kEnding) sigaction(number, &ignore, nullptr);
  // Whoever closes a descriptor last waits: that must not be the parent. Its death is told after it has closed its own.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (getppid() == parent) pause();
  _exit(0);
}

}  // namespace awl
