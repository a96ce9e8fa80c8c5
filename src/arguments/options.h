// The command line: bpftrace's flags keep working, `alias bpftrace=awl` is a supported use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace awl {

enum class Command { Run, Build, RunImage, Check, Format, Explain, Info, Help, Completion, Version };

struct Options {
  Command command = Command::Run;
  std::optional<std::string> program;       // -e
  std::vector<std::string> words;           // file, pattern of -l, positional parameters, arguments of a command
  std::vector<std::string> script_options;  // behind `--`: "--name=value", for getopt()
  std::vector<std::string> behind;          // the other words behind `--`: positional parameters
  bool list = false;
  bool verbose = false;
  bool quiet = false;
  bool unsafe = false;
  bool dry_run = false;
  bool no_warnings = false;
  int warnings = 0;                     // -k: 1, -kk: 2
  std::vector<int> pids;                // -p
  bool follow = false;                  // --follow
  std::vector<std::string> comms;       // --comm
  std::vector<std::string> cgroups;     // --cgroup
  std::vector<std::string> containers;  // --container
  std::string child;                    // -c
  std::string output;                   // -o
  std::string format = "text";          // -f
  std::string json_stacks = "text";
  std::string buffering = "line";  // -B
  std::string mode;                // --mode: codegen, compiler-bench, bench, test, format; "" for a usual run
  std::string probe_filter;        // regular expression
  std::vector<std::string> debug;  // -d: steps, names of debug_steps()
  std::vector<std::string> without_features;  // --no-feature
  std::vector<std::string> include_dirs;      // -I
  std::vector<std::string> include_files;     // --include
  std::vector<std::string> debuginfo_dirs;    // --debuginfo
  std::string traceable_functions;            // --traceable-functions
  std::string emit_elf;
  std::string emit_llvm;
  bool verify_llvm_ir = false;
  bool in_place = false;           // fmt -i
  bool check = false;              // fmt --check
  bool markdown = false;           // help --markdown
  std::vector<std::string> notes;  // about options that were accepted and do nothing
};

// awl-run knows the options of runs alone, and no commands.
enum class Tool { Awl, Runner };

// An error is a wrong command line, with what to do as its hint.
Result<Options> parse_options(int argc, char **argv, Tool tool = Tool::Awl);

}  // namespace awl
