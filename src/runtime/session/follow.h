// --follow: what the chosen processes start is chosen as well.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

// Attaches programs that enter each child of a process of `map` {uint32 pid: uint32} into it before it runs, and take
// it out when the kernel frees it.
Result<std::vector<Attachment>> follow_children(int map, const ProbeEnvironment &env);

// Enters what these processes have started before.
Result<void> add_descendants(int map, const std::vector<uint32_t> &pids);

}  // namespace awl
