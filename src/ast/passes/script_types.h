// Structs, unions, enums and typedefs that a script defines, laid out as gcc does on x86-64.
#pragma once

#include <memory>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "runtime/types/type_store.h"

namespace awl::ast {

// Source of the script's types (Origin::Script); to be added to the store before all others. Reports names that are
// defined twice. Types of members are looked up through the store, when they are needed.
std::unique_ptr<TypeSource> make_script_source(const std::vector<CType> &types, Diagnostics &diagnostics);

// Reports members whose type cannot be had, at their place in the script. To be called when all sources are in the
// store.
void check_script_types(TypeStore &store, const std::vector<CType> &types, Diagnostics &diagnostics);

}  // namespace awl::ast
