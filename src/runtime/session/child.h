// The command of -c: started before anything is loaded, held until everything is attached.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace awl {

class Child {
 public:
  // Forks; the child waits in front of its exec. It gets SIGTERM when awl ends in whatever way.
  static Result<std::unique_ptr<Child>> start(const std::string &command);
  ~Child();  // SIGTERM if it still runs
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string &program() const { return program_; }  // path of the file
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }               // readable when it has ended
  // Lets it run. Fails when the file cannot be executed after all.
  // With `mapped` it is held at the exec and wherever its dynamic linker has mapped code while that is called, if
  // tracing is allowed.
  Result<void> go(const std::function<void()> &mapped = {});
  void terminate();

  struct Ending {
    bool ended = false;
    bool success = false;
    std::string text;  // "exited with status 3", "was killed by SIGSEGV"
  };
  Ending ending();

 private:
  Child() = default;
  pid_t pid_ = -1;
  std::string program_;
  Fd pidfd_;
  Fd go_;      // a byte lets it run
  Fd failed_;  // its errno if exec fails, end of file if it works
  bool ended_ = false;
};

// pidfd_open(2), which Debian 12's C library has no wrapper for. Readable when the process has ended.
int open_pidfd(pid_t pid);

}  // namespace awl
