// What awl can be asked for: one function a command. Each gives the exit status and says itself what went wrong.
#pragma once

#include "arguments/options.h"

namespace awl {

int run_program(Options options);  // awl FILE, build, and -d, --emit-...
int check_files(Options options);  // check
int list_probes_command(const Options &options);
int info(const Options &options);
int explain(const Options &options);
int help(const Options &options);
int format_files(Options options);  // fmt
int completion(const Options &options);

}  // namespace awl
