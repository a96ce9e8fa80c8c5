// Signals that end a run, and a descriptor that tells of them.
#pragma once

#include <cstdint>

namespace awl {

// SIGINT, SIGTERM and SIGHUP ask for the end; a second SIGINT quits at once, leaving what is slow to a child process.
// SIGUSR1 is noticed, for self:signal:SIGUSR1; SIGPIPE is ignored. Restores the old handlers when destroyed. One at a
// time.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals &) = delete;
  Signals &operator=(const Signals &) = delete;

  [[nodiscard]] static bool stop_requested();
  // Readable once a signal has come; -1 while there is no Signals.
  [[nodiscard]] static int fd();
  // Readable once SIGUSR1 has come, until take_user_signals().
  [[nodiscard]] int user_fd() const;
  // How many SIGUSR1 came since the last call; several at once may count as one.
  static uint64_t take_user_signals();
};

// Makes a child process look as if awl had never touched signals.
void reset_signals();

// Ends the process at once. Closing perf events waits for RCU (50-90 ms each), so a child that inherited the
// descriptors dies in the background.
[[noreturn]] void leave_fast(int status);

}  // namespace awl
