// Running a command for system().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace awl {

// Runs `/bin/sh -c command` and waits for it; `take` gets its standard output piece by piece. A signal that ends awl
// ends the command as well. What it leaves in the background is not waited for: the result is then the descriptor to
// read its output from, else none.
Result<Fd> run_shell(const std::string &command, const std::function<void(std::string_view)> &take);

// Output of what commands have left in the background.
class BackgroundOutput {
 public:
  BackgroundOutput();

  // Takes the descriptor of run_shell().
  void add(Fd output);
  // Readable when there is something to pass on.
  [[nodiscard]] int descriptor() const { return epoll_.get(); }
  // What can be read now, of each at most a pipe full.
  void pass_on(const std::function<void(std::string_view)> &take);

 private:
  Fd epoll_;
  std::vector<Fd> open_;
};

}  // namespace awl
