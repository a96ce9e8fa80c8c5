#include "runtime/session/attach_cost.h"

#include <fmt/format.h>

#include <algorithm>

namespace awl {
namespace {

constexpr double kMicro = 1000, kMilli = 1'000'000;

}  // namespace

AttachCost estimate_cost(const AttachPlan &plan) {
  AttachCost total;
  for (const PlannedProbe &probe : plan.probes) {
    const ProbeCost cost = probe.provider->cost();
    const bool linked = plan.multi.contains(probe.info->program);
    total.attach_ns += static_cast<double>(probe.places.size()) * (linked ? cost.attach_in_link : cost.attach);
    total.event_ns = std::max(total.event_ns, cost.event);
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
