// test, bench and self: programs that the session runs itself: for --test, for --bench, when a signal comes.
#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

// Common to all three: run by BPF_PROG_TEST_RUN, attached to nothing.
class SessionRunProvider : public Provider {
 public:
  std::vector<std::string_view> aliases() const override { return {}; }
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &) const override {
    return std::vector<ProbeTarget>{target};
  }
  Result<ProbeContext> context(const ProbeTarget &, bool, const ProbeEnvironment &) const override {
    ProbeContext context;
    context.prog_type = ProgType::RawTracepoint;
    return context;
  }
  Result<Attachment> attach(const AttachPlace &, const AttachOptions &) const override { return Attachment(); }
};

// test:NAME and bench:NAME. Names are free.
class TrialProvider : public SessionRunProvider {
 public:
  TrialProvider(std::string_view name, Occasion occasion, std::string_view syntax, std::string_view doc)
      : name_(name), occasion_(occasion), syntax_(syntax), doc_(doc) {}
  std::string_view name() const override { return name_; }
  std::string_view syntax() const override { return syntax_; }
  std::string_view doc() const override { return doc_; }
  Occasion occasion() const override { return occasion_; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const override {
    if (parts.size() != 1) return wrong_parts(*this, parts.size());
    if (parts[0].empty() || has_wildcard(parts[0]))
      return fail(fmt::format("`{}` needs a name", name_), fmt::format("`{}`", syntax_));
    ProbeTarget target;
    target.provider = name_;
    target.name = parts[0];
    return target;
  }
  bool listed_by_syntax() const override { return true; }

 private:
  std::string_view name_;
  Occasion occasion_;
  std::string_view syntax_, doc_;
};

class SelfProvider : public SessionRunProvider {
 public:
  std::string_view name() const override { return "self"; }
  std::string_view syntax() const override { return "self:signal:SIGUSR1"; }
  std::string_view doc() const override { return "when awl itself gets this signal"; }
  Occasion occasion() const override { return Occasion::Signal; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const override {
    if (parts.size() != 2 && !(parts.size() == 1 && has_wildcard(parts[0]))) return wrong_parts(*this, parts.size());
    ProbeTarget target;
    target.provider = name();
    target.scope = parts.size() == 2 ? parts[0] : "*";
    target.name = parts.back();
    return target;
  }
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &) const override {
    ProbeTarget exact;
    exact.provider = name();
    exact.scope = "signal";
    exact.name = "SIGUSR1";
    if (glob_match(target.scope, exact.scope) && glob_match(target.name, exact.name))
      return std::vector<ProbeTarget>{exact};
    if (!glob_match(target.scope, exact.scope)) return unknown_name("event of awl", target.scope, {"signal"});
    return fail(fmt::format("awl does not listen to `{}`", target.name), "`self:signal:SIGUSR1` is the only one");
  }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool, const ProbeEnvironment &env) const override {
    if (!expand(pattern, env)) return std::vector<ListEntry>{};
    return std::vector<ListEntry>{{"self:signal:SIGUSR1", {}}};
  }
};

}  // namespace

const Provider &test_provider() {
  static const TrialProvider provider("test", Occasion::Test, "test:NAME",
                                      "by --test: fails by errorf() or a status other than 0");
  return provider;
}

const Provider &bench_provider() {
  static const TrialProvider provider("bench", Occasion::Bench, "bench:NAME",
                                      "by --bench, again and again, and is timed");
  return provider;
}

const Provider &self_provider() {
  static const SelfProvider provider;
  return provider;
}

}  // namespace awl
