#include <algorithm>
#include <map>
#include <set>

#include "runtime/probes/binaries.h"
#include "runtime/probes/kprobe_attach.h"
#include "runtime/probes/uprobe_attach.h"
#include "runtime/session/attach.h"
#include "runtime/session/attach_cost.h"
#include "runtime/session/features.h"
#include "runtime/session/file_limit.h"
#include "runtime/types/tracefs.h"

namespace awl {
namespace {

constexpr size_t kMultiFrom = 2;  // places of one program in the kernel

bool is_marker(const PlannedProbe &probe) { return !probe.places.empty() && probe.places.front().usdt.has_value(); }

class Planner {
 public:
  Planner(const Manifest &manifest, const ProbeEnvironment &env, const Selection &selection, Diagnostics &diagnostics)
      : manifest_(manifest), env_(env), selection_(selection), diagnostics_(diagnostics) {}

  AttachPlan plan() {
    for (const ProbeInfo &info : manifest_.probes) {
      const Provider *provider = find_provider(info.provider);
      if (const Occasion occasion = provider ? provider->occasion() : Occasion::Event; occasion != Occasion::Event)
        take(info, occasion);
      else if (selection_.mode == RunMode::Usual)
        expand(info);
    }
    const size_t total = targets_.size() + plan_.begins.size() + plan_.ends.size();
    const bool many = total > manifest_.config.max_probes;
    if (many && manifest_.config.max_probes_set) {
      diagnostics_.emit(diag::TooManyProbes, Span{}, total, manifest_.config.max_probes)
          .with_hint("a narrower wildcard, or config = { max_probes = " + std::to_string(total) + " }");
      return std::move(plan_);
    }
    for (const auto &[info, provider, target] : targets_) find_places(*info, *provider, target);
    name_probes();
    choose_multi();
    choose_sessions();
    if (many) {
      const AttachCost cost = estimate_cost(plan_);
      diagnostics_.emit(diag::ManyProbes, Span{}, total, shown_time(cost.attach_ns), shown_time(cost.event_ns))
          .with_hint("a narrower wildcard; config = { max_probes = N } refuses more than N");
    }
    order();
    return std::move(plan_);
  }

 private:
  struct Target {
    const ProbeInfo *info;
    const Provider *provider;
    ProbeTarget target;
  };

  void take(const ProbeInfo &info, Occasion occasion) {
    const bool trial = (occasion == Occasion::Test && selection_.mode == RunMode::Test) ||
                       (occasion == Occasion::Bench && selection_.mode == RunMode::Bench);
    if (occasion == Occasion::Begin) plan_.begins.push_back(&info);
    if (occasion == Occasion::End) plan_.ends.push_back(&info);
    if (occasion == Occasion::Signal && selection_.mode == RunMode::Usual) plan_.signals.push_back(&info);
    if (trial && matches(info.text)) plan_.trials.push_back(&info);
  }

  [[nodiscard]] bool matches(const std::string &text) const {
    return !selection_.filter || std::regex_search(text, *selection_.filter);
  }

  void expand(const ProbeInfo &info) {
    std::set<std::string> known;  // places: processes may have the same files, by other names
    bool found = expand(info, env_, known);
    for (const int pid : env_.pids) {
      if (!found || pid == env_.pid) continue;
      ProbeEnvironment other = env_;
      other.pid = pid;
      found = expand(info, other, known);
    }
  }

  // What the names mean to env.pid; false after a message.
  bool expand(const ProbeInfo &info, const ProbeEnvironment &env, std::set<std::string> &known) {
    Result<ProbeTarget> target = parse_attach_point(info.text, env);
    const Provider *provider = target ? find_provider(target->provider) : nullptr;
    if (target && !provider) target = fail("no such provider");
    Result<std::vector<ProbeTarget>> targets =
        target ? provider->expand(*target, env) : std::unexpected(std::move(target).error());
    if (!targets) {
      report(info, info.text, targets.error());
      return false;
    }
    for (ProbeTarget &exact : *targets)
      if (matches(exact.text()) && known.insert(place_identity(exact)).second)
        targets_.push_back({&info, provider, std::move(exact)});
    return true;
  }

  void find_places(const ProbeInfo &info, const Provider &provider, const ProbeTarget &target) {
    Result<std::vector<AttachPlace>> places = provider.places(target, env_);
    if (!places) return report(info, target.text(), places.error());
    plan_.probes.push_back({&info, &provider, *std::move(places), 0, target.text()});
  }

