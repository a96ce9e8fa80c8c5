// Readable tree, one node a line, for `-d ast` and golden tests.
#pragma once

#include <string>

#include "ast/nodes.h"

namespace awl::ast {

std::string dump(const Program &program);
std::string dump(const Expr *expr);

}  // namespace awl::ast
