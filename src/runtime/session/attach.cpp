#include "runtime/session/attach.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <set>
#include <span>

#include "base/strings.h"
#include "runtime/session/features.h"
#include "runtime/session/file_limit.h"
#include "runtime/session/signals.h"

namespace awl {
namespace {

constexpr size_t kMultiUpTo = 1024;  // places of one link

bool is_of_kernel(const AttachPlace &place) { return place.target.address >> 63 != 0; }

bool is_marker(const PlannedProbe &probe) { return !probe.places.empty() && probe.places.front().usdt.has_value(); }

// A line on the terminal from the moment that attaching takes longer than people notice.
class Progress {
 public:
  Progress(size_t total, bool quiet)
      : total_(total), wanted_(!quiet && isatty(STDERR_FILENO) != 0), next_(Clock::now() + kFirst) {}
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  ~Progress() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  void step(size_t count) {
    done_ += count;
    if (!wanted_ || Clock::now() < next_) return;
    next_ = Clock::now() + kEach;
    shown_ = true;
    std::fprintf(stderr, "\rattaching: %zu of %zu probes", done_, total_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kFirst = std::chrono::milliseconds(300), kEach = std::chrono::milliseconds(100);
  size_t total_;
  bool wanted_;
  Clock::time_point next_;
  bool shown_ = false;
  size_t done_ = 0;
};

class Attacher {
 public:
  Attacher(const AttachPlan &plan, const LoadedObject &object, const Manifest &manifest, const ProbeEnvironment &env,
           std::vector<int> processes, bool quiet, Diagnostics &diagnostics)
      : plan_(plan),
        object_(object),
        manifest_(manifest),
        env_(env),
        processes_(std::move(processes)),
        diagnostics_(diagnostics),
        progress_(plan.probes.size(), quiet) {}

  AttachResult attach() {
    for (size_t i = 0; i < plan_.probes.size() && !interrupted();) {
      // The probes of one attach point stand together.
      size_t end = i + 1;
      while (end < plan_.probes.size() && plan_.probes[end].info == plan_.probes[i].info) end++;
      attach_group({&plan_.probes[i], end - i});
      i = end;
    }
    return std::move(result_);
  }

 private:
  // Places that one system call attaches, and what became of them.
  struct Group {
    std::vector<AttachPlace> places;
    std::vector<uint64_t> cookies;
    std::vector<const PlannedProbe *> owners;  // of places
    std::set<const PlannedProbe *> attached;
    std::vector<std::pair<const PlannedProbe *, Error>> refused;
  };

  bool interrupted() {
    result_.interrupted = result_.interrupted || Signals::stop_requested();
    return result_.interrupted;
  }

  void attach_group(std::span<const PlannedProbe> probes) {
    Group group;
    for (const PlannedProbe &probe : probes)
      for (size_t i = 0; i < probe.places.size(); i++) {
        group.places.push_back(probe.places[i]);
        group.cookies.push_back(probe.cookie + (is_marker(probe) ? i : 0));
        group.owners.push_back(&probe);
      }
    const ProbeInfo &info = *probes.front().info;
    if (const auto session = plan_.sessions.find(info.program); session != plan_.sessions.end()) {
      if (!make_session(info, session->second)) return;
    } else if (is_return_of_session(info.program)) {
      return;  // attached with the entries
    }
    // The kernel cannot be interrupted within a call, so it gets so many at once that it is soon back.
    const size_t at_once = plan_.multi.contains(info.program) ? kMultiUpTo : 1;
    for (size_t i = 0; i < group.places.size() && !lacks_files(group); i += at_once)
      attach_range(group, i, std::min(at_once, group.places.size() - i));
    result_.probes += group.attached.size() * (result_.sessions.contains(&info) ? 2 : 1);
    report_refused(group, info, probes.size());
  }

  [[nodiscard]] bool is_return_of_session(const std::string &program) const {
    return std::ranges::any_of(plan_.sessions, [&](const auto &each) { return each.second == program; });
  }

  bool make_session(const ProbeInfo &info, const std::string &returning) {
    Result<SessionProgram> made =
        SessionProgram::make(object_.program(info.program), object_.program(returning), plan_.multi.at(info.program));
    if (made)
      result_.sessions.emplace(&info, *std::move(made));
    else
      report_probe(info, info.text, made.error(), manifest_.config.missing_probes, diagnostics_);
    return made.has_value();
  }

  // The kernel takes all of a call or none: halves lead to those that it does not want.
  void attach_range(Group &group, size_t first, size_t count) {
    if (interrupted()) return;
    const PlannedProbe &probe = *group.owners[first];
    const bool multi = plan_.multi.contains(probe.info->program);
    int pid = env_.attach_pid;
    if (pid == 0 && probe.provider->in_user_code() && (!multi || has_feature(Feature::UprobeMultiPid)))
      pid = env_.child_pid;
    AttachOptions options{object_.program(probe.info->program), group.cookies[first], pid, env_.unsafe};
    if (const auto session = result_.sessions.find(probe.info); session != result_.sessions.end()) {
      options.prog_fd = session->second.fd();
      options.session = true;
    }
    const bool watches = probe.provider->watching() != Watching::Nothing;
    if (watches && !group.places[first].target.has_address) {
      watch_argument(group, first, options);
      return;
    }
    Result<Attachment> attachment =
        multi     ? probe.provider->attach_many(std::span(group.places).subspan(first, count),
                                                std::span(group.cookies).subspan(first, count), options)
        : watches ? watch_address(*probe.provider, group.places[first], options)
                  : probe.provider->attach(group.places[first], options);
    if (!attachment && count > 1 && !hopeless(attachment.error().sys_errno)) {
      attach_range(group, first, count / 2);
      attach_range(group, first + count / 2, count - count / 2);
      return;
    }
    for (size_t i = first; i < first + count; i++) {
      if (attachment)
        group.attached.insert(group.owners[i]);
      else
        group.refused.emplace_back(group.owners[i], attachment.error());
    }
    if (attachment) {
      if (watches) result_.watchpoints.emplace(group.places[first].target.address, result_.attachments.size());
      if (const std::string &pin = group.places[first].target.pin; !pin.empty())
        result_.pins.push_back({attachment->fds().front(), pin, &probe});
      else if (probe.provider->is_iterator())
        result_.iterators.push_back(attachment->fds().front());
      result_.attachments.push_back(*std::move(attachment));
    }
    progress_.step(count);
  }

  // In each process that is meant: those that end meanwhile do not matter.
  Result<Attachment> watch_address(const Provider &provider, const AttachPlace &place, AttachOptions options) {
    if (processes_.empty() || is_of_kernel(place)) return provider.attach(place, options);
    std::vector<int> fds;
    Result<Attachment> last;
    for (const int pid : processes_) {
      options.pid = pid;
      last = provider.attach(place, options);
      if (!last && last.error().sys_errno != ESRCH) return last;
      if (last) std::ranges::copy(last->release(), std::back_inserter(fds));
    }
    return fds.empty() ? std::move(last) : Attachment(std::move(fds));
  }

  // At first the function's entry; the address becomes known when it is called.
  void watch_argument(Group &group, size_t first, const AttachOptions &options) {
    const PlannedProbe &probe = *group.owners[first];
    Result<void> added;
    if (!result_.arguments) {
      Result<std::unique_ptr<ArgumentWatches>> made = ArgumentWatches::make();
      if (made)
        result_.arguments = *std::move(made);
      else
        added = std::unexpected(std::move(made).error());
    }
    if (added)
      added =
          result_.arguments->add({probe.provider, group.places[first], options, probe.info->span, probe.info->text});
    if (added)
      group.attached.insert(&probe);
    else
      group.refused.emplace_back(&probe, added.error());
    progress_.step(1);
  }

  // All that follow would be refused as well, and each of them would be some 50 ms of waiting for the kernel.
  static bool lacks_files(const Group &group) {
    return !group.refused.empty() && out_of_files(group.refused.back().second.sys_errno);
  }

  // Fewer places would change nothing.
  static bool hopeless(int error) {
    return error == EPERM || error == EACCES || error == ENOMEM || out_of_files(error);
  }

  // Of what a wildcard matches, some may be out of reach; a name that somebody wrote may not.
  void report_refused(const Group &group, const ProbeInfo &info, size_t probes) {
    if (group.refused.empty()) return;
    const auto &[first, error] = group.refused.front();
    if (probes > 1 && !group.attached.empty() && !lacks_files(group)) {
      std::set<const PlannedProbe *> lost;
      for (const auto &[probe, why] : group.refused)
        if (!group.attached.contains(probe)) lost.insert(probe);
      if (lost.empty() || manifest_.config.missing_probes == "ignore") return;
      diagnostics_.emit(diag::PartlyAttached, info.span, lost.size(), probes, info.text, error.message)
          .with_hint("the first is `" + first->text + "`");
      return;
    }
    report_probe(info, probes > 1 ? info.text : first->text, error, manifest_.config.missing_probes, diagnostics_);
  }

  const AttachPlan &plan_;
  const LoadedObject &object_;
  const Manifest &manifest_;
  const ProbeEnvironment &env_;
  std::vector<int> processes_;
  Diagnostics &diagnostics_;
  Progress progress_;
  AttachResult result_;
};

}  // namespace

void detach_watchpoints(AttachResult &attached, uint64_t address) {
  const auto [first, last] = attached.watchpoints.equal_range(address);
  for (auto it = first; it != last; ++it) attached.attachments[it->second] = Attachment();
  attached.watchpoints.erase(first, last);
  if (attached.arguments) attached.arguments->forget(address);
}

void watch_arguments(AttachResult &attached, Diagnostics &diagnostics) {
  for (ArgumentWatches::Set &set : attached.arguments->take(diagnostics)) {
    attached.watchpoints.emplace(set.address, attached.attachments.size());
    attached.attachments.push_back(std::move(set.attachment));
  }
}

AttachResult attach_all(const AttachPlan &plan, const LoadedObject &object, const Manifest &manifest,
                        const ProbeEnvironment &env, std::vector<int> processes, bool quiet, Diagnostics &diagnostics) {
  if (const int map = object.map("awl_usdt"); map >= 0) {  // programs look the arguments of markers up there
    for (uint32_t i = 0; i < plan.usdt.size(); i++) {
      if (bpf_map_update_elem(map, &i, &plan.usdt[i], BPF_ANY) == 0) continue;
      diagnostics.emit(diag::RunFailed, Span{}, std::string("name the arguments of a marker: ") + strerror(errno));
      return {};
    }
  }
  return Attacher(plan, object, manifest, env, std::move(processes), quiet, diagnostics).attach();
}

}  // namespace awl
