// What the commands that take a script share: where it comes from, what is asked of compiler and run, how errors are
// told.
#pragma once

#include "arguments/run.h"
#include "base/diagnostic.h"
#include "base/result.h"
#include "base/source.h"
#include "driver.h"

namespace awl {

void print(const Diagnostics &diagnostics, const Source &source, const Options &options);
// A regular file, or a pipe that the shell made.
bool is_file(const std::string &path);

// The program: -e, a file, standard input, or, as in awk, the first argument itself. Takes its word out of the list.
Result<Source> take_source(Options &options);

CompileRequest compile_request(const Options &options);

}  // namespace awl
