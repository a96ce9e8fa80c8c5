// fentry and fexit: entry and return of kernel functions, and of functions of BPF programs, through BPF trampolines
// (since Linux 5.5), with typed arguments.
#include <bpf/bpf.h>
#include <fmt/format.h>

#include <cerrno>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/bpf_programs.h"
#include "runtime/probes/context_record.h"
#include "runtime/probes/kernel_functions.h"
#include "runtime/probes/providers.h"
#include "runtime/probes/renamed_functions.h"

namespace awl {

namespace {

bool is_bpf(const ProbeTarget &target) { return target.scope == kBpfModule; }

class TracingProvider : public Provider {
 public:
  explicit TracingProvider(bool at_return) : return_(at_return) {}
  std::string_view name() const override { return return_ ? "fexit" : "fentry"; }
  std::vector<std::string_view> aliases() const override {
    if (return_) return {"fr", "kretfunc"};
    return {"f", "kfunc"};
  }
  std::string_view syntax() const override {
    return return_ ? "fexit:[MODULE:|bpf:[ID:]]FUNCTION" : "fentry:[MODULE:|bpf:[ID:]]FUNCTION";
  }
  std::string_view doc() const override {
    return return_ ? "return of a kernel function, with typed `args` and `retval`"
                   : "entry of a kernel function, with typed `args`";
  }
  Result<> available(const ProbeEnvironment &env) const override {
    if (kernel_traces_functions(env.roots)) return {};
    return fail(
        "this kernel has no trampolines at its functions: it lacks CONFIG_DYNAMIC_FTRACE, or a policy forbids it");
  }
  bool listed_by_default() const override { return !return_; }
  bool shares_program() const override { return false; }  // the verifier knows the types of one function

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &target, bool needs_args, const ProbeEnvironment &env) const override;
  Result<std::vector<AttachPlace>> places(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  std::optional<AttachTarget> load_target(const AttachPlace &place) const override {
    const auto id = is_bpf(place.target) ? parse_unsigned(place.target.space) : std::nullopt;
    return AttachTarget{place.target.name, static_cast<uint32_t>(id.value_or(0))};
  }
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  ProbeCost cost() const override {  // a trampoline for each, made while all CPUs wait
    return {5e6, 5e6, return_ ? 80.0 : 50.0};
  }
  std::string_view refusal_hint(const ProbeTarget &target) const override {
    if (is_bpf(target)) return {};
    return "some kernels refuse fentry and fexit alone: kprobe and kretprobe know the same functions";
  }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;

 private:
  [[nodiscard]] Result<std::optional<const Type *>> record(const ProbeTarget &target,
                                                           const ProbeEnvironment &env) const {
    return find_context_record(name(), target.scope, target.name, env);
  }
  [[nodiscard]] Result<std::vector<ProbeTarget>> expand_bpf(const ProbeTarget &target) const;
  [[nodiscard]] Result<std::vector<ProbeTarget>> described(const ProbeTarget &target,
                                                           const ProbeEnvironment &env) const;

  bool return_;
};

Result<ProbeTarget> TracingProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const {
  const bool with_id = parts.size() == 3 && parts[0] == kBpfModule && !parts[1].empty();
  ProbeTarget target = TRY(parse_in_module(*this, with_id ? std::vector{parts[0], parts[2]} : parts));
  if (with_id) target.space = parts[1];
  if (target.name.find('+') != std::string::npos)
    return fail(fmt::format("`{}` takes no offset", name()), "use `kprobe` for an instruction inside the function");
  return target;
}

// A name stays as it is written, so that an Image finds its program again, whose id changes with each start.
Result<std::vector<ProbeTarget>> TracingProvider::expand_bpf(const ProbeTarget &target) const {
  if (!target.wildcard()) {
    (void)TRY(find_bpf_function(target));
    return std::vector<ProbeTarget>{target};
  }
  std::vector<ProbeTarget> out;
  for (BpfFunction &function : TRY(bpf_functions(target.space, target.name))) {
    out.push_back(target);
    out.back().space = std::to_string(function.program);
    out.back().name = std::move(function.name);
  }
  if (out.empty()) return fail(fmt::format("no function of a BPF program matches `{}`", target.name));
  return out;
}

// Functions that match and that the kernel describes, each with its module.
Result<std::vector<ProbeTarget>> TracingProvider::described(const ProbeTarget &target,
                                                            const ProbeEnvironment &env) const {
  std::vector<ProbeTarget> out;
  for (KernelFunction &function : TRY(kernel_functions(target.scope, target.name, env.roots))) {
    ProbeTarget one = target;
    one.name = std::move(function.name);
    one.scope = std::move(function.module);
    auto known = record(one, env);
    if (!known || !*known) continue;  // it cannot be attached to
    if (out.empty() || out.back().name != one.name || out.back().scope != one.scope) out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<ProbeTarget>> TracingProvider::expand(const ProbeTarget &target, const ProbeEnvironment &env) const {
  if (is_bpf(target)) return expand_bpf(target);
  if (!target.wildcard()) {
    if (TRY(record(target, env))) return std::vector<ProbeTarget>{target};
    // Without a module the kernel itself was looked into; a module's function is as good if there is one only.
    std::vector<ProbeTarget> found = TRY(described(target, env));
    if (found.size() == 1) return found;
    if (found.size() > 1)
      return fail(fmt::format("there is a function `{}` in {} modules", target.name, found.size()),
                  fmt::format("name the module: `{}`", found.front().text()));
    if (TRY(kernel_function_exists(target.scope, target.name, env.roots)))
      return fail(
          fmt::format("the kernel does not describe the function `{}`", target.name),
          fmt::format("its BTF has no type for it; use `{}:{}`", return_ ? "kretprobe" : "kprobe", target.name));
    std::vector<std::string> candidates;
    for (KernelFunction &function : TRY(kernel_functions(target.scope, "*", env.roots)))
      candidates.push_back(std::move(function.name));
    return fail(fmt::format("no kernel function `{}`", target.name), kernel_function_hint(target.name, candidates));
  }
  std::vector<ProbeTarget> out = TRY(described(target, env));
  if (out.empty())
    return fail(fmt::format("no kernel function matches `{}`", target.text().substr(target.provider.size() + 1)));
  return out;
}

Result<ProbeContext> TracingProvider::context(const ProbeTarget &target, bool, const ProbeEnvironment &env) const {
  ProbeContext context;
  context.prog_type = return_ ? ProgType::Fexit : ProgType::Fentry;
  context.has_func = true;
  context.filter_pid = true;
  context.has_retval = return_;
  context.args_trusted = true;
  if (is_bpf(target)) {
    context.args_trusted = false;  // types of programs are none of the kernel's
    const BpfFunction function = TRY(find_bpf_function(target));
    context.args = TRY(bpf_function_record(function, false, *env.types));
    // Where the result stands only the kernel knows, which may take the function for one of five arguments.
    if (return_) context.retval = TRY(bpf_function_record(function, true, *env.types))->fields.back().type;
  } else {
    auto found = TRY(record(target, env));
    if (!found) return fail(fmt::format("the kernel does not describe the arguments of `{}`", target.text()));
    context.args = *found;
  }
  context.args_reach = ArgReach::Words;
  context.arg_count = context.args->size / 8 - (return_ && !is_bpf(target) ? 1 : 0);
  return context;
}

// With the id of the program that is meant.
Result<std::vector<AttachPlace>> TracingProvider::places(const ProbeTarget &target, const ProbeEnvironment &) const {
  AttachPlace place;
  place.target = target;
  if (is_bpf(target)) place.target.space = std::to_string(TRY(find_bpf_function(target)).program);
  return std::vector<AttachPlace>{std::move(place)};
}

Result<Attachment> TracingProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  int link = bpf_raw_tracepoint_open(nullptr, options.prog_fd);
  if (link >= 0) return Attachment({link});
  Error error = fail_errno("attach", -link).error();
  if (!is_bpf(place.target) && (error.sys_errno == EBUSY || error.sys_errno == EINVAL))
    error.hint = fmt::format("the kernel cannot trace `{}` in this way; use `{}`", place.target.name,
                             return_ ? "kretprobe" : "kprobe");
  return std::unexpected(std::move(error));
}

Result<std::vector<ListEntry>> TracingProvider::list(const ProbeTarget &pattern, bool verbose,
                                                     const ProbeEnvironment &env) const {
  std::vector<ListEntry> out;
  if (is_bpf(pattern)) {
    for (const BpfFunction &function : TRY(bpf_functions(pattern.space, pattern.name))) {
      ListEntry entry{fmt::format("{}:bpf:{}:{}", name(), function.program, function.name), {}};
      if (verbose && env.types)
        if (Result<const Type *> record = bpf_function_record(function, return_, *env.types))
          entry.params = describe_context_record(*record);
      out.push_back(std::move(entry));
    }
    return out;
  }
  for (KernelFunction &function : TRY(kernel_functions(pattern.scope, pattern.name, env.roots))) {
    auto known = find_context_record(name(), function.module, function.name, env);
    if (!known || !*known) continue;
    const std::string_view module = function.module.empty() ? "vmlinux" : std::string_view(function.module);
    out.push_back(context_list_entry(name(), module, function.name, verbose, env));
  }
  return out;
}

}  // namespace

const Provider &fentry_provider() {
  static const TracingProvider provider(false);
  return provider;
}

const Provider &fexit_provider() {
  static const TracingProvider provider(true);
  return provider;
}

}  // namespace awl
