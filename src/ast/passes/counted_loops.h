// Which `while` loops the verifier can follow turn by turn to their end.
#pragma once

#include "ast/passes/facts.h"

namespace awl::ast {

// True if the condition compares a variable with a constant, the variable starts at constants and changes by constants,
// and it stays in one function: it is not used across the bodies of loops that are functions of their own. `around` is
// the innermost of them around this loop, null if there is none.
bool is_counted(const While &loop, const Unit &unit, const Stmt *around, const CompileInput &input, const Facts &facts);

}  // namespace awl::ast
