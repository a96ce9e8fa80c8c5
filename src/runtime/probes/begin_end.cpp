// begin and end: programs that the session itself runs, once, before and after all others.
#include "runtime/probes/attach_point.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

class OnceProvider : public Provider {
 public:
  OnceProvider(std::string_view name, Occasion occasion, std::string_view doc)
      : name_(name), occasion_(occasion), doc_(doc) {}
  std::string_view name() const override { return name_; }
  std::vector<std::string_view> aliases() const override { return {}; }  // BEGIN: names have no case
  std::string_view syntax() const override { return name_; }
  std::string_view doc() const override { return doc_; }
  Occasion occasion() const override { return occasion_; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const override {
    // `begin:` as bpftrace's listings write it is fine.
    if (parts.size() > 1 || (parts.size() == 1 && !parts[0].empty())) return wrong_parts(*this, parts.size());
    ProbeTarget target;
    target.provider = name_;
    return target;
  }
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &) const override {
    return std::vector<ProbeTarget>{target};
  }
  Result<ProbeContext> context(const ProbeTarget &, bool, const ProbeEnvironment &) const override {
    ProbeContext context;
    context.prog_type = ProgType::RawTracepoint;  // can be run by BPF_PROG_TEST_RUN (Linux 5.10)
    return context;
  }
  Result<Attachment> attach(const AttachPlace &, const AttachOptions &) const override { return Attachment(); }
  bool listed_by_syntax() const override { return true; }

 private:
  std::string_view name_;
  Occasion occasion_;
  std::string_view doc_;
};

}  // namespace

const Provider &begin_provider() {
  static const OnceProvider provider("begin", Occasion::Begin, "before all other probes are attached");
  return provider;
}

const Provider &end_provider() {
  static const OnceProvider provider("end", Occasion::End, "after all other probes have been detached");
  return provider;
}

}  // namespace awl
