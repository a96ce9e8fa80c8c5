// profile and interval: a timer on every CPU, or on one.
#include <fmt/format.h>

#include <array>

#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/providers.h"

namespace awl {

namespace {

struct Unit {
  std::string_view name;
  uint64_t nanoseconds;  // 0: a frequency
};
constexpr std::array kUnits = {Unit{"hz", 0}, Unit{"us", 1'000}, Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000},
                               Unit{"ns", 1}};
// Longer units exist in durations only ("interval:5m") and become seconds.
constexpr std::array kLongUnits = {Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86400}};
constexpr uint64_t kMinPeriod = 1000;

const Unit *find_unit(std::string_view name) {
  for (const Unit &unit : kUnits)
    if (unit.name == name) return &unit;
  return nullptr;
}

class TimerProvider : public Provider {
 public:
  TimerProvider(bool every_cpu) : every_cpu_(every_cpu) {}
  std::string_view name() const override { return every_cpu_ ? "profile" : "interval"; }
  std::vector<std::string_view> aliases() const override { return {every_cpu_ ? "p" : "i"}; }
  std::string_view syntax() const override {
    return every_cpu_ ? "profile:hz:N, profile:s|ms|us:N or profile:DURATION"
                      : "interval:s|ms|us:N, interval:hz:N or interval:DURATION";
  }
  std::string_view doc() const override {
    return every_cpu_ ? "regularly on every CPU, in what runs there" : "regularly, on one CPU";
  }

  bool shares_program() const override { return false; }  // takes no wildcards
  bool attaches_forward() const override { return true; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &) const override {
    if (target.wildcard())
      return fail(fmt::format("`{}` takes no wildcard", name()), fmt::format("write `{}`", syntax()));
    return std::vector<ProbeTarget>{target};
  }
  Result<ProbeContext> context(const ProbeTarget &, bool, const ProbeEnvironment &) const override {
    ProbeContext context;
    context.prog_type = ProgType::PerfEvent;
    context.has_regs = true;  // struct bpf_perf_event_data starts with them
    // In the program: a perf event bound to a process would see its first thread only.
    context.filter_pid = every_cpu_;  // an interval is the script's own clock
    return context;
  }
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool, const ProbeEnvironment &) const override;

 private:
  bool every_cpu_;
};

// "10ms", "99hz", "1500" (nanoseconds)
Result<> parse_duration(std::string_view text, ProbeTarget &target) {
  size_t digits = std::min(text.find_first_not_of("0123456789_"), text.size());
  auto count = parse_unsigned(text.substr(0, digits));
  if (!count) return fail(fmt::format("`{}` is not a duration", text), "write e.g. `10ms`, `1s` or `hz:99`");
  std::string_view unit = digits == text.size() ? "ns" : text.substr(digits);
  target.count = *count;
  for (const Unit &candidate : kLongUnits) {
    if (candidate.name != unit) continue;
    if (__builtin_mul_overflow(*count, candidate.nanoseconds, &target.count))
      return fail(fmt::format("`{}` is too long", text));
    unit = "s";
    break;
  }
  if (!find_unit(unit)) return fail(fmt::format("unknown unit `{}`", unit), "units are ns, us, ms, s, m, h, d and hz");
  target.name = unit;
  return {};
}

Result<ProbeTarget> TimerProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const {
  ProbeTarget target;
  target.provider = name();
  if (parts.empty() || parts.size() > 2 || parts[0].empty()) return wrong_parts(*this, parts.size());
  bool pattern = has_wildcard(parts[0]);  // of a listing
  bool unit_only = parts.size() == 2 && (parts[1].empty() || has_wildcard(parts[1]));
  if (pattern || (unit_only && find_unit(parts[0]))) {
    target.name = pattern ? parts[0] : parts[0] + "*";
    return target;
  }
  if (parts.size() == 1) {
    TRY(parse_duration(parts[0], target));
  } else {
    target.name = lower(parts[0]);
    if (!find_unit(target.name)) return fail(fmt::format("unknown unit `{}`", parts[0]), "units are us, ms, s and hz");
    auto count = parse_unsigned(parts[1]);
    if (!count) return fail(fmt::format("`{}` is not a whole number", parts[1]), fmt::format("write `{}`", syntax()));
    target.count = *count;
  }
  if (target.count == 0) return fail(fmt::format("`{}` of 0 never fires", name()));
  uint64_t period = 0;
  uint64_t unit = find_unit(target.name)->nanoseconds;
  if (__builtin_mul_overflow(target.count, unit, &period) || period > INT64_MAX)
    return fail(fmt::format("`{}` {} is too long a period", target.count, target.name));
  if (unit != 0 && period < kMinPeriod)
    return fail(fmt::format("a period of {} ns is too short", period),
                parts.size() == 1 && parse_unsigned(parts[0])
                    ? fmt::format("write `{}:{}:{}` for {}", name(), every_cpu_ ? "hz" : "s", period,
                                  every_cpu_ ? "so many times a second" : "seconds")
                    : fmt::format("it must be at least {} ns", kMinPeriod));
  return target;
}

Result<Attachment> TimerProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_CPU_CLOCK;
  const Unit *unit = find_unit(place.target.name);
  if (!unit) return fail(fmt::format("unknown unit `{}`", place.target.name));
  if (unit->nanoseconds == 0) {
    attr.freq = 1;
    attr.sample_freq = place.target.count;
  } else {
    attr.sample_period = place.target.count * unit->nanoseconds;
  }
  std::vector<int> cpus = online_cpus();
  if (!every_cpu_) cpus.resize(1);
  auto attachment = attach_on_cpus(attr, cpus, options);
  if (!attachment && attachment.error().sys_errno == EINVAL && attr.freq)
    attachment.error().hint = "is it more than /proc/sys/kernel/perf_event_max_sample_rate?";
  return attachment;
}

Result<std::vector<ListEntry>> TimerProvider::list(const ProbeTarget &pattern, bool, const ProbeEnvironment &) const {
  std::vector<ListEntry> out;
  for (const Unit &unit : kUnits)
    if (unit.name != "ns" && (pattern.name.empty() || glob_match(pattern.name, unit.name)))
      out.push_back({fmt::format("{}:{}:", name(), unit.name), {}});
  return out;
}

}  // namespace

const Provider &profile_provider() {
  static const TimerProvider provider(true);
  return provider;
}

const Provider &interval_provider() {
  static const TimerProvider provider(false);
  return provider;
}

}  // namespace awl
