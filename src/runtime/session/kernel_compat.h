// Calls of the bpf system call that are newer than libbpf 1.1.2.
#pragma once

#include <cstdint>

namespace awl {

// BPF_LINK_CREATE of several user probes at once (BPF_TRACE_UPROBE_MULTI, Linux 6.6). A descriptor, or -errno.
struct UprobeMultiLink {
  const char *path = nullptr;
  const uint64_t *offsets = nullptr;
  const uint64_t *ref_ctr_offsets = nullptr;
  const uint64_t *cookies = nullptr;
  uint32_t count = 0;
  uint32_t flags = 0;  // 1: return probes
  uint32_t pid = 0;
};
int create_uprobe_multi_link(int prog_fd, const UprobeMultiLink &link);

constexpr uint32_t kTraceUprobeMulti = 48;  // enum bpf_attach_type of Linux 6.6

}  // namespace awl
