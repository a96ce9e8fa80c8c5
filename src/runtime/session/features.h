// What this kernel can do, found by trying, each feature once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace awl {

enum class Feature : uint8_t {
  PerfLink,        // BPF_LINK_CREATE on perf events with a cookie (5.15)
  UprobeMulti,     // 6.6
  UprobeMultiPid,  // such a link for one process (6.10; before that, for one thread)
  KprobeMulti,     // 5.18
  KprobeSession,   // 6.10
  UprobeSession,   // 6.13
  RingBuffer,      // 5.8
  MapBatch,        // 5.6
  RawTestRun,      // PROG_TEST_RUN of raw tracepoint programs (5.10)
  Kprobes,         // kprobe PMU present
  Btf,             // /sys/kernel/btf/vmlinux
};
constexpr size_t kFeatureCount = static_cast<size_t>(Feature::Btf) + 1;

bool has_feature(Feature feature);
// Does as if the kernel did not have it: --no-feature. False if there is no feature of this name.
bool disable_feature(std::string_view name);

// Why a feature can or cannot be used.
enum class FeatureState : uint8_t {
  Present,
  NotConfigured,  // this kernel was built without it, or is older
  Refused,        // it is there, but the kernel answered with an error
  NotAllowed,     // privileges are missing
};

struct FeatureReport {
  Feature feature;
  std::string name;  // "uprobe_multi"
  bool present = false;
  std::string detail;  // why not: "not configured", "refused: ...", "since 6.6"
  FeatureState state = FeatureState::Present;
};
std::vector<FeatureReport> all_features();

}  // namespace awl
