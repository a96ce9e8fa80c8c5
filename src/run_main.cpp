// awl-run: runs a written Image and nothing else. It holds no compiler: no LLVM, no parser, no tree.
#include <fmt/core.h>

#include <cstdio>

#include "arguments/option_table.h"
#include "arguments/run.h"

using namespace awl;

namespace {

constexpr std::string_view kName = "awl-run";

int run_command(int argc, char **argv) {
  Result<Options> options = parse_options(argc, argv, Tool::Runner);
  if (!options) return complain(options.error(), kName);
  for (const std::string &note : options->notes)
    if (!options->quiet) fmt::print(stderr, "{}: note: {}\n", kName, note);
  if (options->command == Command::Help) fmt::print("{}", runner_help());
  if (options->command == Command::Version) fmt::print("{} {}\n", kName, AWL_VERSION);
  return options->command == Command::RunImage ? run_written_image(*options, kName) : 0;
}

}  // namespace

int main(int argc, char **argv) {
  return run_main(kName, [&] { return run_command(argc, argv); });
}
