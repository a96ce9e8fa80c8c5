// Deep copies of parts of the tree, with fresh ids, for functions and macros that are expanded in place.
#pragma once

#include <functional>

#include "ast/nodes.h"

namespace awl::ast {

// The copies belong to `into`; null stays null.
Expr *clone(Program &into, const Expr *expr);
Stmt *clone(Program &into, const Stmt *stmt);
Block *clone(Program &into, const Block *block);
TypeName clone(Program &into, const TypeName &type);

// What becomes of the nodes of a macro's body.
struct Substitution {
  std::function<Expr *(const Expr *)> replace;  // what stands for an expression, null: a copy of it
  std::function<void(Node *)> adjust;           // applied to each copy
};
Block *clone(Program &into, const Block *block, const Substitution &substitution);

}  // namespace awl::ast
