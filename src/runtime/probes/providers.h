// The providers, one file each. To add one: its file, a line here, a line in providers.cpp.
#pragma once

#include "runtime/probes/provider.h"

namespace awl {

const Provider &begin_provider();
const Provider &end_provider();
const Provider &kprobe_provider();
const Provider &kretprobe_provider();
const Provider &tracepoint_provider();
const Provider &fentry_provider();
const Provider &fexit_provider();
const Provider &raw_tracepoint_provider();
const Provider &iter_provider();
const Provider &software_provider();
const Provider &hardware_provider();
const Provider &watchpoint_provider();
const Provider &async_watchpoint_provider();
const Provider &uprobe_provider();
const Provider &uretprobe_provider();
const Provider &usdt_provider();
const Provider &profile_provider();
const Provider &interval_provider();
const Provider &self_provider();
const Provider &test_provider();
const Provider &bench_provider();

}  // namespace awl
