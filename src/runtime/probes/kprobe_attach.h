// Attaching to kernel functions: shared by kprobe and kretprobe.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

Result<Attachment> attach_kprobe(const AttachPlace &place, const AttachOptions &options, bool at_return);

// One link for all functions (Linux 5.18, with CONFIG_FPROBE): entries and returns, no offsets and no bare addresses.
// The program is loaded with this expected_attach_type. The kernel takes all or none.
constexpr uint32_t kKprobeMultiAttachType = 42;    // BPF_TRACE_KPROBE_MULTI
constexpr uint32_t kKprobeSessionAttachType = 56;  // BPF_TRACE_KPROBE_SESSION, with options.session (Linux 6.10)
Result<Attachment> attach_kprobe_multi(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                       const AttachOptions &options, bool at_return);

}  // namespace awl
