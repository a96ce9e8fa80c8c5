// watchpoint: the processor's debug registers watch an address.
#include <dirent.h>
#include <fmt/format.h>
#include <linux/hw_breakpoint.h>

#include <cerrno>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

constexpr uint64_t kKernelHalf = 1ULL << 63;

std::optional<uint32_t> access_type(std::string_view mode) {
  uint32_t type = 0;
  for (char c : mode) {
    uint32_t bit = c == 'r' ? HW_BREAKPOINT_R : c == 'w' ? HW_BREAKPOINT_W : c == 'x' ? HW_BREAKPOINT_X : 0;
    if (bit == 0 || (type & bit)) return std::nullopt;
    type |= bit;
  }
  return type == 0 ? std::nullopt : std::optional(type);
}

class WatchpointProvider : public Provider {
 public:
  std::string_view name() const override { return "watchpoint"; }
  std::vector<std::string_view> aliases() const override { return {"w"}; }
  std::string_view syntax() const override { return "watchpoint:ADDRESS:LENGTH:MODE"; }
  std::string_view doc() const override {
    return "reads, writes or execution (MODE r, w, rw, x) of 1, 2, 4 or 8 bytes at an address";
  }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &) const override {
    return std::vector<ProbeTarget>{target};
  }
  Result<ProbeContext> context(const ProbeTarget &, bool, const ProbeEnvironment &) const override {
    ProbeContext context;
    context.prog_type = ProgType::PerfEvent;
    context.has_regs = true;  // struct bpf_perf_event_data starts with them
    context.filter_pid = true;
    return context;
  }
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  bool listed_by_syntax() const override { return true; }
};

Result<ProbeTarget> WatchpointProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const {
  if (parts.size() == 2 || (!parts.empty() && parts[0].find("+arg") != std::string::npos))
    return fail("watchpoints take an address, not a function's argument",
                "probe the function, print the address, and watch it: `watchpoint:ADDRESS:8:w`");
  if (parts.size() != 3) return wrong_parts(*this, parts.size());
  ProbeTarget target;
  target.provider = name();
  auto address = parse_unsigned(parts[0]);
  if (!address) return fail(fmt::format("`{}` is not an address", parts[0]), fmt::format("write `{}`", syntax()));
  auto length = parse_unsigned(parts[1]);
  if (!length || (*length != 1 && *length != 2 && *length != 4 && *length != 8))
    return fail(fmt::format("cannot watch `{}` bytes", parts[1]), "the length is 1, 2, 4 or 8");
  auto access = access_type(parts[2]);
  if (!access) return fail(fmt::format("`{}` is not a mode", parts[2]), "modes are r, w, x and rw");
#if defined(__x86_64__)
  if (*access == HW_BREAKPOINT_R)
    return fail("this processor cannot watch reads alone", "use `rw` and tell them apart by the value");
  if ((*access & HW_BREAKPOINT_X) && *access != HW_BREAKPOINT_X)
    return fail("this processor watches either execution or data", "use two watchpoints");
  if (*access == HW_BREAKPOINT_X && *length != sizeof(long))
    return fail("execution is watched with length 8 on this processor");
#endif
  if (*address % *length != 0 && *access != HW_BREAKPOINT_X)
    return fail(fmt::format("0x{:x} is not a multiple of {}", *address, *length),
                "the processor watches aligned addresses only");
  target.has_address = true;
  target.address = *address;
  target.count = *length;
  target.name = parts[2];
  return target;
}

std::vector<int> threads_of(int pid) {
  std::vector<int> out;
  DIR *folder = opendir(fmt::format("/proc/{}/task", pid).c_str());
  if (!folder) return out;
  while (dirent *entry = readdir(folder))
    if (auto id = parse_unsigned(entry->d_name)) out.push_back(static_cast<int>(*id));
  closedir(folder);
  return out;
}

Result<Attachment> WatchpointProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_BREAKPOINT;
  attr.bp_type = access_type(place.target.name).value_or(HW_BREAKPOINT_W);
  attr.bp_addr = place.target.address;
  attr.bp_len = place.target.count;
  attr.sample_period = 1;
  bool user = place.target.address < kKernelHalf;
  if (user && options.pid == 0)
    return fail("an address of a process needs the process", "give it with -p PID, or start it with -c");
  attr.inherit = user;  // to threads that start later
  auto attachment =
      user ? attach_to_tasks(attr, threads_of(options.pid), options) : attach_on_cpus(attr, online_cpus(), options);
  if (!attachment && attachment.error().sys_errno == ENOSPC) {
    attachment.error().message = "all debug registers are in use";
    attachment.error().hint = "x86-64 has four, and a debugger may hold some";
  }
  return attachment;
}

}  // namespace

const Provider &watchpoint_provider() {
  static const WatchpointProvider provider;
  return provider;
}

}  // namespace awl
