// iter: the kernel's lists of objects (tasks, files, sockets, ...), walked once, with one run of the program for each.
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/context_record.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

// Every iterator has a context of its own: `struct bpf_iter__NAME`; names with more of `__` are the verifier's.
std::vector<std::string> iterator_names(std::string_view pattern, const ProbeEnvironment &env) {
  std::vector<std::string> out = described_names("struct bpf_iter__", pattern, env);
  std::erase_if(out, [](const std::string &name) { return name.find("__") != std::string::npos; });
  return out;
}

class IterProvider : public Provider {
 public:
  std::string_view name() const override { return "iter"; }
  std::vector<std::string_view> aliases() const override { return {"it"}; }
  std::string_view syntax() const override { return "iter:NAME[:PIN]"; }
  std::string_view doc() const override { return "every object of a list of the kernel, once, with `ctx`"; }
  bool listed_by_default() const override { return true; }
  size_t path_part() const override { return 2; }  // the pin
  bool shares_program() const override { return false; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const override {
    if (parts.empty() || parts.size() > 2 || parts[0].empty() || parts.back().empty())
      return wrong_parts(*this, parts.size());
    ProbeTarget target;
    target.provider = name();
    target.name = parts[0];
    if (parts.size() == 1) return target;
    if (target.wildcard()) return fail("several iterators cannot be pinned to one file", "name one: `awl -l 'iter:*'`");
    target.pin = parts[1].starts_with('/') ? parts[1] : "/sys/fs/bpf/" + parts[1];
    return target;
  }
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &target, bool needs_args, const ProbeEnvironment &env) const override;
  std::optional<AttachTarget> load_target(const AttachPlace &place) const override {
    return AttachTarget{place.target.name};
  }
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  bool is_iterator() const override { return true; }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;
};

Result<std::vector<ProbeTarget>> IterProvider::expand(const ProbeTarget &target, const ProbeEnvironment &env) const {
  std::vector<ProbeTarget> out;
  for (std::string &found : iterator_names(target.name, env)) {
    out.push_back(target);
    out.back().name = std::move(found);
  }
  if (!out.empty()) return out;
  std::vector<std::string> names = iterator_names("*", env);
  if (names.empty()) return fail("this kernel describes no iterators", "they need Linux 5.8 with BTF");
  if (target.wildcard()) return fail(fmt::format("no iterator matches `{}`", target.name));
  return unknown_name("iterator", target.name, names);
}

Result<ProbeContext> IterProvider::context(const ProbeTarget &target, bool, const ProbeEnvironment &env) const {
  ProbeContext context;
  context.prog_type = ProgType::Iter;
  context.args_trusted = true;
  auto found = TRY(find_context_record(name(), "", target.name, env));
  if (!found) return fail(fmt::format("the kernel does not describe the arguments of `{}`", target.text()));
  context.args = *found;
  return context;
}

Result<Attachment> IterProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  bpf_link_create_opts link{};
  link.sz = sizeof(link);
  bpf_iter_link_info info{};
  if (place.target.name == "cgroup") {
    info.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE;  // of the root
    link.iter_info = &info;
    link.iter_info_len = sizeof(info);
  }
  const int fd = bpf_link_create(options.prog_fd, 0, BPF_TRACE_ITER, &link);
  if (fd >= 0) return Attachment({fd});
  Error error = fail_errno("attach", -fd).error();
  if (error.sys_errno == EBADF || error.sys_errno == EINVAL)
    error.hint = fmt::format("`{}` walks one map of BPF, which would have to be named", place.target.name);
  return std::unexpected(std::move(error));
}

Result<std::vector<ListEntry>> IterProvider::list(const ProbeTarget &pattern, bool verbose,
                                                  const ProbeEnvironment &env) const {
  std::vector<ListEntry> out;
  for (const std::string &found : iterator_names(pattern.name, env))
    out.push_back(context_list_entry(name(), "", found, verbose, env));
  return out;
}

}  // namespace

const Provider &iter_provider() {
  static const IterProvider provider;
  return provider;
}

}  // namespace awl
