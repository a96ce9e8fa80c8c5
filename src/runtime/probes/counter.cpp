// software and hardware: after every so many events of one of perf's counters, on each CPU.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

struct Counter {
  std::string_view name, alias;
  uint64_t config;
  uint64_t usual;  // events between two firings if the script gives no number
};

constexpr Counter kSoftware[] = {
    {"alignment-faults", "", PERF_COUNT_SW_ALIGNMENT_FAULTS, 1},
    {"bpf-output", "", PERF_COUNT_SW_BPF_OUTPUT, 1},
    {"context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
    {"cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1'000'000},
    {"cpu-migrations", "", PERF_COUNT_SW_CPU_MIGRATIONS, 1},
    {"dummy", "", PERF_COUNT_SW_DUMMY, 1},
    {"emulation-faults", "", PERF_COUNT_SW_EMULATION_FAULTS, 1},
    {"major-faults", "", PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1},
    {"minor-faults", "", PERF_COUNT_SW_PAGE_FAULTS_MIN, 100},
    {"page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100},
    {"task-clock", "", PERF_COUNT_SW_TASK_CLOCK, 1},
};

constexpr Counter kHardware[] = {
    {"backend-stalls", "", PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1'000'000},
    {"branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100'000},
    {"branch-misses", "", PERF_COUNT_HW_BRANCH_MISSES, 100'000},
    {"bus-cycles", "", PERF_COUNT_HW_BUS_CYCLES, 100'000},
    {"cache-misses", "", PERF_COUNT_HW_CACHE_MISSES, 1'000'000},
    {"cache-references", "", PERF_COUNT_HW_CACHE_REFERENCES, 1'000'000},
    {"cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1'000'000},
    {"frontend-stalls", "", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1'000'000},
    {"instructions", "", PERF_COUNT_HW_INSTRUCTIONS, 1'000'000},
    {"ref-cycles", "", PERF_COUNT_HW_REF_CPU_CYCLES, 1'000'000},
};

class CounterProvider : public Provider {
 public:
  explicit CounterProvider(bool hardware) : hardware_(hardware) {}
  std::string_view name() const override { return hardware_ ? "hardware" : "software"; }
  std::vector<std::string_view> aliases() const override { return {hardware_ ? "h" : "s"}; }
  std::string_view syntax() const override { return hardware_ ? "hardware:EVENT[:COUNT]" : "software:EVENT[:COUNT]"; }
  std::string_view doc() const override {
    return hardware_ ? "after COUNT events of the processor, in what runs there"
                     : "after COUNT events that the kernel counts, in what runs there";
  }
  bool listed_by_default() const override { return true; }
  bool shares_program() const override { return false; }  // takes no wildcards
  bool attaches_forward() const override { return true; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &) const override {
    if (target.wildcard())
      return fail(fmt::format("`{}` takes no wildcard", name()), fmt::format("`-l '{}:*'` lists its events", name()));
    return std::vector<ProbeTarget>{target};
  }
  Result<ProbeContext> context(const ProbeTarget &, bool, const ProbeEnvironment &) const override {
    ProbeContext context;
    context.prog_type = ProgType::PerfEvent;
    context.has_regs = true;  // struct bpf_perf_event_data starts with them
    // In the program: a perf event bound to a process would see its first thread only.
    context.filter_pid = true;
    return context;
  }
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool, const ProbeEnvironment &) const override;

 private:
  [[nodiscard]] std::span<const Counter> counters() const {
    return hardware_ ? std::span<const Counter>(kHardware) : std::span<const Counter>(kSoftware);
  }
  [[nodiscard]] const Counter *find(std::string_view wanted) const {
    for (const Counter &counter : counters())
      if (counter.name == wanted || (!counter.alias.empty() && counter.alias == wanted)) return &counter;
    return nullptr;
  }

  bool hardware_;
};

Result<ProbeTarget> CounterProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const {
  if (parts.empty() || parts.size() > 2 || parts[0].empty()) return wrong_parts(*this, parts.size());
  ProbeTarget target;
  target.provider = name();
  target.name = parts[0];
  if (has_wildcard(parts[0])) return target;
  const Counter *counter = find(parts[0]);
  if (!counter) {
    std::vector<std::string> names;
    for (const Counter &known : counters())
      for (std::string_view name : {known.name, known.alias})
        if (!name.empty()) names.emplace_back(name);
    return unknown_name(fmt::format("{} event", name()), parts[0], names);
  }
  target.count = counter->usual;
  if (parts.size() == 2 && !parts[1].empty()) {
    auto count = parse_unsigned(parts[1]);
    if (!count || *count == 0)
      return fail(fmt::format("`{}` is not a number of events", parts[1]), fmt::format("write `{}`", syntax()));
    target.count = *count;
  }
  return target;
}

Result<Attachment> CounterProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  const Counter *counter = find(place.target.name);
  if (!counter) return fail(fmt::format("no {} event `{}`", name(), place.target.name));
  perf_event_attr attr{};
  attr.type = hardware_ ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
  attr.config = counter->config;
  attr.sample_period = place.target.count;
  auto attachment = attach_on_cpus(attr, online_cpus(), options);
  if (attachment || !hardware_) return attachment;
  int reason = attachment.error().sys_errno;
  if (reason != ENOENT && reason != EOPNOTSUPP && reason != ENODEV) return attachment;
  return fail(fmt::format("this machine does not count `{}`", counter->name),
              "virtual machines often have no performance counters");
}

Result<std::vector<ListEntry>> CounterProvider::list(const ProbeTarget &pattern, bool, const ProbeEnvironment &) const {
  std::vector<ListEntry> out;
  for (const Counter &counter : counters())
    for (std::string_view shown : {counter.name, counter.alias})
      if (!shown.empty() && (pattern.name.empty() || glob_match(pattern.name, shown)))
        out.push_back({fmt::format("{}:{}:", name(), shown), {}});
  return out;
}

}  // namespace

const Provider &software_provider() {
  static const CounterProvider provider(false);
  return provider;
}

const Provider &hardware_provider() {
  static const CounterProvider provider(true);
  return provider;
}

}  // namespace awl
