// kprobe and kretprobe: entry (or any instruction) and return of functions of the kernel.
#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/context_record.h"
#include "runtime/probes/kernel_functions.h"
#include "runtime/probes/kprobe_attach.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/providers.h"
#include "runtime/probes/renamed_functions.h"

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
  Result<> available(const ProbeEnvironment &env) const override {
    if (TRY(find_pmu("kprobe", env.roots.sysfs))) return {};
    return fail("this kernel has no kprobes: it was built without CONFIG_KPROBE_EVENTS");
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
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override {
    return attach_kprobe(place, options, return_);
  }
  uint32_t multi_attach_type(const ProbeTarget &target) const override {
    return target.has_address || target.offset != 0 ? 0 : kKprobeMultiAttachType;
  }
  Result<Attachment> attach_many(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                 const AttachOptions &options) const override {
    return attach_kprobe_multi(places, cookies, options, return_);
  }
  const Provider *entries() const override { return return_ ? &kprobe_provider() : nullptr; }
  bool attaches_forward() const override { return return_; }
  ProbeCost cost() const override { return {1e6, 50e3, return_ ? 300.0 : 150.0}; }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;

 private:
  [[nodiscard]] std::vector<std::string> describe(const KernelFunction &function, const ProbeEnvironment &env) const;

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
  return fail(fmt::format("no kernel function `{}`{}", target.name,
                          target.scope.empty() ? "" : fmt::format(" in module `{}`", target.scope)),
              kernel_function_hint(target.name, candidates));
}

// The parameters are those of fentry, here in registers: "struct file * file  // arg0". None without BTF.
std::vector<std::string> KprobeProvider::describe(const KernelFunction &function, const ProbeEnvironment &env) const {
  std::vector<std::string> out;
  auto record = find_context_record(return_ ? "fexit" : "fentry", function.module, function.name, env);
  if (!record || !*record) return out;
  const std::vector<std::string> members = describe_context_record(**record);
  if (return_) return {members.back()};
  for (const std::string &member : members)
    out.push_back(out.size() < kRegisterArgs ? fmt::format("{}  // arg{}", member, out.size()) : member);
  return out;
}

Result<std::vector<ListEntry>> KprobeProvider::list(const ProbeTarget &pattern, bool verbose,
                                                    const ProbeEnvironment &env) const {
  TRY(available(env));
  std::vector<ListEntry> out;
  for (const KernelFunction &function :
       TRY(kernel_functions(pattern.scope, pattern.name.empty() ? "*" : pattern.name, env.roots))) {
    std::string module = pattern.scope.empty() ? "" : (function.module.empty() ? "vmlinux" : function.module) + ":";
    std::string text = fmt::format("{}:{}{}", name(), module, function.name);
    if (!out.empty() && out.back().text == text) continue;
    out.push_back({std::move(text), {}});
    if (verbose) out.back().params = describe(function, env);
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
