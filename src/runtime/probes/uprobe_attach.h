// Attaching to places in user programs: shared by uprobe, uretprobe and usdt.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "runtime/probes/provider.h"
#include "runtime/symbols/elf_file.h"

namespace awl {

// Virtual address in the file at which a uprobe fires whose function, or given address, is at `address`: behind its
// offset, or behind an `endbr64` that costs more than the instruction after it.
uint64_t firing_address(const ElfFile &elf, const ProbeTarget &target, uint64_t address);

Result<Attachment> attach_uprobe(const AttachPlace &place, const AttachOptions &options, bool at_return);

// One link for all places of a file (Linux 6.6). The program is loaded with this expected_attach_type.
constexpr uint32_t kUprobeMultiAttachType = 48;    // BPF_TRACE_UPROBE_MULTI
constexpr uint32_t kUprobeSessionAttachType = 57;  // BPF_TRACE_UPROBE_SESSION, with options.session (Linux 6.13)
Result<Attachment> attach_uprobe_multi(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                       const AttachOptions &options, bool at_return);

}  // namespace awl
