// What the commands that take a script share: where it comes from, what is asked of compiler and run, how errors are
// told.
#pragma once

#include "base/diagnostic.h"
#include "base/result.h"
#include "base/source.h"
#include "cli/options.h"
#include "driver.h"
#include "runtime/session/session.h"

namespace awl {

// Tells of an error that has no place in a script. The result is the exit status: 1.
int complain(const Error &error);
void print(const Diagnostics &diagnostics, const Source &source, const Options &options);
// A regular file, or a pipe that the shell made.
bool is_file(const std::string &path);

// The program: -e, a file, standard input, or, as in awk, the first argument itself. Takes its word out of the list.
Result<Source> take_source(Options &options);

CompileRequest compile_request(const Options &options);
RunOptions run_options(const Options &options);
// BPFTRACE_BTF, --traceable-functions
ProbeRoots probe_roots(const Options &options);
// --no-feature: an error for a name that is none.
Result<void> disable_features(const Options &options);

}  // namespace awl
