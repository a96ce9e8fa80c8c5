// `awl -l 'struct NAME'`: types of the kernel.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/types/type_store.h"

namespace awl {

// "struct x", "union *", "enum y*"
bool is_type_pattern(std::string_view pattern);
// One name a line; with `verbose` the definitions. An error if nothing matches.
Result<std::string> list_types(std::string_view pattern, bool verbose, TypeStore &store);

}  // namespace awl
