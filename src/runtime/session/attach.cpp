#include "runtime/session/attach.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <span>

#include "runtime/probes/uprobe_attach.h"
#include "runtime/session/features.h"
#include "runtime/session/signals.h"
#include "runtime/types/tracefs.h"

namespace awl {
namespace {

// The kernel calls the programs of one event in the order of attaching for these, in the reverse order for all
// others. Attaching those backwards lets probes on the same place run in the script's order.
constexpr std::array<std::string_view, 9> kAttachForward = {"kretprobe",     "uretprobe", "tracepoint",
                                                            "rawtracepoint", "profile",   "interval",
                                                            "software",      "hardware",  "watchpoint"};

constexpr size_t kMultiFrom = 2;           // places of one program
constexpr size_t kShowProgressFrom = 100;  // places

bool attaches_forward(std::string_view provider) {
  return std::find(kAttachForward.begin(), kAttachForward.end(), provider) != kAttachForward.end();
}

bool is_marker(const PlannedProbe &probe) { return !probe.places.empty() && probe.places.front().usdt.has_value(); }

class Planner {
 public:
  Planner(const Manifest &manifest, const ProbeEnvironment &env, const Selection &selection, Diagnostics &diagnostics)
      : manifest_(manifest), env_(env), selection_(selection), diagnostics_(diagnostics) {}

  AttachPlan plan() {
    for (const ProbeInfo &info : manifest_.probes) {
      if (is_run_by_session(info.provider))
        take(info);
      else if (selection_.mode == RunMode::Usual)
        expand(info);
    }
    const size_t total = targets_.size() + plan_.begins.size() + plan_.ends.size();
    if (total > manifest_.config.max_probes) {
      diagnostics_.emit(diag::TooManyProbes, Span{}, total, manifest_.config.max_probes)
          .with_hint("a narrower wildcard, or config = { max_probes = " + std::to_string(total) + " }");
      return std::move(plan_);
    }
    for (const auto &[info, provider, target] : targets_) find_places(*info, *provider, target);
    name_probes();
    choose_multi();
    order();
    return std::move(plan_);
  }

 private:
  struct Target {
    const ProbeInfo *info;
    const Provider *provider;
    ProbeTarget target;
  };

  void take(const ProbeInfo &info) {
    const bool tests = selection_.mode == RunMode::Test, benchmarks = selection_.mode == RunMode::Bench;
    if (info.provider == "begin") plan_.begins.push_back(&info);
    if (info.provider == "end") plan_.ends.push_back(&info);
    if (info.provider == "self" && selection_.mode == RunMode::Usual) plan_.signals.push_back(&info);
    const bool chosen = (info.provider == "test" && tests) || (info.provider == "bench" && benchmarks);
    if (chosen && matches(info.text)) plan_.trials.push_back(&info);
  }

  [[nodiscard]] bool matches(const std::string &text) const {
    return !selection_.filter || std::regex_search(text, *selection_.filter);
  }

  void expand(const ProbeInfo &info) {
    Result<ProbeTarget> target = parse_attach_point(info.text, env_);
    if (!target) return report(info, info.text, target.error());
    const Provider *provider = find_provider(target->provider);
    if (!provider) return report(info, info.text, Error{"no such provider", {}, 0});
    Result<std::vector<ProbeTarget>> targets = provider->expand(*target, env_);
    if (!targets) return report(info, info.text, targets.error());
    for (ProbeTarget &exact : *targets)
      if (matches(exact.text())) targets_.push_back({&info, provider, std::move(exact)});
  }

  void find_places(const ProbeInfo &info, const Provider &provider, const ProbeTarget &target) {
    Result<std::vector<AttachPlace>> places = provider.places(target, env_);
    if (!places) return report(info, target.text(), places.error());
    plan_.probes.push_back({&info, &provider, *std::move(places), 0});
    texts_.push_back(target.text());
  }

