// perf_event_open(2): how every provider but begin/end attaches, and what sysfs says about it.
#pragma once

#include <linux/perf_event.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

// A dynamic PMU ("kprobe", "uprobe") of /sys/bus/event_source/devices.
struct DynamicPmu {
  uint32_t type = 0;
  uint32_t return_bit = 0;       // of attr.config: fire at the return
  uint32_t semaphore_shift = 0;  // of attr.config: offset of the reference counter; 0 if the kernel has none (< 4.20)
};

// nullopt: the kernel was built without it.
Result<std::optional<DynamicPmu>> find_pmu(std::string_view name, const std::string &sysfs = "/sys");

// Never empty.
std::vector<int> online_cpus(const std::string &sysfs = "/sys");

// Opens the event for a process (`pid` > 0, any CPU) or a CPU (`pid` = -1). Nothing fires before a program is set.
Result<int> open_perf_event(perf_event_attr &attr, int pid, int cpu);

// The event on each of these CPUs, or of each of these processes or threads, with the program connected: all or none.
// CPUs that went offline and threads that ended meanwhile are left out, unless there is nothing else.
Result<Attachment> attach_on_cpus(const perf_event_attr &attr, const std::vector<int> &cpus,
                                  const AttachOptions &options);
Result<Attachment> attach_to_tasks(const perf_event_attr &attr, const std::vector<int> &tasks,
                                   const AttachOptions &options);

// Connects a program to a perf event, which it takes over: closing the returned descriptors detaches.
Result<Attachment> attach_to_perf_event(int event_fd, const AttachOptions &options);

}  // namespace awl