  // Cookies: the places of markers first, each with its description; then the other probes.
  void name_probes() {
    for (const bool markers : {true, false}) {
      for (PlannedProbe &probe : plan_.probes) {
        if (is_marker(probe) != markers) continue;
        if (!markers) {
          const std::string function = probe.places.empty() ? "" : probe.places.front().target.name;
          probe.cookie = function_number(function.empty() ? probe.text : function, probe.text) << 32;
          probe.cookie |= name_number(probe.text);
          continue;
        }
        probe.cookie = plan_.names.size();
        plan_.names.insert(plan_.names.end(), probe.places.size(), probe.text);
        for (AttachPlace &place : probe.places) plan_.usdt.push_back(place.usdt.value_or(UsdtSpec{}));
      }
    }
    for (size_t i = 0; i < plan_.usdt.size(); i++) plan_.usdt[i].cookie = i;
  }

  // One name is one number, so that it is one key in a map: that of the constant if programs have it as one.
  uint64_t name_number(const std::string &text) { return number(numbers_, text, text); }

  // Of a function's name, which is shown as that part of the probe's; that of entry and return is one.
  uint64_t function_number(const std::string &name, const std::string &probe) {
    return number(functions_, name.find(':') != std::string::npos ? '"' + name + '"' : name, probe);
  }

  uint64_t number(std::map<std::string, uint64_t> &numbers, const std::string &constant, const std::string &shown) {
    constexpr uint64_t kConstant = 1ULL << 31;
    const auto [known, fresh] = numbers.try_emplace(constant, plan_.names.size());
    if (!fresh) return known->second;
    const auto at = std::ranges::find(manifest_.strings, constant);
    if (at != manifest_.strings.end())
      known->second = kConstant | static_cast<uint64_t>(at - manifest_.strings.begin());
    else
      plan_.names.push_back(shown);
    return known->second;
  }

  // One link for many places attaches and detaches far faster (ten user probes: 27 ms instead of 1.1 s). In user code
  // also where there is one place: opening and closing a perf event of a probe waits for all others that are being
  // closed, 80 ms each, whoever they belong to.
  void choose_multi() {
    std::map<std::string, size_t> places;
    for (const PlannedProbe &probe : plan_.probes) places[probe.info->program] += probe.places.size();
    std::set<std::string> apart;
    for (const PlannedProbe &probe : plan_.probes) {
      const std::string &program = probe.info->program;
      if (probe.places.empty()) continue;
      const uint32_t type = probe.provider->multi_attach_type(probe.places.front().target);
      // All that share a program must attach it in the same way, and the kernel must know this way.
      if (!kernel_has(type, places[program]) || plan_.multi.try_emplace(program, type).first->second != type)
        apart.insert(program);
    }
    for (const std::string &program : apart) plan_.multi.erase(program);
  }

  // The probes of a program that serves one attach point.
  using ByProgram = std::map<std::string, std::vector<const PlannedProbe *>>;
  [[nodiscard]] ByProgram sole_probes() const {
    ByProgram out;
    std::set<std::string> shared;
    for (const PlannedProbe &probe : plan_.probes) {
      auto &probes = out[probe.info->program];
      if (!probes.empty() && probes.front()->info != probe.info) shared.insert(probe.info->program);
      probes.push_back(&probe);
    }
    std::erase_if(out, [&](const auto &each) { return shared.contains(each.first); });
    return out;
  }

  static bool same_places(const std::vector<const PlannedProbe *> &a, const std::vector<const PlannedProbe *> &b) {
    return std::ranges::equal(a, b, [](const PlannedProbe *x, const PlannedProbe *y) {
      return std::ranges::equal(x->places, y->places, [](const AttachPlace &p, const AttachPlace &q) {
        return p.target.scope == q.target.scope && p.target.name == q.target.name &&
               p.target.address == q.target.address && p.target.offset == q.target.offset;
      });
    });
  }

