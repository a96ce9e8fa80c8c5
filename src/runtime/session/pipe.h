// A pipe whose ends no command inherits.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/result.h"

namespace awl {

struct Pipe {
  Fd from, to;  // where it is read, where it is written
};

inline Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace awl
