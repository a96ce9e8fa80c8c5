// kprobe and kretprobe: entry (or any instruction) and return of functions of the kernel.
#include <fmt/format.h>
#include <unistd.h>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/kernel_functions.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kRegisterArgs = 6;
#else
constexpr uint32_t kRegisterArgs = 8;
#endif

class KprobeProvider : public Provider {
 public:
  explicit KprobeProvider(bool at_return) : return_(at_return) {}
  std::string_view name() const override { return return_ ? "kretprobe" : "kprobe"; }
  std::vector<std::string_view> aliases() const override { return {return_ ? "kr" : "k"}; }
  std::string_view syntax() const override {
    return return_ ? "kretprobe:[MODULE:]FUNCTION" : "kprobe:[MODULE:]FUNCTION[+OFFSET]";
  }
  std::string_view doc() const override {
    return return_ ? "return of a kernel function, with its result in `retval`"
                   : "entry of a kernel function, with its arguments in arg0, arg1, ...";
  }
  bool listed_by_default() const override { return !return_; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &, bool, const ProbeEnvironment &) const override {
    ProbeContext context;
    context.prog_type = ProgType::Kprobe;
    context.has_regs = true;
    context.has_func = true;
    context.filter_pid = true;
    context.has_retval = return_;
    if (!return_) {
      context.args_reach = ArgReach::Registers;
      context.arg_count = kRegisterArgs;
    }
    return context;
  }
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;

 private:
  [[nodiscard]] Error explain(Error error, const ProbeTarget &target) const;

  bool return_;
};

Result<ProbeTarget> KprobeProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const {
  if (parts.empty() || parts.size() > 2) return wrong_parts(*this, parts.size());
  ProbeTarget target;
  target.provider = name();
  if (parts.size() == 2) {
    if (parts[0].empty()) return fail("the name of the module is missing", fmt::format("write `{}`", syntax()));
    target.scope = parts[0];
  }
  TRY(parse_place(parts.back(), target));
  if (return_ && target.offset != 0)
    return fail("a kretprobe fires at the return: it takes no offset",
                "use `kprobe` for an instruction inside the function");
  if (target.has_address && !target.scope.empty()) return fail("an address needs no module");
  if (target.has_address && !env.unsafe)
    return fail("probing a kernel address is dangerous",
                "an address that is no instruction's start crashes the machine; allow it with --unsafe");
  if (target.wildcard() && target.offset != 0) return fail("a wildcard cannot have an offset");
  return target;
}

Result<std::vector<ProbeTarget>> KprobeProvider::expand(const ProbeTarget &target, const ProbeEnvironment &env) const {
  if (target.has_address) return std::vector<ProbeTarget>{target};
  if (target.wildcard()) {
    std::vector<ProbeTarget> out;
    for (KernelFunction &function : TRY(kernel_functions(target.scope, target.name, env.roots))) {
      ProbeTarget one = target;
      one.name = std::move(function.name);
      // A module that was not asked for is not shown; a function of that name is probed wherever it is.
      if (!target.scope.empty()) one.scope = function.module.empty() ? "vmlinux" : std::move(function.module);
      if (out.empty() || out.back().name != one.name || out.back().scope != one.scope) out.push_back(std::move(one));
    }
    if (out.empty())
      return fail(fmt::format("no kernel function matches `{}`", target.text().substr(target.provider.size() + 1)));
    return out;
  }
  if (TRY(kernel_function_exists(target.scope, target.name, env.roots))) return std::vector<ProbeTarget>{target};
  std::vector<std::string> candidates;
  for (KernelFunction &function : TRY(kernel_functions(target.scope, "*", env.roots)))
    candidates.push_back(std::move(function.name));
  if (!target.scope.empty() && candidates.empty())
    return fail(fmt::format("no kernel module `{}` with functions", target.scope), "is it loaded? See /proc/modules");
  auto error = unknown_name("kernel function", target.name, candidates);
  if (!target.scope.empty()) error.error().message += fmt::format(" in module `{}`", target.scope);
  return error;
}

