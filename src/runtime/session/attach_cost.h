// What it will roughly cost to attach a plan, told before it is done with thousands of probes.
#pragma once

#include <string>

#include "runtime/session/attach.h"

namespace awl {

struct AttachCost {
  double attach_ns = 0;  // until all are attached
  double event_ns = 0;   // added to one event, of the dearest kind of probe
};

AttachCost estimate_cost(const AttachPlan &plan);

// "0.8 us", "12 s"
std::string shown_time(double ns);

}  // namespace awl