  // Cookies: the places of markers first, each with its description; then the other probes.
  void name_probes() {
    for (const bool markers : {true, false}) {
      for (size_t i = 0; i < plan_.probes.size(); i++) {
        PlannedProbe &probe = plan_.probes[i];
        if (is_marker(probe) != markers) continue;
        probe.cookie = plan_.names.size();
        plan_.names.insert(plan_.names.end(), markers ? probe.places.size() : 1, texts_[i]);
        for (AttachPlace &place : probe.places)
          if (markers) plan_.usdt.push_back(place.usdt.value_or(UsdtSpec{}));
      }
    }
    for (size_t i = 0; i < plan_.usdt.size(); i++) plan_.usdt[i].cookie = i;
  }

  // One link for many places attaches and detaches far faster (ten user probes: 27 ms instead of 1.1 s). Not with -p:
  // kernels before 6.10 compare the thread there, not the process.
  void choose_multi() {
    if (env_.pid != 0) return;
    std::map<std::string, size_t> places;
    for (const PlannedProbe &probe : plan_.probes) places[probe.info->program] += probe.places.size();
    for (const auto &[program, count] : places)
      if (count >= kMultiFrom) plan_.multi[program] = 0;
    for (const PlannedProbe &probe : plan_.probes) {
      const auto chosen = plan_.multi.find(probe.info->program);
      if (chosen == plan_.multi.end()) continue;
      const uint32_t type = probe.provider->multi_attach_type();
      // All that share a program must attach it in the same way, and the kernel must know this way.
      const bool possible = type == kUprobeMultiAttachType && has_feature(Feature::UprobeMulti);
      if (possible && (chosen->second == 0 || chosen->second == type))
        chosen->second = type;
      else
        plan_.multi.erase(chosen);
    }
  }

  void order() {
    std::vector<PlannedProbe> ordered;
    ordered.reserve(plan_.probes.size());
    for (PlannedProbe &probe : plan_.probes)
      if (attaches_forward(probe.provider->name())) ordered.push_back(std::move(probe));
    for (auto probe = plan_.probes.rbegin(); probe != plan_.probes.rend(); ++probe)
      if (!attaches_forward(probe->provider->name())) ordered.push_back(std::move(*probe));
    plan_.probes = std::move(ordered);
  }

  void report(const ProbeInfo &info, const std::string &text, const Error &error);

  const Manifest &manifest_;
  const ProbeEnvironment &env_;
  const Selection &selection_;
  Diagnostics &diagnostics_;
  AttachPlan plan_;
  std::vector<Target> targets_;
  std::vector<std::string> texts_;  // of plan_.probes
};

// Needs tracefs and does not get it: the reason behind whatever the provider said.
bool lacks_tracefs(const ProbeInfo &info, Error &why) {
  if (info.provider != "tracepoint" && info.provider != "rawtracepoint") return false;
  const Result<std::string> path = tracefs_path();
  if (path) return false;
  why = path.error();
  return true;
}

void report_probe(const ProbeInfo &info, const std::string &text, const Error &error, const std::string &missing_probes,
                  Diagnostics &diagnostics) {
  if (missing_probes == "ignore") return;
  if (missing_probes == "warn") {
    diagnostics.emit(diag::ProbeSkipped, info.span, text, error.message).with_hint(error.hint);
    return;
  }
  if (Error why; lacks_tracefs(info, why)) {
    diagnostics.emit(diag::NoTracefs, info.span, why.message).with_hint(why.hint);
    return;
  }
  diagnostics.emit(diag::AttachFailed, info.span, text, error.message).with_hint(error.hint);
}

void Planner::report(const ProbeInfo &info, const std::string &text, const Error &error) {
  report_probe(info, text, error, env_.missing_probes, diagnostics_);
}

class Progress {
 public:
  Progress(size_t total, bool quiet)
      : total_(total), shown_(!quiet && total >= kShowProgressFrom && isatty(STDERR_FILENO)) {}
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  ~Progress() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  void step() {
    if (shown_ && done_++ % 16 == 0) std::fprintf(stderr, "\rattaching %zu of %zu probes", done_, total_);
  }

