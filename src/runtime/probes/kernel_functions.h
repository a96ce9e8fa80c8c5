// Which functions of the kernel can be probed.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

struct KernelFunction {
  std::string name;
  std::string module;  // "" for the kernel itself
  friend auto operator<=>(const KernelFunction &, const KernelFunction &) = default;
};

// Functions matching both patterns, sorted, without those the kernel refuses to probe, as far as it tells.
// An empty module pattern means any; "vmlinux" is the kernel itself.
Result<std::vector<KernelFunction>> kernel_functions(std::string_view module, std::string_view name,
                                                     const ProbeRoots &roots);

// All functions in /proc/kallsyms with their addresses, which are 0 without the right to see them.
Result<> each_kernel_function_address(
    const ProbeRoots &roots,
    const std::function<void(std::string_view module, std::string_view name, uint64_t)> &visit);

// False if the list of functions that ftrace can trace is empty, missing or locked by the kernel: nothing can be
// attached to them but kprobes. True where only this user may not read it.
bool kernel_traces_functions(const ProbeRoots &roots);

// Does the function exist? Quick for functions of the kernel itself where there is BTF.
Result<bool> kernel_function_exists(std::string_view module, std::string_view name, const ProbeRoots &roots);

}  // namespace awl
