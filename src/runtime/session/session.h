// A Session loads an Image, attaches its probes, handles its records until it ends, and prints its maps.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "runtime/image/manifest.h"
#include "runtime/output/output.h"
#include "runtime/probes/provider.h"
#include "runtime/session/attach.h"
#include "runtime/session/process_filter.h"

namespace awl {

struct RunOptions {
  ProcessFilter processes;
  std::string command;  // -c: a command line with shell-like quoting, no shell
  bool json = false;
  bool folded = false;
  bool json_frames = false;  // stacks in JSON as lists of frames
  bool quiet = false;
  bool verbose = false;
  bool dry_run = false;    // stop after attaching
  bool load_only = false;  // stop after loading
  bool unsafe = false;
  Buffering buffering = Buffering::Line;
  std::string output_file;  // -o
  Selection selection;      // which of the probes: --test, --bench, --probe-filter
  ProbeRoots roots;
  std::vector<std::string> debug_folders;   // asked for separate debug files before /usr/lib/debug
  std::vector<std::string> params;          // of the script, where the program leaves them open: positional ones
  std::vector<std::string> script_options;  // and "--name=value"
  bool show_libbpf = false;                 // -d libbpf
  bool show_verifier = false;               // -d verifier
};

// Runs to the end. The result is awl's exit status: 0, the argument of exit(), 1 after a diagnostic or a failed test,
// 130 if a signal came while probes were attached or SIGINT twice. How a failed command of -c ended is told on stderr
// and leaves the status alone. Diagnostics of load, attach and run time are printed as they come. Does not return if
// anything is attached: the process ends at once, and a child goes on detaching in the background.
int run_image(const Image &image, TypeStore &store, const RunOptions &options);

}  // namespace awl
