// The command line, in one table: bpftrace's flags keep working.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace awl {

enum class Command { Run, Build, RunImage, Check, Help, Version, Info };

struct Options {
  Command command = Command::Run;
  std::optional<std::string> program;       // -e
  std::vector<std::string> words;           // file, pattern of -l, positional parameters
  std::vector<std::string> script_options;  // behind `--`: "--name=value"
  bool list = false;
  bool verbose = false;
  bool quiet = false;
  bool unsafe = false;
  bool dry_run = false;
  bool no_warnings = false;
  int pid = 0;
  std::string child;            // -c
  std::string output;           // -o
  std::string format = "text";  // -f
  std::string json_stacks = "text";
  std::string buffering = "line";  // -B
  std::vector<std::string> debug;  // -d
  std::string help_text;           // for Command::Help
};

// An error is a wrong command line, with what to do as its hint.
Result<Options> parse_options(int argc, char **argv);

}  // namespace awl
