// Where in a program a helper may fail unseen.
#pragma once

#include <vector>

#include "ast/typed/typed.h"

namespace awl::ast {

// Each place once for each helper, in the order of the programs: all with -k, else those that read text of user space.
std::vector<HelperSite> find_helper_sites(const typed::Module &module, bool all);

}  // namespace awl::ast
