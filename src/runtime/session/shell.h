// Running a command for system().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

// Runs `/bin/sh -c command` and waits for it; `take` gets its standard output piece by piece. A signal that ends awl
// ends the command as well. What it leaves in the background is not waited for: the result is then the descriptor to
// read its output from, else -1.
Result<int> run_shell(const std::string &command, const std::function<void(std::string_view)> &take);

// Output of what commands have left in the background.
class BackgroundOutput {
 public:
  BackgroundOutput();
  ~BackgroundOutput();
  BackgroundOutput(const BackgroundOutput &) = delete;
  BackgroundOutput &operator=(const BackgroundOutput &) = delete;

  // Takes the descriptor of run_shell().
  void add(int fd);
  // Readable when there is something to pass on.
  [[nodiscard]] int descriptor() const { return epoll_; }
  // What can be read now, of each at most a pipe full.
  void pass_on(const std::function<void(std::string_view)> &take);

 private:
  int epoll_;
  std::vector<int> open_;
};

}  // namespace awl
