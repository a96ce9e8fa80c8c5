// printf in a pinned iterator: its text is made by the kernel, for whoever reads the file.
#pragma once

#include "ast/passes/lowering.h"

namespace awl::ast {

// The format was checked by the type rule. What the kernel cannot show is an error with a hint.
void print_to_reader(Lowering &low, const CallSite &call);

}  // namespace awl::ast
