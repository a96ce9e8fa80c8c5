// Names of scratch variables: which local each `$x` is.
//
// A variable set without `let` belongs to the whole probe, as in scripts before block scoping, so it may be set in an
// inner block and read outside. Where each block sets it before it reads it, as scripts since block scoping do, it is
// one of each block and may have another type in each. `let` opens a variable of its block, `for` one of its body.
#pragma once

#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/passes/bind.h"
#include "ast/passes/stdlib.h"
#include "base/diagnostic.h"

namespace awl::ast {

struct LocalFacts {
  std::string name;
  Span first;                          // where it is named first
  const TypeName *declared = nullptr;  // by let
  uint32_t assignments = 0;
  uint32_t reads = 0;
  bool introduced = false;        // by let without a value: zero until it is set
  bool single_top_level = false;  // assigned once, by a statement of the probe's outermost block
};

// `string` without a size, in the signature of a function.
inline bool is_open_string(const TypeName &type) {
  return type.name == "string" && type.array.empty() && type.pointers == 0;
}

// Locals of each unit, and the index in it of every Variable node.
struct Names {
  std::vector<std::vector<LocalFacts>> locals;  // by unit
  NodeTable<uint32_t> local_of;                 // of Variable nodes
};

Names resolve_names(const std::vector<Unit> &units, FunctionTable &functions, Diagnostics &diagnostics);

// Warns of variables that are set and never read.
void warn_unused(const Names &names, Diagnostics &diagnostics);

}  // namespace awl::ast
