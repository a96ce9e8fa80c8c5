// Structs, unions, enums and typedefs that a script defines, laid out as gcc does (c_layout.h).
#pragma once

#include <memory>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "runtime/types/type_store.h"

namespace awl::ast {

// Source of the script's types (Origin::Script); to be added to the store before all others. Reports names that the
// script defines twice; of headers the first definition counts. Types of members are looked up through the store, when
// they are needed. A name of `unread` is an error for who asks for it.
std::unique_ptr<TypeSource> make_script_source(const std::vector<CType> &types, const std::vector<UnreadType> &unread,
                                               Diagnostics &diagnostics);

// Reports members whose type cannot be had, at their place in the script; not those of headers, which a script need not
// use. To be called when all sources are in the store.
void check_script_types(TypeStore &store, const std::vector<CType> &types, Diagnostics &diagnostics);

}  // namespace awl::ast
