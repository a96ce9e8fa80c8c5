// From source text to Image: the pipeline of docs/architecture.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/source.h"
#include "parser/parser.h"
#include "runtime/image/manifest.h"
#include "runtime/probes/provider.h"
#include "runtime/types/type_store.h"

namespace awl {

class CCompiler;

struct CompileRequest {
  std::vector<std::string> params;   // positional parameters of the script
  std::vector<std::string> options;  // its options: "--name=value"
  std::vector<int> pids;             // -p: binaries of probes may be omitted then
  bool unsafe = false;
  bool helper_errors = false;               // -k: count failures of helpers by their place
  std::vector<std::string> include_dirs;    // -I
  std::vector<std::string> include_files;   // --include
  std::vector<std::string> debuginfo_dirs;  // --debuginfo
  bool verify_ir = false;                   // LLVM checks the code that was made
  bool unprivileged = false;                // warns of probes that only root can look up
  bool check_only = false;                  // stop after the checks
  bool use_environment = true;              // config variables from the environment
  ProbeRoots roots = {};                    // where the kernel shows itself; tests have their own
  // Not null: the script's parameters are left open, but for those with these names (and why). `param_names` gets all.
  const std::map<std::string, std::string> *fixed_params = nullptr;
  std::vector<std::string> *param_names = nullptr;
  CCompiler *c_compiler = nullptr;                      // of imported C files; null: one for this time
  std::string *options_help = nullptr;                  // filled, and nothing compiled, if the options ask for --help
  std::map<std::string, std::string> *dumps = nullptr;  // steps to write down, by the names of -d: "ast", "typed", ...
};

// Image of a script; the files that it imports are added to `source`; nullopt if there were errors (or with
// check_only).
std::optional<Image> compile(Source &source, const CompileRequest &request, TypeStore &store, Diagnostics &diagnostics);

// The same for a program that is written: parameters that are used as values alone can be given when it is run.
std::optional<Image> compile_for_image(Source &source, const CompileRequest &request, TypeStore &store,
                                       Diagnostics &diagnostics);

// Exact attach points of a script, as `awl -l SCRIPT` lists them.
std::vector<std::string> list_script(Source &source, const CompileRequest &request, TypeStore &store,
                                     Diagnostics &diagnostics);

}  // namespace awl
