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

#if defined(__aarch64__)
constexpr uint64_t kArgumentRegisters = 8;
#else
constexpr uint64_t kArgumentRegisters = 6;
#endif

Result<> check_aligned(const ProbeTarget &target) {
  if (!target.has_address || target.address % target.count == 0 || target.name == "x") return {};
  return fail(fmt::format("0x{:x} is not a multiple of {}", target.address, target.count),
              "the processor watches aligned addresses only");
}

// FUNCTION+argN: until the function is called there is no address; the session sees to it (ArgumentWatches).
class WatchpointProvider : public Provider {
 public:
  explicit WatchpointProvider(bool async) : async_(async) {}
  std::string_view name() const override { return async_ ? "asyncwatchpoint" : "watchpoint"; }
  std::vector<std::string_view> aliases() const override { return {async_ ? "aw" : "w"}; }
  std::string_view syntax() const override {
    return async_ ? "asyncwatchpoint:[BINARY:]FUNCTION+argN:LENGTH:MODE"
                  : "watchpoint:ADDRESS|[BINARY:]FUNCTION+argN:LENGTH:MODE";
  }
  std::string_view doc() const override {
    return async_ ? "the same without stopping the process when the function is called"
                  : "reads, writes or execution (MODE r, w, rw, x) of 1, 2, 4 or 8 bytes at an address";
  }

  size_t path_part() const override { return 1; }
  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  std::string text(const ProbeTarget &target) const override;
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
  Result<std::vector<AttachPlace>> places(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  bool attaches_forward() const override { return true; }
  bool in_user_code() const override { return true; }
  Watching watching() const override { return async_ ? Watching::CallerGoesOn : Watching::StopsCaller; }
  bool listed_by_syntax() const override { return true; }

 private:
  Result<> parse_what(const std::vector<std::string> &parts, ProbeTarget &target) const;

  bool async_;
};

// ADDRESS or [BINARY:]FUNCTION+argN, which stands in front of the last two parts.
Result<> WatchpointProvider::parse_what(const std::vector<std::string> &parts, ProbeTarget &target) const {
  const std::string &what = parts[parts.size() - 3];
  const size_t plus = what.rfind('+');
  if (plus == std::string::npos) {
    const auto address = parse_unsigned(what);
    if (parts.size() != 3 || !address)
      return fail(fmt::format("`{}` is not an address", what), fmt::format("write `{}`", syntax()));
    target.has_address = true;
    target.address = *address;
    return {};
  }
  const std::string_view argument = std::string_view(what).substr(plus + 1);
  const auto number = argument.starts_with("arg") ? parse_unsigned(argument.substr(3)) : std::nullopt;
  if (!number) return fail(fmt::format("`{}` is no argument of a function", argument), "write `FUNCTION+arg0`");
  if (*number >= kArgumentRegisters)
    return fail(fmt::format("arg{} of a function is on the stack", *number),
                fmt::format("arg0 to arg{} can be watched", kArgumentRegisters - 1));
  if (parts.size() == 4) target.scope = parts[0];
  target.space = what.substr(0, plus);
  target.offset = *number;
  if (target.space.empty()) return fail("the name of the function is missing");
  if (target.wildcard()) return fail(fmt::format("`{}` takes no wildcard", name()));
  return {};
}

Result<ProbeTarget> WatchpointProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const {
  if (parts.size() != 3 && parts.size() != 4) return wrong_parts(*this, parts.size());
  ProbeTarget target;
  target.provider = name();
  TRY(parse_what(parts, target));
  const std::string &bytes = parts[parts.size() - 2], &mode = parts.back();
  auto length = parse_unsigned(bytes);
  if (!length || (*length != 1 && *length != 2 && *length != 4 && *length != 8))
    return fail(fmt::format("cannot watch `{}` bytes", bytes), "the length is 1, 2, 4 or 8");
  auto access = access_type(mode);
  if (!access) return fail(fmt::format("`{}` is not a mode", mode), "modes are r, w, x and rw");
#if defined(__x86_64__)
  if (*access == HW_BREAKPOINT_R)
    return fail("this processor cannot watch reads alone", "use `rw` and tell them apart by the value");
  if ((*access & HW_BREAKPOINT_X) && *access != HW_BREAKPOINT_X)
    return fail("this processor watches either execution or data", "use two watchpoints");
  if (*access == HW_BREAKPOINT_X && *length != sizeof(long))
    return fail("execution is watched with length 8 on this processor");
#endif
  target.count = *length;
  target.name = mode;
  TRY(check_aligned(target));
  return target;
}

std::string WatchpointProvider::text(const ProbeTarget &target) const {
  const std::string binary = target.scope.empty() ? "" : quote_part(target.scope) + ":";
  const std::string what = target.has_address ? fmt::format("0x{:x}", target.address)
                                              : fmt::format("{}+arg{}", quote_part(target.space), target.offset);
  return fmt::format("{}:{}{}:{}:{}", target.provider, binary, what, target.count, target.name);
}

// Where the function of an argument is entered; of an address there is nothing to find.
Result<std::vector<AttachPlace>> WatchpointProvider::places(const ProbeTarget &target,
                                                            const ProbeEnvironment &env) const {
  if (target.has_address) return Provider::places(target, env);
  if (env.attach_pid == 0 && env.child_pid == 0) {
    const bool several = !env.pids.empty() || !env.child_program.empty();
    return fail("an argument is watched in one process",
                several ? "name one with -p or -c, without --follow" : "give it with -p PID, or start it with -c");
  }
  const Provider &functions = uprobe_provider();
  ProbeTarget function;
  function.provider = functions.name();
  function.name = target.space;
  function.scope = target.scope.empty() ? env.child_program : target.scope;
  std::vector<AttachPlace> out;
  for (const ProbeTarget &one : TRY(functions.expand(function, env)))
    for (AttachPlace &place : TRY(functions.places(one, env))) {
      place.target = target;
      place.target.scope = one.scope;
      out.push_back(std::move(place));
    }
  return out;
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
  TRY(check_aligned(place.target));
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
  const std::vector<int> threads = user ? threads_of(options.pid) : std::vector<int>{};
  if (user && threads.empty()) return fail_errno(fmt::format("process {}", options.pid), ESRCH);
  auto attachment = user ? attach_to_tasks(attr, threads, options) : attach_on_cpus(attr, online_cpus(), options);
  if (!attachment && attachment.error().sys_errno == ENOSPC) {
    attachment.error().message = "all debug registers are in use";
    attachment.error().hint = "x86-64 has four, and a debugger may hold some";
  }
  return attachment;
}

}  // namespace

const Provider &watchpoint_provider() {
  static const WatchpointProvider provider(false);
  return provider;
}

const Provider &async_watchpoint_provider() {
  static const WatchpointProvider provider(true);
  return provider;
}

}  // namespace awl
