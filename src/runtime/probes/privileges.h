// What stands between this process and the BPF system call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace awl {

// Effective capabilities that tracing needs and this process lacks: "CAP_BPF", "CAP_PERFMON".
std::vector<std::string> missing_capabilities();
std::vector<std::string> missing_capabilities(uint64_t effective);

// "integrity", "confidentiality"; "" if the kernel is not locked down.
std::string kernel_lockdown();
std::string parse_lockdown(const std::string &text);

}  // namespace awl
