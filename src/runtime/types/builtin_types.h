// Type names that mean the same on every kernel: the language's own, C's, and common typedefs.
#pragma once

#include <string_view>

#include "runtime/types/type_store.h"

namespace awl {

// "uint64", "string", "inet", "count_t", "unsigned long int", "size_t", "__u32"; null if not one.
const Type *builtin_type(TypeStore &store, std::string_view name);

// "pid_t", "umode_t": as the kernel's headers on x86-64 have them; null if not one. For kernels without BTF.
const Type *common_typedef(TypeStore &store, std::string_view name);

// Names for did-you-mean.
std::vector<std::string> builtin_type_names();

}  // namespace awl
