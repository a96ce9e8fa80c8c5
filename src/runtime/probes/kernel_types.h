// The kernel's types as sources of a TypeStore.
#pragma once

#include "runtime/probes/provider.h"

namespace awl {

// Adds tracepoint formats and BTF; nothing is read before it is asked for.
void add_kernel_types(TypeStore &store, const ProbeRoots &roots = {});

}  // namespace awl
