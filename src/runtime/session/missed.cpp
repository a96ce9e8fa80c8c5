#include "runtime/session/missed.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "base/strings.h"

namespace awl {

namespace {

constexpr size_t kLinkInfoSize = 128;  // of struct bpf_link_info with room to grow

template <class T>
T load(const std::vector<std::byte> &info, size_t at) {
  T value{};
  if (at + sizeof(value) <= info.size()) std::memcpy(&value, info.data() + at, sizeof(value));
  return value;
}

}  // namespace

// The installed header may be older than the kernel, so by offset: {u32 type, id, prog_id}, then at 16 for
//   kprobe_multi {u64 addrs; u32 count, flags; u64 missed}
//   perf_event {u32 type, unused; kprobe {u64 name; u32 name_len, offset; u64 addr, missed}}
// A kernel that does not know a member leaves it zero.
LinkMisses link_misses(const std::vector<std::byte> &info) {
  constexpr uint32_t kPerfEventLink = 7, kKprobeMultiLink = 8, kKprobe = 3, kKretprobe = 4;
  constexpr uint32_t kMultiReturn = 1;  // BPF_F_KPROBE_MULTI_RETURN
  LinkMisses out{load<uint32_t>(info, 8), 0, false};
  const auto type = load<uint32_t>(info, 0), event = load<uint32_t>(info, 16);
  if (type == kKprobeMultiLink) {
    out.count = load<uint64_t>(info, 32);
    out.returns = (load<uint32_t>(info, 28) & kMultiReturn) != 0;
  }
  if (type == kPerfEventLink && (event == kKprobe || event == kKretprobe)) {
    out.count = load<uint64_t>(info, 48);
    out.returns = event == kKretprobe;
  }
  return out;
}

std::vector<MissedEvents> missed_events(const LoadedObject &object, const Manifest &manifest,
                                        const AttachResult &attached) {
  std::map<uint32_t, MissedEvents> of_links;  // by id of the program
  for (const Attachment &attachment : attached.attachments) {
    for (const int fd : attachment.fds()) {
      std::vector<std::byte> info(kLinkInfoSize);
      uint32_t size = kLinkInfoSize;
      if (bpf_obj_get_info_by_fd(fd, info.data(), &size) != 0) continue;  // no link but a perf event
      info.resize(std::min<size_t>(size, info.size()));
      const LinkMisses misses = link_misses(info);
      MissedEvents &sum = of_links[misses.program];
      (misses.returns ? sum.crowded : sum.recursive) += misses.count;
    }
  }
  std::vector<MissedEvents> out;
  std::set<std::string> seen;
  for (const ProbeInfo &probe : manifest.probes) {
    // Of a session the kernel counts for the program that goes on in those of the script.
    const auto session = attached.sessions.find(&probe);
    const int fd = session == attached.sessions.end() ? object.program(probe.program) : session->second.fd();
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (fd < 0 || !seen.insert(probe.program).second || bpf_obj_get_info_by_fd(fd, &info, &size) != 0) continue;
    MissedEvents missed = of_links[info.id];
    missed.probe = &probe;
    missed.recursive += info.recursion_misses;
    if (missed.recursive + missed.crowded > 0) out.push_back(missed);
  }
  return out;
}

void report_missed(const std::vector<MissedEvents> &missed, Diagnostics &diagnostics) {
  for (const MissedEvents &events : missed) {
    const auto emit = [&](uint64_t count, const char *noun, const char *reason, const char *hint) {
      if (count == 0) return;
      diagnostics.emit(diag::EventsMissed, events.probe->span, events.probe->text, counted(count, noun), reason)
          .with_hint(hint);
    };
    emit(events.recursive, "event", "which came while a program ran on their CPU",
         "the kernel runs no program inside another; a shorter one leaves less of a gap");
    emit(events.crowded, "return", "of calls that were more at once than the kernel has room for",
         "fexit has no such limit; a probe at the entry sees every call");
  }
}

}  // namespace awl
