// The words that tracing programs find in their context, as the kernel's BTF describes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/probes/provider.h"

namespace awl {

// The struct behind `args` (Origin::Context): one member for each argument, for `fexit` also "retval". `kind`:
// "fentry", "fexit" or "rawtracepoint". nullopt if the kernel does not describe it.
Result<std::optional<const Type *>> find_context_record(std::string_view kind, std::string_view module,
                                                        std::string_view name, const ProbeEnvironment &env);

// "struct file * file", ...: its members as -lv shows them.
std::vector<std::string> describe_context_record(const Type *record);

}  // namespace awl
