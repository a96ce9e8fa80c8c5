// The start of a program under ptrace(2): it waits whenever it has mapped code, so that tables of it can be made before
// the code runs.
#pragma once

#include <sys/types.h>

#include <functional>

namespace awl {

// A child that has not called exec yet. False where tracing is not allowed.
bool trace_start(pid_t pid);

// Behind trace_start(), when the child may call exec: calls `mapped`, with the child stopped, at the exec and when the
// dynamic linker has mapped code; lets it go with the first system call that comes from elsewhere, or when there is
// none for a while. Returns, too, if it ends.
void follow_start(pid_t pid, const std::function<void()> &mapped);

}  // namespace awl
