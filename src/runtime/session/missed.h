// Events for which the kernel did not run a program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/image/manifest.h"
#include "runtime/session/attach.h"
#include "runtime/session/loader.h"

namespace awl {

struct MissedEvents {
  const ProbeInfo *probe = nullptr;  // the first of those that the program serves
  uint64_t recursive = 0;            // came while a program ran on their CPU
  uint64_t crowded = 0;  // returns of calls for which the kernel had no room; may have recursive ones among them
};

// As the kernel counts them: programs of tracing (Linux 5.12) and of tracepoints (6.7) that would have interrupted a
// program on the same CPU; kprobes inside kprobes, and kretprobes with more calls under way than there is room for
// (6.7). In the order of the probes, those without any left out.
std::vector<MissedEvents> missed_events(const LoadedObject &object, const Manifest &manifest,
                                        const AttachResult &attached);
// Says so to the user.
void report_missed(const std::vector<MissedEvents> &missed, Diagnostics &diagnostics);

// The count in what BPF_OBJ_GET_INFO_BY_FD says of a link (struct bpf_link_info), 0 for links that have none; and the
// id of the link's program.
struct LinkMisses {
  uint32_t program = 0;
  uint64_t count = 0;
  bool returns = false;  // of functions
};
LinkMisses link_misses(const std::vector<std::byte> &info);

}  // namespace awl
