// The words that tracing programs find in their context, as the kernel's BTF describes them; and what the providers
// of such programs have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/probes/provider.h"

namespace awl {

// The struct behind `args` (Origin::Context): one member for each argument, for `fexit` also "retval". `kind`:
// "fentry", "fexit", "rawtracepoint" or "iter". nullopt if the kernel does not describe it.
Result<std::optional<const Type *>> find_context_record(std::string_view kind, std::string_view module,
                                                        std::string_view name, const ProbeEnvironment &env);

// "struct file * file", ...: its members as -lv shows them.
std::vector<std::string> describe_context_record(const Type *record);

// "KIND:[MODULE:]NAME", with the members of its record if `verbose`.
ListEntry context_list_entry(std::string_view kind, std::string_view module, std::string_view name, bool verbose,
                             const ProbeEnvironment &env);

// What the kernel describes by types that are called PREFIX and a name which matches the pattern: the names, sorted.
std::vector<std::string> described_names(std::string_view prefix, std::string_view pattern,
                                         const ProbeEnvironment &env);

// "[MODULE:]NAME"
Result<ProbeTarget> parse_in_module(const Provider &provider, const std::vector<std::string> &parts);

}  // namespace awl
