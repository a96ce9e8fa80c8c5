// --follow: what the chosen processes start is chosen as well.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"
#include "runtime/session/shared_state.h"

namespace awl {

// A pid namespace as the kernel names it to programs.
struct PidNamespace {
  uint64_t inode = 0, device = 0;  // zeroes where the kernel does not tell
  [[nodiscard]] bool first() const { return inode == 0 || inode == 0xEFFFFFFC; }  // PROC_PID_INIT_INO
};

// Attaches programs that enter each child of a process of `map` {uint32 pid: uint32} into it before it runs, and take
// it out when the kernel frees it. Children that find no room in the map are counted in `lost`.
Result<std::vector<Attachment>> follow_children(int map, StatePlace lost, const ProbeEnvironment &env);

// Inside a pid namespace: the map has its numbers. Processes in namespaces below it are not followed.
Result<std::vector<Attachment>> follow_children_inside(int map, StatePlace lost, const PidNamespace &space,
                                                       const ProbeEnvironment &env);

// These processes and what they have started until now.
std::set<uint32_t> with_descendants(std::set<uint32_t> pids);

// Enters what these processes have started before.
Result<void> add_descendants(int map, const std::vector<uint32_t> &pids);

}  // namespace awl
