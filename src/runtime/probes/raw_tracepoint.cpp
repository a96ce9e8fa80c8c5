// rawtracepoint: the kernel's events before their record is made, with what the kernel passes to them.
#include <bpf/bpf.h>
#include <fmt/format.h>

#include <cerrno>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/context_record.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

constexpr uint32_t kMaxArgs = 12;  // of a raw tracepoint (BPF_MAX_TRAMP_ARGS, Linux 5.5)

class RawTracepointProvider : public Provider {
 public:
  std::string_view name() const override { return "rawtracepoint"; }
  std::vector<std::string_view> aliases() const override { return {"rt"}; }
  std::string_view syntax() const override { return "rawtracepoint:[MODULE:]EVENT"; }
  std::string_view doc() const override {
    return "static events of the kernel, with the kernel's own arguments in `args` and arg0, arg1, ...";
  }
  bool listed_by_default() const override { return true; }
  bool shares_program() const override { return false; }  // its arguments differ from event to event
  bool shares_bare_program() const override { return true; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const override {
    return parse_in_module(*this, parts);
  }
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &target, bool needs_args, const ProbeEnvironment &env) const override;
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  bool attaches_forward() const override { return true; }
  bool needs_tracefs() const override { return true; }
  ProbeCost cost() const override { return {100e3, 100e3, 90}; }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;
};

// Events by the types of their arguments: `btf_trace_EVENT`.
std::vector<std::string> event_names(std::string_view pattern, const ProbeEnvironment &env) {
  return described_names("btf_trace_", pattern, env);
}

Result<std::vector<ProbeTarget>> RawTracepointProvider::expand(const ProbeTarget &target,
                                                               const ProbeEnvironment &env) const {
  if (!target.wildcard()) {
    if (TRY(find_context_record(name(), target.scope, target.name, env))) return std::vector<ProbeTarget>{target};
    std::vector<std::string> names = event_names("*", env);
    // Without types the kernel alone knows which events there are.
    if (names.empty()) return std::vector<ProbeTarget>{target};
    return unknown_name("raw tracepoint", target.name, names);
  }
  std::vector<ProbeTarget> out;
  for (std::string &event : event_names(target.name, env)) {
    ProbeTarget one = target;
    one.scope.clear();
    one.name = std::move(event);
    out.push_back(std::move(one));
  }
  if (out.empty()) return fail(fmt::format("no raw tracepoint matches `{}`", target.name));
  return out;
}

Result<ProbeContext> RawTracepointProvider::context(const ProbeTarget &target, bool,
                                                    const ProbeEnvironment &env) const {
  ProbeContext context;
  context.prog_type = ProgType::RawTracepoint;
  context.filter_pid = true;
  context.args_reach = ArgReach::Words;
  context.arg_count = kMaxArgs;
  if (auto found = TRY(find_context_record(name(), target.scope, target.name, env))) {
    context.args = *found;
    context.arg_count = context.args->size / 8;
  }
  return context;
}

Result<Attachment> RawTracepointProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  int link = bpf_raw_tracepoint_open(place.target.name.c_str(), options.prog_fd);
  if (link >= 0) return Attachment({link});
  Error error = fail_errno("attach", -link).error();
  if (error.sys_errno == ENOENT) error.message = fmt::format("no raw tracepoint `{}`", place.target.name);
  if (error.sys_errno == EINVAL) error.hint = "the program reads more arguments than the event has";
  return std::unexpected(std::move(error));
}

Result<std::vector<ListEntry>> RawTracepointProvider::list(const ProbeTarget &pattern, bool verbose,
                                                           const ProbeEnvironment &env) const {
  std::vector<ListEntry> out;
  for (const std::string &event : event_names(pattern.name, env))
    out.push_back(context_list_entry(name(), "", event, verbose, env));
  return out;
}

}  // namespace

const Provider &raw_tracepoint_provider() {
  static const RawTracepointProvider provider;
  return provider;
}

}  // namespace awl
