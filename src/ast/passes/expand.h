// Expansion: macros of the script, and functions of the standard library that have a body, are put in place of their
// calls, as is what is known of config variables. After this the tree does not change any more.
#pragma once

#include "ast/nodes.h"
#include "ast/passes/stdlib.h"
#include "base/diagnostic.h"
#include "base/source.h"
#include "runtime/image/manifest.h"

namespace awl::ast {

// Each use of a macro becomes an expansion of the Source. False if the macros grow without end: what there is of the
// program then is worth no further look.
bool expand(Program &program, FunctionTable &functions, const ConfigValues &config, Source &source,
            Diagnostics &diagnostics);

}  // namespace awl::ast
