// Tests and benchmarks of a script: test:NAME and bench:NAME.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/session/actions.h"
#include "runtime/session/event_loop.h"
#include "runtime/session/loader.h"

namespace awl {

class Trials {
 public:
  Trials(const LoadedObject &object, Actions &actions, EventLoop &loop, Output &output, bool json)
      : object_(object), actions_(actions), loop_(loop), output_(output), json_(json) {}

  // Runs each once. It fails by errorf(), by exit() with a status other than 0, by assert(). The result is how many
  // did.
  Result<size_t> run_tests(const std::vector<const ProbeInfo *> &tests);
  // Runs each until it has used a millisecond. The result is 0.
  Result<size_t> run_benchmarks(const std::vector<const ProbeInfo *> &benchmarks);

 private:
  struct Timing {
    uint64_t runs = 0;
    double ns = 0;  // of one run
  };
  // What the kernel counted for the program: run count and nanoseconds in it.
  Result<Timing> time(int program);
  void print(std::string_view text, const std::string &json);

  const LoadedObject &object_;
  Actions &actions_;
  EventLoop &loop_;
  Output &output_;
  bool json_;
};

}  // namespace awl