 private:
  size_t total_;
  bool shown_;
  size_t done_ = 0;
};

class Attacher {
 public:
  Attacher(const AttachPlan &plan, const LoadedObject &object, const Manifest &manifest, const ProbeEnvironment &env,
           bool quiet, Diagnostics &diagnostics)
      : plan_(plan),
        object_(object),
        manifest_(manifest),
        env_(env),
        diagnostics_(diagnostics),
        progress_(plan.probes.size(), quiet) {}

  AttachResult attach() {
    for (size_t i = 0; i < plan_.probes.size() && !result_.interrupted;) {
      // The probes of one attach point stand together.
      size_t end = i + 1;
      while (end < plan_.probes.size() && plan_.probes[end].info == plan_.probes[i].info) end++;
      const std::span<const PlannedProbe> group(&plan_.probes[i], end - i);
      if (plan_.multi.contains(group.front().info->program))
        attach_group(group);
      else
        for (const PlannedProbe &probe : group) attach_probe(probe);
      i = end;
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] AttachOptions options_of(const PlannedProbe &probe, size_t place) const {
    return {object_.program(probe.info->program), cookie_of(probe, place), env_.pid, env_.unsafe};
  }
  static uint64_t cookie_of(const PlannedProbe &probe, size_t place) {
    return probe.cookie + (is_marker(probe) ? place : 0);
  }

  bool interrupted() {
    result_.interrupted = result_.interrupted || Signals::stop_requested();
    return result_.interrupted;
  }

  void attach_probe(const PlannedProbe &probe) {
    bool attached = false;
    for (size_t i = 0; i < probe.places.size() && !interrupted(); i++)
      attached |= take(probe, plan_.names[probe.cookie], probe.provider->attach(probe.places[i], options_of(probe, i)));
    result_.probes += attached ? 1 : 0;
    progress_.step();
  }

  void attach_group(std::span<const PlannedProbe> group) {
    if (interrupted()) return;
    std::vector<AttachPlace> places;
    std::vector<uint64_t> cookies;
    for (const PlannedProbe &probe : group)
      for (size_t i = 0; i < probe.places.size(); i++) {
        places.push_back(probe.places[i]);
        cookies.push_back(cookie_of(probe, i));
      }
    const PlannedProbe &first = group.front();
    if (take(first, first.info->text, first.provider->attach_many(places, cookies, options_of(first, 0))))
      result_.probes += group.size();
  }

  bool take(const PlannedProbe &probe, const std::string &text, Result<Attachment> attachment) {
    if (attachment)
      result_.attachments.push_back(*std::move(attachment));
    else
      report_probe(*probe.info, text, attachment.error(), manifest_.config.missing_probes, diagnostics_);
    return attachment.has_value();
  }

  const AttachPlan &plan_;
  const LoadedObject &object_;
  const Manifest &manifest_;
  const ProbeEnvironment &env_;
  Diagnostics &diagnostics_;
  Progress progress_;
  AttachResult result_;
};

}  // namespace

std::set<std::string> AttachPlan::programs() const {
  std::set<std::string> out;
  for (const PlannedProbe &probe : probes) out.insert(probe.info->program);
  for (const auto *list : {&begins, &ends, &trials, &signals})
    for (const ProbeInfo *info : *list) out.insert(info->program);
  return out;
}

AttachPlan plan_attachments(const Manifest &manifest, const ProbeEnvironment &env, const Selection &selection,
                            Diagnostics &diagnostics) {
  return Planner(manifest, env, selection, diagnostics).plan();
}

AttachResult attach_all(const AttachPlan &plan, const LoadedObject &object, const Manifest &manifest,
                        const ProbeEnvironment &env, bool quiet, Diagnostics &diagnostics) {
  if (const int map = object.map("awl_usdt"); map >= 0) {  // programs look the arguments of markers up there
    for (uint32_t i = 0; i < plan.usdt.size(); i++) bpf_map_update_elem(map, &i, &plan.usdt[i], BPF_ANY);
  }
  return Attacher(plan, object, manifest, env, quiet, diagnostics).attach();
}

}  // namespace awl
