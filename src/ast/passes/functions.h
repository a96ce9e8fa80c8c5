// Functions of the script: their names, and who calls whom.
#pragma once

#include <vector>

#include "ast/passes/bind.h"
#include "ast/passes/stdlib.h"

namespace awl::ast {

// Makes the functions known to `functions`.
void declare_functions(const Program &program, FunctionTable &functions, Diagnostics &diagnostics);

// Appends a unit for each function to those of the probes, behind the functions that it calls.
void bind_functions(Program &program, FunctionTable &functions, std::vector<Unit> &units, Diagnostics &diagnostics);

}  // namespace awl::ast