std::string lockdown() {
  auto text = read_file("/sys/kernel/security/lockdown");
  return text && text->find("[confidentiality]") != std::string::npos ? "the kernel is locked down (confidentiality)"
                                                                      : "";
}

Error KprobeProvider::explain(Error error, const ProbeTarget &target) const {
  std::string shown = target.has_address ? fmt::format("0x{:x}", target.address) : target.name;
  switch (error.sys_errno) {
    case ENOENT:
      error.message = fmt::format("no kernel function `{}`", shown);
      error.hint = "it may have been inlined everywhere";
      break;
    case EADDRNOTAVAIL:
      error.message = fmt::format("several kernel functions are named `{}`", shown);
      error.hint = "name the module, or the address with --unsafe";
      break;
    case EINVAL:
      error.message = fmt::format("the kernel refuses to probe `{}`", shown);
      error.hint =
          "functions that probing itself needs are blacklisted (/sys/kernel/debug/kprobes/blacklist), and functions "
          "marked notrace";
      break;
    case EILSEQ: error.message = fmt::format("`{}+{}` is not the start of an instruction", shown, target.offset); break;
    case EPERM:
    case EACCES:
      error.message = fmt::format("not allowed to probe `{}`", shown);
      if (std::string reason = lockdown(); !reason.empty()) error.hint = std::move(reason);
      break;
    default: break;
  }
  return error;
}

Result<Attachment> KprobeProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  auto pmu = TRY(find_pmu("kprobe"));
  if (!pmu)
    return fail(fmt::format("this kernel has no {}s: it was built without CONFIG_KPROBE_EVENTS", name()),
                "use a tracepoint (-l 'tracepoint:*'), or another kernel");
  const ProbeTarget &target = place.target;
  bool in_module = !target.scope.empty() && target.scope != "vmlinux";
  std::string function = in_module ? target.scope + ":" + target.name : target.name;
  perf_event_attr attr{};
  attr.type = pmu->type;
  if (return_) attr.config |= uint64_t{1} << pmu->return_bit;
  if (target.has_address) {
    attr.kprobe_addr = target.address;
  } else {
    attr.kprobe_func = reinterpret_cast<uint64_t>(function.c_str());
    attr.probe_offset = target.offset;
  }
  int cpu = online_cpus().at(0);
  auto event = open_perf_event(attr, -1, cpu);
  if (!event && event.error().sys_errno == ENOENT && in_module) {
    // Some kernels around 6.6 count the bearers of "MODULE:FUNCTION" and find none.
    attr.kprobe_func = reinterpret_cast<uint64_t>(target.name.c_str());
    event = open_perf_event(attr, -1, cpu);
  }
  if (!event) return std::unexpected(explain(std::move(event).error(), target));
  return attach_to_perf_event(*event, options);
}

Result<std::vector<ListEntry>> KprobeProvider::list(const ProbeTarget &pattern, bool,
                                                    const ProbeEnvironment &env) const {
  if (!TRY(find_pmu("kprobe", env.roots.sysfs)))
    return fail("this kernel has no kprobes: it was built without CONFIG_KPROBE_EVENTS");
  std::vector<ListEntry> out;
  for (const KernelFunction &function :
       TRY(kernel_functions(pattern.scope, pattern.name.empty() ? "*" : pattern.name, env.roots))) {
    std::string module = pattern.scope.empty() ? "" : (function.module.empty() ? "vmlinux" : function.module) + ":";
    std::string text = fmt::format("{}:{}{}", name(), module, function.name);
    if (out.empty() || out.back().text != text) out.push_back({std::move(text), {}});
  }
  return out;
}

}  // namespace

const Provider &kprobe_provider() {
  static const KprobeProvider provider(false);
  return provider;
}

const Provider &kretprobe_provider() {
  static const KprobeProvider provider(true);
  return provider;
}

}  // namespace awl
