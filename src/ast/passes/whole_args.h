// `args` that stands alone is a value: a record of all its members.
#pragma once

#include "ast/nodes.h"
#include "ast/passes/bind.h"

namespace awl::ast {

// Puts `(dfd = args.dfd, filename = args.filename, ...)` in place of each `args` of which no member is named, so that
// it can be printed, kept in variables and maps, be a key and be handed over. What a tracepoint's record has for the
// kernel's own bookkeeping (common_...) is left out. In casts, sums and `sizeof`, `args` stays what it is.
void spell_out_args(Program &program, TypeStore &store, Unit &unit);

}  // namespace awl::ast
