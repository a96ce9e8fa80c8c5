#include "runtime/session/features.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/fd.h"
#include "runtime/probes/kprobe_attach.h"
#include "runtime/probes/uprobe_attach.h"
#include "runtime/session/empty_program.h"
#include "runtime/session/libbpf_options.h"

namespace awl {
namespace {

// What a trial found: 0 if it works, an errno otherwise. kAbsent stands for "this kernel does not have it".
constexpr int kAbsent = -1;

// Closes what a trial made and passes its errno on.
int closed(int fd_or_error) { return Fd(fd_or_error) ? 0 : -fd_or_error; }

// Links are tried on a target that cannot work: a kernel that knows them complains about the target.
int try_perf_link() {
  const Fd program = load_empty_program(BPF_PROG_TYPE_TRACEPOINT);
  if (program.get() < 0) return -program.get();
  auto opts = libbpf_options<bpf_link_create_opts>();
  opts.perf_event.bpf_cookie = 1;
  const int error = closed(bpf_link_create(program.get(), -1, BPF_PERF_EVENT, &opts));
  if (error == EBADF) return 0;
  return error == EINVAL || error == EOPNOTSUPP ? kAbsent : error;
}

int try_uprobe_link(bool session) {
  const Fd program =
      load_empty_program(BPF_PROG_TYPE_KPROBE, session ? kUprobeSessionAttachType : kUprobeMultiAttachType);
  if (program.get() < 0) return -program.get() == EINVAL ? kAbsent : -program.get();
  AttachPlace place;
  place.target.scope = "/";  // not a file
  AttachOptions options;
  options.prog_fd = program.get();
  options.session = session;
  const uint64_t cookie = 0;
  const Result<Attachment> attachment = attach_uprobe_multi({&place, 1}, {&cookie, 1}, options, false);
  const int error = attachment ? 0 : attachment.error().sys_errno;
  if (error == EBADF) return 0;
  return error == EINVAL || error == EOPNOTSUPP ? kAbsent : error;
}

// Kernels that choose by process refuse a number that cannot be one, before they look at the file.
int try_uprobe_multi_pid() {
  const Fd program = load_empty_program(BPF_PROG_TYPE_KPROBE, kUprobeMultiAttachType);
  if (program.get() < 0) return -program.get() == EINVAL ? kAbsent : -program.get();
  AttachPlace place;
  place.target.scope = "/";  // not a file
  AttachOptions options;
  options.prog_fd = program.get();
  options.pid = -1;
  const uint64_t cookie = 0;
  const Result<Attachment> attachment = attach_uprobe_multi({&place, 1}, {&cookie, 1}, options, false);
  const int error = attachment ? 0 : attachment.error().sys_errno;
  if (error == EINVAL) return 0;
  return error == EBADF || error == ESRCH ? kAbsent : error;
}

int try_kprobe_link(bool session) {
  const Fd program =
      load_empty_program(BPF_PROG_TYPE_KPROBE, session ? kKprobeSessionAttachType : kKprobeMultiAttachType);
  if (program.get() < 0) return -program.get() == EINVAL ? kAbsent : -program.get();
  AttachPlace place;
  place.target.name = "awl_no_such_function";
  AttachOptions options;
  options.prog_fd = program.get();
  options.session = session;
  const uint64_t cookie = 0;
  const Result<Attachment> attachment = attach_kprobe_multi({&place, 1}, {&cookie, 1}, options, false);
  const int error = attachment ? 0 : attachment.error().sys_errno;
  if (error == ESRCH || error == ENOENT) return 0;
  return error == EINVAL || error == EOPNOTSUPP ? kAbsent : error;
}

int try_kprobe_multi() { return try_kprobe_link(false); }
int try_kprobe_session() { return try_kprobe_link(true); }
int try_uprobe_multi() { return try_uprobe_link(false); }
int try_uprobe_session() { return try_uprobe_link(true); }

int try_ring_buffer() {
  const int error =
      closed(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "awl_probe", 0, 0, static_cast<uint32_t>(getpagesize()), nullptr));
  return error == EINVAL ? kAbsent : error;
}

int try_map_batch() {
  const Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "awl_probe", 4, 4, 1, nullptr));
  if (!map) return -map.get();
  uint32_t next = 0, key = 0, value = 0, count = 1;
  const int error = -bpf_map_lookup_batch(map.get(), nullptr, &next, &key, &value, &count, nullptr);
  if (error == 0 || error == ENOENT) return 0;  // the map is empty
  return error == EINVAL || error == EOPNOTSUPP || error == 524 /* ENOTSUPP */ ? kAbsent : error;
}

