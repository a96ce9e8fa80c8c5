// What a command line asks of a run, and the run of a written Image: the same for awl and for awl-run, which holds no
// compiler.
#pragma once

#include <functional>
#include <string_view>

#include "arguments/options.h"
#include "base/result.h"
#include "runtime/session/session.h"

namespace awl {

RunOptions run_options(const Options &options);
// BPFTRACE_BTF, --traceable-functions
ProbeRoots probe_roots(const Options &options);
// --no-feature: an error for a name that is none.
Result<void> disable_features(const Options &options);

// The first word is the Image, the others are parameters. The result is the exit status.
int run_written_image(const Options &options, std::string_view program = "awl");

// Tells of an error that has no place in a script. The result is the exit status: 1.
int complain(const Error &error, std::string_view program = "awl");
// The exit status of `command`, 1 with a message if what it printed could not be written.
int run_main(std::string_view program, const std::function<int()> &command);

}  // namespace awl
