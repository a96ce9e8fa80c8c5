// Attaching to places in user programs: shared by uprobe, uretprobe and usdt.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

Result<Attachment> attach_uprobe(const AttachPlace &place, const AttachOptions &options, bool at_return);

// One link for all places of a file (Linux 6.6). The program is loaded with this expected_attach_type.
constexpr uint32_t kUprobeMultiAttachType = 48;    // BPF_TRACE_UPROBE_MULTI
constexpr uint32_t kUprobeSessionAttachType = 57;  // BPF_TRACE_UPROBE_SESSION, with options.session (Linux 6.13)
Result<Attachment> attach_uprobe_multi(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                       const AttachOptions &options, bool at_return);

}  // namespace awl
