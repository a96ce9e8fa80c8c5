// Which command was asked for.
#include <fmt/core.h>

#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/program.h"

using namespace awl;

namespace {

int run_command(int argc, char **argv) {
  Result<Options> options = parse_options(argc, argv);
  if (!options) return complain(options.error());
  for (const std::string &note : options->notes)
    if (!options->quiet) fmt::print(stderr, "awl: note: {}\n", note);
  switch (options->command) {
    case Command::Help: return help(*options);
    case Command::Explain: return explain(*options);
    case Command::Completion: return completion(*options);
    case Command::Format: return format_files(*std::move(options));
    case Command::Version: fmt::print("awl {}\n", AWL_VERSION); return 0;
    case Command::Info: return info(*options);
    case Command::RunImage: return run_written_image(*options);
    case Command::Check: return check_files(*std::move(options));
    case Command::Run:
    case Command::Build: break;
  }
  return options->list ? list_probes_command(*options) : run_program(*std::move(options));
}

}  // namespace

int main(int argc, char **argv) {
  return run_main("awl", [&] { return run_command(argc, argv); });
}
