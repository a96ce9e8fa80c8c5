// Parameters of a script that a written Image leaves open: numbers and flags that are used as values alone. They are
// words of awl_params, set before the programs are loaded.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "runtime/image/manifest.h"

namespace awl::ast {

class OpenParams {
 public:
  // `fixed`: names that must not be open, and why.
  explicit OpenParams(std::map<std::string, std::string> fixed) : fixed_(std::move(fixed)) {}

  // An option that the script asks for, with the literal that it is: what takes the place of the call.
  Expr *take_option(Program &program, const std::string &name, Expr *literal, Span span);
  // All `$1` and `$#` of the program.
  void take_positional(const Program &program, const std::vector<std::string> &given);

  // The parameter behind a PositionalParam, if it is open.
  [[nodiscard]] const ScriptParam *find(uint32_t number) const;
  // All, as the Manifest has them.
  [[nodiscard]] const std::vector<ScriptParam> &all() const { return all_; }

 private:
  ScriptParam &add(uint32_t number, ScriptParam param, const std::string &why_fixed);

  std::map<std::string, std::string> fixed_;
  std::vector<ScriptParam> all_;
  std::map<uint32_t, size_t> by_number_;
  uint32_t open_ = 0;
};

}  // namespace awl::ast
