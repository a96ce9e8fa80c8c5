// Which command was asked for.
#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

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
  try {
    const int status = run_command(argc, argv);
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  } catch (const std::system_error &error) {  // of fmt::print
    errno = error.code().value();
  }
  return complain(
      Error{"cannot write the output" + (errno != 0 ? std::string(": ") + std::strerror(errno) : ""), {}, 0});
}
