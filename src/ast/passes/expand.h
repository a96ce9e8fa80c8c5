// Expansion: functions of the standard library that have a body are put in place of their calls. After this
// the tree does not change any more.
#pragma once

#include "ast/nodes.h"
#include "ast/passes/stdlib.h"

namespace awl::ast {

void expand(Program &program, FunctionTable &functions);

}  // namespace awl::ast
