// Deep copies of parts of the tree, with fresh ids, for functions and macros that are expanded in place.
#pragma once

#include "ast/nodes.h"

namespace awl::ast {

// The copies belong to `into`; null stays null.
Expr *clone(Program &into, const Expr *expr);
Stmt *clone(Program &into, const Stmt *stmt);
Block *clone(Program &into, const Block *block);
TypeName clone(Program &into, const TypeName &type);

}  // namespace awl::ast
