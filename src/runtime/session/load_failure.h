// Why the kernel refused a program, told in terms of the script.
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/source.h"
#include "runtime/image/manifest.h"

namespace awl {

struct LoadFailure {
  int error = 0;         // errno
  std::string libbpf;    // all that libbpf printed
  std::string reason;    // its last word
  std::string log;       // of the verifier, empty if it wrote none
  bool verbose = false;  // print the whole log
};

void explain_load_failure(const LoadFailure &failure, const Image &image, const Source &source,
                          Diagnostics &diagnostics);

}  // namespace awl
