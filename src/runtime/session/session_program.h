// One link for entry and return of functions: kprobe.session (Linux 6.10) and uprobe.session (6.13).
//
// Such a link has one program, which the kernel runs at the entry and, again, at the return. A script has two, so the
// link gets a small program that asks the kernel where it is and goes on in one of them by a tail call. They are the
// ones that would be attached one by one, only loaded for another way of attaching: an Image needs nothing more.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace awl {

class SessionProgram {
 public:
  // Of two loaded programs, for BPF_TRACE_KPROBE_SESSION or BPF_TRACE_UPROBE_SESSION, for which they were loaded, too.
  static Result<SessionProgram> make(int entry_fd, int return_fd, uint32_t attach_type);
  [[nodiscard]] int fd() const { return program_.get(); }

 private:
  Fd program_;
  Fd map_;  // programs to go on in; the kernel empties it when the last descriptor is closed
};

}  // namespace awl
