// Macros of the script: which one a call means, and its body with the arguments in place.
//
// `x` stands for the argument's expression, as often as the body has it; `$v` and `@m` are the variable and the map
// that the caller names. Everything else in the body is the macro's own: its variables are new ones at each call.
#pragma once

#include <string>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"

namespace awl::ast {

class MacroTable {
 public:
  // Reports macros that are defined twice, and bodies that use maps of others.
  MacroTable(const Program &program, Diagnostics &diagnostics);

  [[nodiscard]] bool has(std::string_view name) const;
  // The macro whose parameters take these arguments, the one that says more of them first; null if there is none.
  [[nodiscard]] const Macro *find(std::string_view name, const std::vector<Expr *> &args) const;
  [[nodiscard]] std::vector<const Macro *> all(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  const std::vector<Macro> *macros_;
};

// The body as a value, for the expansion with that number in the Source.
Expr *instantiate(Program &program, const Macro &macro, const std::vector<Expr *> &args, uint32_t expansion, Span call);

// "scale(x, $v, @m)"
std::string signature(const Macro &macro);

}  // namespace awl::ast
