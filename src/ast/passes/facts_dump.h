// What was inferred, for `-d types`.
#pragma once

#include <string>

#include "ast/passes/facts.h"

namespace awl::ast {

// Maps, then each program with its variables.
std::string dump(const CompileInput &input, const Facts &facts);

}  // namespace awl::ast