  // The same functions at entry and return: one link for both. A link has one cookie for each function, which is the
  // entry's, so a program for returns that needs its own stays alone.
  void choose_sessions() {
    const ByProgram all = sole_probes();
    for (const auto &[returning, returns] : all) {
      const Provider *of_entries = returns.front()->provider->entries();
      if (!of_entries || returns.front()->info->needs_cookie || !plan_.multi.contains(returning)) continue;
      const bool kernel = plan_.multi.at(returning) == kKprobeMultiAttachType;
      for (const auto &[entering, entries] : all) {
        if (entries.front()->provider != of_entries || plan_.sessions.contains(entering) ||
            !plan_.multi.contains(entering) || !same_places(entries, returns))
          continue;
        if (!has_feature(kernel ? Feature::KprobeSession : Feature::UprobeSession)) break;
        plan_.sessions[entering] = returning;
        plan_.multi[entering] = plan_.multi[returning] = kernel ? kKprobeSessionAttachType : kUprobeSessionAttachType;
        break;
      }
    }
  }

  [[nodiscard]] bool kernel_has(uint32_t multi_type, size_t places) const {
    if (multi_type == kKprobeMultiAttachType) return places >= kMultiFrom && has_feature(Feature::KprobeMulti);
    if (multi_type != kUprobeMultiAttachType || !has_feature(Feature::UprobeMulti)) return false;
    if ((env_.attach_pid == 0 && env_.child_pid == 0) || has_feature(Feature::UprobeMultiPid)) return true;
    // The link would be for one thread: with -p none, with -c one for all processes, among which the programs choose.
    return env_.attach_pid == 0 && places >= kMultiFrom;
  }

  // Backwards where the kernel calls the last attached first: probes at the same place run in the script's order.
  void order() {
    std::vector<PlannedProbe> ordered;
    ordered.reserve(plan_.probes.size());
    for (PlannedProbe &probe : plan_.probes)
      if (probe.provider->attaches_forward()) ordered.push_back(std::move(probe));
    for (auto probe = plan_.probes.rbegin(); probe != plan_.probes.rend(); ++probe)
      if (!probe->provider->attaches_forward()) ordered.push_back(std::move(*probe));
    plan_.probes = std::move(ordered);
  }

  void report(const ProbeInfo &info, const std::string &text, const Error &error) {
    report_probe(info, text, error, env_.missing_probes, diagnostics_);
  }

  const Manifest &manifest_;
  const ProbeEnvironment &env_;
  const Selection &selection_;
  Diagnostics &diagnostics_;
  AttachPlan plan_;
  std::vector<Target> targets_;
  std::map<std::string, uint64_t> numbers_, functions_;  // by name of a probe, of a function
};

// Needs tracefs and does not get it: the reason behind whatever the provider said.
bool lacks_tracefs(const ProbeInfo &info, Error &why) {
  const Provider *provider = find_provider(info.provider);
  if (!provider || !provider->needs_tracefs()) return false;
  const Result<std::string> path = tracefs_path();
  if (path) return false;
  why = path.error();
  return true;
}

}  // namespace

void report_probe(const ProbeInfo &info, const std::string &text, const Error &error, const std::string &missing_probes,
                  Diagnostics &diagnostics) {
  if (missing_probes == "ignore") return;
  if (missing_probes == "warn") {
    diagnostics.emit(diag::ProbeSkipped, info.span, text, error.message).with_hint(error.hint);
    return;
  }
  if (out_of_files(error.sys_errno)) {
    diagnostics.emit(diag::TooManyFiles, info.span, file_limit())
        .with_hint("each probe of `" + text + "` is one here; raise it: `ulimit -n`, as root with -H");
    return;
  }
  if (Error why; lacks_tracefs(info, why)) {
    diagnostics.emit(diag::NoTracefs, info.span, why.message).with_hint(why.hint);
    return;
  }
  diagnostics.emit(diag::AttachFailed, info.span, text, error.message).with_hint(error.hint);
}

std::set<std::string> AttachPlan::programs() const {
  std::set<std::string> out;
  for (const PlannedProbe &probe : probes) out.insert(probe.info->program);
  for (const auto *list : {&begins, &ends, &trials, &signals})
    for (const ProbeInfo *info : *list) out.insert(info->program);
  return out;
}

std::map<std::string, AttachTarget> AttachPlan::attach_targets() const {
  std::map<std::string, AttachTarget> out;
  for (const PlannedProbe &probe : probes)
    if (!probe.places.empty())
      if (auto target = probe.provider->load_target(probe.places.front()))
        out[probe.info->program] = *std::move(target);
  return out;
}

AttachPlan plan_attachments(const Manifest &manifest, const ProbeEnvironment &env, const Selection &selection,
                            Diagnostics &diagnostics) {
  return Planner(manifest, env, selection, diagnostics).plan();
}

}  // namespace awl
