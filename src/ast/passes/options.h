// Options of scripts: getopt() is known when the program is compiled and becomes a literal.
#pragma once

#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/passes/open_params.h"
#include "base/diagnostic.h"

namespace awl::ast {

struct ScriptOption {
  std::string name;
  const Expr *fallback = nullptr;  // a literal
  std::string description;
  Span span;  // where it is asked for first
};

// Replaces each getopt() by its value; `given` are the words behind `--`: "--name=value", "--flag". Gives the options
// in the order of the script. Those that `open` takes are not known before the program is run.
std::vector<ScriptOption> read_options(Program &program, const std::vector<std::string> &given, OpenParams *open,
                                       Diagnostics &diagnostics);

// What `-- --help` prints.
std::string options_help(const std::vector<ScriptOption> &options);

}  // namespace awl::ast
