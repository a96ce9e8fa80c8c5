// The types of all programs that a script probes, each read when it is asked about.
#pragma once

#include <string>
#include <vector>

#include "runtime/probes/user_types.h"

namespace awl {

// `folders` are asked for separate debug information before /usr/lib/debug (--debuginfo). The store owns the answer, as
// its last source: a name that nobody else knows is looked for in the programs that were asked about.
UserTypes *add_user_types(TypeStore &store, std::vector<std::string> folders = {});

}  // namespace awl
