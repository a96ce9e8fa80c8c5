// Functions of C files that the script imports: what may be called, and how.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/passes/stdlib.h"
#include "base/diagnostic.h"
#include "runtime/types/type.h"

namespace awl::ast {

struct CFunction {
  Function declaration;  // as the function table has it: `of_c`, parameters as patterns
  std::vector<std::string> names;
  std::vector<const Type *> params;
  const Type *result = nullptr;  // kind Void: gives nothing
  std::string problem;           // why it cannot be called; "" if it can
};

// They stay where they are: the function table points at their declarations.
using CFunctions = std::deque<CFunction>;

// Makes them known under their names; reports those that are taken.
void declare_c_functions(CFunctions &all, FunctionTable &functions, Diagnostics &diagnostics);
const CFunction *find_c_function(const CFunctions &all, const Function *declaration);

}  // namespace awl::ast
