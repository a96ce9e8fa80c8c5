#include "runtime/session/attach_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace awl {
namespace {

// User probes, tracepoints and raw tracepoints as measured on Linux 6.18; kernel functions as estimated from 6.12 in an
// emulator. What counts is the order of magnitude.
struct Cost {
  std::string_view provider;
  double alone_ns, in_link_ns;  // to attach one place
  double event_ns;
};
constexpr double kMicro = 1000, kMilli = 1'000'000;
constexpr Cost kOther = {"", 200 * kMicro, 200 * kMicro, 100};
constexpr std::array kCosts = {
    Cost{"kprobe", 1 * kMilli, 50 * kMicro, 150},
    Cost{"kretprobe", 1 * kMilli, 50 * kMicro, 300},
    Cost{"fentry", 5 * kMilli, 5 * kMilli, 50},  // a trampoline for each, made while all CPUs wait
    Cost{"fexit", 5 * kMilli, 5 * kMilli, 80},
    Cost{"tracepoint", 200 * kMicro, 200 * kMicro, 170},
    Cost{"rawtracepoint", 100 * kMicro, 100 * kMicro, 90},
    Cost{"uprobe", 4 * kMilli, 100 * kMicro, 800},
    Cost{"uretprobe", 4 * kMilli, 100 * kMicro, 1200},
    Cost{"usdt", 4 * kMilli, 100 * kMicro, 800},
};

}  // namespace

AttachCost estimate_cost(const AttachPlan &plan) {
  AttachCost total;
  for (const PlannedProbe &probe : plan.probes) {
    const auto *row = std::ranges::find(kCosts, probe.provider->name(), &Cost::provider);
    const Cost &cost = row == kCosts.end() ? kOther : *row;
    const bool linked = plan.multi.contains(probe.info->program);
    total.attach_ns += static_cast<double>(probe.places.size()) * (linked ? cost.in_link_ns : cost.alone_ns);
    total.event_ns = std::max(total.event_ns, cost.event_ns);
  }
  return total;
}

std::string shown_time(double ns) {
  if (ns < kMicro) return fmt::format("{:.0f} ns", ns);
  if (ns < kMilli) return fmt::format("{:.1f} us", ns / kMicro);
  if (ns < 1000 * kMilli) return fmt::format("{:.0f} ms", ns / kMilli);
  return fmt::format("{:.0f} s", ns / (1000 * kMilli));
}

}  // namespace awl
