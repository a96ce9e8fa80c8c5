// What debug information tells a uprobe of the program that it stops: parameters, local variables, the result.
#pragma once

#include <optional>

#include "runtime/probes/provider.h"

namespace awl {

// General registers that carry arguments: arg0, arg1, ...
#if defined(__x86_64__)
constexpr uint32_t kUprobeArgs = 6;
#else
constexpr uint32_t kUprobeArgs = 8;
#endif

// The function at whose first instruction the target is; nullopt if there is no debug information about it, or if the
// compiler changed its parameters ("f.isra.0").
Result<std::optional<UserFunction>> function_of(const ProbeTarget &target, const ProbeEnvironment &env);

// Sets what `retval` is: it has the type of the result where that says more than a number of 64 bits and breaks nothing
// that counts or compares it: integers, truth values, pointers to structs. A struct in memory is reached by its
// address.
void add_result(ProbeContext &context, const UserFunction &function, TypeStore &types);

// Sets `args`: at the entry of a function its parameters, elsewhere the variables in scope. Leaves it null without
// debug information.
Result<void> add_args(ProbeContext &context, const ProbeTarget &target, const ProbeEnvironment &env);

}  // namespace awl
