// Signals that end a run, and a descriptor that tells of them.
#pragma once

namespace awl {

// SIGINT, SIGTERM and SIGHUP ask for the end; the second one quits at once, leaving what is slow to a child process.
// SIGPIPE and SIGUSR1 are ignored. Restores the old handlers when destroyed. One at a time.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals &) = delete;
  Signals &operator=(const Signals &) = delete;

  [[nodiscard]] static bool stop_requested();
  // Readable once a signal has come.
  [[nodiscard]] int fd() const;
};

// Makes a child process look as if awl had never touched signals.
void reset_signals();

// Ends the process at once. Closing perf events waits for RCU (50-90 ms each), so a child that inherited the
// descriptors dies in the background.
[[noreturn]] void leave_fast(int status);

}  // namespace awl
