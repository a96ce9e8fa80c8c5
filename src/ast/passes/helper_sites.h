// Where in a program a helper may fail unseen.
#pragma once

#include <vector>

#include "ast/typed/typed.h"

namespace awl::ast {

// Each place once for each helper, in the order of the programs.
std::vector<HelperSite> find_helper_sites(const typed::Module &module);

}  // namespace awl::ast
