// Config variables: the `config = { ... }` block and the environment, in one table.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "runtime/image/manifest.h"

namespace awl::ast {

struct ConfigVariable {
  std::string_view name;  // "max_strlen"; also accepted upper case and with BPFTRACE_ or AWL_ in front
  std::string_view doc;
  // Sets the value from text; the result is empty or says what was expected.
  std::string (*set)(ConfigValues &values, std::string_view text);
};
const std::vector<ConfigVariable> &config_variables();
// By its name in any spelling, or by its old one: BPFTRACE_STRLEN is max_strlen. Null if there is none.
const ConfigVariable *config_variable(std::string_view name);

// Looks a variable up in the environment; null if unset.
using Environment = std::function<const char *(const std::string &)>;

// The value that a script sees as `config.NAME`: a literal, null if there is no such variable.
Expr *config_literal(Program &program, const ConfigValues &values, std::string_view name, Span span);

// As `stack_mode` and the stacks' own parameter call it.
std::optional<StackMode> stack_mode_of(std::string_view word);

// Warns of the environment's BPFTRACE_ and AWL_ variables that look like misspelt ones.
void warn_environment(std::span<const std::string> names, Diagnostics &diagnostics);

// Defaults, then the block, then the environment, which wins.
ConfigValues read_config(const Program &program, const Environment &environment, Diagnostics &diagnostics);

}  // namespace awl::ast