int try_raw_test_run() {
  const Fd program = load_empty_program(BPF_PROG_TYPE_RAW_TRACEPOINT);
  if (program.get() < 0) return -program.get();
  auto opts = libbpf_options<bpf_test_run_opts>();
  const int error = -bpf_prog_test_run_opts(program.get(), &opts);
  return error == EINVAL || error == EOPNOTSUPP || error == 524 ? kAbsent : error;
}

int try_file(const char *path) {
  if (access(path, R_OK) == 0) return 0;
  return errno == ENOENT ? kAbsent : errno;
}

int try_kprobes() { return try_file("/sys/bus/event_source/devices/kprobe/type"); }
int try_btf() { return try_file("/sys/kernel/btf/vmlinux"); }

struct Entry {
  Feature feature;
  const char *name;
  int (*attempt)();
  const char *absent;  // what to say when the kernel does not have it
};

constexpr std::array<Entry, kFeatureCount> kEntries = {{
    {Feature::PerfLink, "perf_link", try_perf_link, "since Linux 5.15"},
    {Feature::UprobeMulti, "uprobe_multi", try_uprobe_multi, "since Linux 6.6"},
    {Feature::UprobeMultiPid, "uprobe_multi_pid", try_uprobe_multi_pid, "since Linux 6.10"},
    {Feature::KprobeMulti, "kprobe_multi", try_kprobe_multi, "since Linux 5.18, with CONFIG_FPROBE"},
    {Feature::KprobeSession, "kprobe_session", try_kprobe_session, "since Linux 6.10, with CONFIG_FPROBE"},
    {Feature::UprobeSession, "uprobe_session", try_uprobe_session, "since Linux 6.13"},
    {Feature::RingBuffer, "ring_buffer", try_ring_buffer, "since Linux 5.8"},
    {Feature::MapBatch, "map_batch", try_map_batch, "since Linux 5.6"},
    {Feature::RawTestRun, "raw_test_run", try_raw_test_run, "since Linux 5.10"},
    {Feature::Kprobes, "kprobes", try_kprobes, "not configured (CONFIG_KPROBE_EVENTS)"},
    {Feature::Btf, "btf", try_btf, "not configured (CONFIG_DEBUG_INFO_BTF)"},
}};

FeatureReport report(const Entry &entry) {
  FeatureReport result{entry.feature, entry.name, false, {}, FeatureState::Present};
  const int error = entry.attempt();
  if (error == 0) {
    result.present = true;
  } else if (error == kAbsent) {
    result.state = FeatureState::NotConfigured;
    result.detail = entry.absent;
  } else if (error == EPERM || error == EACCES) {
    result.state = FeatureState::NotAllowed;
    result.detail = std::string("not allowed: ") + std::strerror(error);
  } else {
    result.state = FeatureState::Refused;
    result.detail = std::string("refused: ") + std::strerror(error);
  }
  return result;
}

std::array<std::optional<FeatureReport>, kFeatureCount> reports;

const FeatureReport &cached(size_t index) {
  if (!reports[index]) reports[index] = report(kEntries[index]);
  return *reports[index];
}

}  // namespace

bool has_feature(Feature feature) {
  for (size_t i = 0; i < kEntries.size(); i++)
    if (kEntries[i].feature == feature) return cached(i).present;
  return false;
}

bool disable_feature(std::string_view name) {
  for (size_t i = 0; i < kEntries.size(); i++) {
    if (name != kEntries[i].name) continue;
    reports[i] = {kEntries[i].feature, kEntries[i].name, false, "switched off", FeatureState::NotConfigured};
    return true;
  }
  return false;
}

std::vector<FeatureReport> all_features() {
  std::vector<FeatureReport> all;
  for (size_t i = 0; i < kEntries.size(); i++) all.push_back(cached(i));
  return all;
}

}  // namespace awl
