#include "runtime/probes/uprobe_attach.h"

#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>

#include "runtime/probes/perf_event.h"
#include "runtime/symbols/zip_archive.h"

namespace awl {

namespace {

// A function that may be called through a pointer begins with `endbr64`, which does nothing. The kernel has to
// single-step it, which costs ten times as much as an instruction that it can emulate, such as the push that mostly
// follows. There the arguments, the stack and the return address are still those of the call.
uint64_t bytes_to_cheaper([[maybe_unused]] std::string_view code) {
#if defined(__x86_64__)
  constexpr std::string_view kEndBranch = "\xf3\x0f\x1e\xfa";
  if (!code.starts_with(kEndBranch) || code.size() < kEndBranch.size() + 2) return 0;
  const auto first = static_cast<uint8_t>(code[kEndBranch.size()]);
  const auto second = static_cast<uint8_t>(code[kEndBranch.size() + 1]);
  const auto is_push = [](uint8_t byte) { return byte >= 0x50 && byte <= 0x57; };
  return is_push(first) || (first == 0x41 && is_push(second)) ? kEndBranch.size() : 0;
#else
  return 0;
#endif
}

Error explain(Error error, const AttachPlace &place, const AttachOptions &options) {
  constexpr int kNotSupported = 524;  // ENOTSUPP, the kernel's own
  switch (error.sys_errno) {
    case ESRCH: error.message = fmt::format("no process {}", options.pid); break;
    case ENOENT: error.message = fmt::format("`{}` is gone", place.target.scope); break;
    case kNotSupported:
    case EOPNOTSUPP:
      error.message = fmt::format("the kernel cannot probe the instruction at file offset 0x{:x} of `{}`",
                                  place.file_offset, place.target.scope);
      break;
    case EINVAL:
      error.message =
          fmt::format("the kernel refuses to probe file offset 0x{:x} of `{}`", place.file_offset, place.target.scope);
      if (place.semaphore_offset != 0) error.hint = "is another tracer using this marker with other settings?";
      break;
    default: break;
  }
  return error;
}

// The part of union bpf_attr that BPF_LINK_CREATE reads; the installed headers are older than uprobe_multi.
struct UprobeMultiAttr {
  uint32_t prog_fd, target_fd, attach_type, flags;
  uint64_t path, offsets, semaphores, cookies;
  uint32_t count, multi_flags, pid, unused;
};
constexpr uint32_t kMultiReturn = 1;  // BPF_F_UPROBE_MULTI_RETURN

}  // namespace

uint64_t firing_address(const ElfFile &elf, const ProbeTarget &target, uint64_t address) {
  if (target.has_address || target.offset != 0) return address + target.offset;
  return address + bytes_to_cheaper(elf.bytes_at(address, 6));
}

Result<Attachment> attach_uprobe(const AttachPlace &place, const AttachOptions &options, bool at_return) {
  auto pmu = TRY(find_pmu("uprobe"));
  if (!pmu)
    return fail("this kernel has no uprobes: it was built without CONFIG_UPROBE_EVENTS",
                "probe the kernel's side: tracepoint:syscalls:*");
  perf_event_attr attr{};
  attr.type = pmu->type;
  if (at_return) attr.config |= uint64_t{1} << pmu->return_bit;
  if (place.semaphore_offset != 0) {
    if (pmu->semaphore_shift == 0)
      return fail("this kernel cannot switch on markers that have a semaphore", "Linux 4.20 and later can");
    if (place.semaphore_offset >> 32 != 0)
      return fail(fmt::format("the semaphore of `{}` lies too far in the file", place.target.name));
    attr.config |= place.semaphore_offset << pmu->semaphore_shift;
  }
  const std::string file = split_binary_path(place.target.scope).file;
  attr.uprobe_path = reinterpret_cast<uint64_t>(file.c_str());
  attr.probe_offset = place.file_offset;
  bool one_process = options.pid > 0;
  auto event = open_perf_event(attr, one_process ? options.pid : -1, one_process ? -1 : online_cpus().at(0));
  if (!event) return std::unexpected(explain(std::move(event).error(), place, options));
  return attach_to_perf_event(*event, options);
}

Result<Attachment> attach_uprobe_multi(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                       const AttachOptions &options, bool at_return) {
  struct File {
    std::vector<uint64_t> offsets, semaphores, cookies;
    const AttachPlace *first = nullptr;
  };
  std::map<std::string, File> files;
  for (size_t i = 0; i < places.size(); i++) {
    File &file = files[split_binary_path(places[i].target.scope).file];
    file.offsets.push_back(places[i].file_offset);
    file.semaphores.push_back(places[i].semaphore_offset);
    file.cookies.push_back(cookies[i]);
    if (!file.first) file.first = &places[i];
  }
  std::vector<Attachment> done;
  for (auto &[path, file] : files) {
    UprobeMultiAttr attr{};
    attr.prog_fd = static_cast<uint32_t>(options.prog_fd);
    attr.attach_type = options.session ? kUprobeSessionAttachType : kUprobeMultiAttachType;
    attr.path = reinterpret_cast<uint64_t>(path.c_str());
    attr.offsets = reinterpret_cast<uint64_t>(file.offsets.data());
    attr.semaphores = reinterpret_cast<uint64_t>(file.semaphores.data());
    attr.cookies = reinterpret_cast<uint64_t>(file.cookies.data());
    attr.count = static_cast<uint32_t>(file.offsets.size());
    attr.multi_flags = at_return ? kMultiReturn : 0;
    attr.pid = static_cast<uint32_t>(options.pid);
    long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
    if (fd < 0) {
      Error error = fail_errno(fmt::format("attach to {} places of `{}`", file.offsets.size(), path)).error();
      return std::unexpected(file.offsets.size() == 1 ? explain(std::move(error), *file.first, options)
                                                      : std::move(error));
    }
    done.push_back(Attachment({static_cast<int>(fd)}));
  }
  std::vector<int> fds;
  for (Attachment &attachment : done) fds.push_back(attachment.release().at(0));
  return Attachment(std::move(fds));
}

}  // namespace awl
