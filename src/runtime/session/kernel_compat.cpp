#include "runtime/session/kernel_compat.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace awl {
namespace {

// union bpf_attr of Linux 6.6 as BPF_LINK_CREATE uses it; Debian 12's headers are those of 6.1.
struct LinkCreateUprobeMulti {
  uint32_t prog_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t link_flags;
  uint64_t path;
  uint64_t offsets;
  uint64_t ref_ctr_offsets;
  uint64_t cookies;
  uint32_t count;
  uint32_t flags;
  uint32_t pid;
  uint32_t padding;
};
static_assert(sizeof(LinkCreateUprobeMulti) == 64);

}  // namespace

int create_uprobe_multi_link(int prog_fd, const UprobeMultiLink &link) {
  LinkCreateUprobeMulti attr = {};
  attr.prog_fd = static_cast<uint32_t>(prog_fd);
  attr.attach_type = kTraceUprobeMulti;
  attr.path = reinterpret_cast<uint64_t>(link.path);
  attr.offsets = reinterpret_cast<uint64_t>(link.offsets);
  attr.ref_ctr_offsets = reinterpret_cast<uint64_t>(link.ref_ctr_offsets);
  attr.cookies = reinterpret_cast<uint64_t>(link.cookies);
  attr.count = link.count;
  attr.flags = link.flags;
  attr.pid = link.pid;
  const long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
  return fd < 0 ? -errno : static_cast<int>(fd);
}

}  // namespace awl
