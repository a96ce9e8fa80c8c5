#include <cassert>

#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

const Intrinsic *find_intrinsic(std::string_view name) {
  for (std::span<const Intrinsic> family :
       {builtin_intrinsics(), memory_intrinsics(), stack_intrinsics(), symbol_intrinsics(), network_intrinsics(),
        time_intrinsics(), print_intrinsics(), map_intrinsics(), control_intrinsics(), cgroup_intrinsics(),
        meta_intrinsics(), string_intrinsics(), unsafe_intrinsics(), path_intrinsics()})
    for (const Intrinsic &intrinsic : family)
      if (intrinsic.name == name) return &intrinsic;
  assert(false && "stdlib names an intrinsic that is not in the table");
  return nullptr;
}

}  // namespace awl::ast
