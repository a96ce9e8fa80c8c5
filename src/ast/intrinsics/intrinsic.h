// Intrinsics: functions whose type rule or lowering the language cannot express. One record a function; the
// declaration in stdlib names it with [[intrinsic(name)]]. One file a family, all listed in intrinsics.cpp.
#pragma once

#include <span>
#include <string_view>

#include "ast/passes/inference.h"
#include "ast/passes/lowering.h"

namespace awl::ast {

struct Intrinsic {
  std::string_view name;
  // Type of the call; arguments were already checked against the declaration. Reports what it alone can know.
  const Type *(*infer)(Inference &, const CallSite &);
  // The typed value; null for functions that give none. Steps go to Lowering::add().
  typed::ValuePtr (*lower)(Lowering &, const CallSite &);
};

const Intrinsic *find_intrinsic(std::string_view name);

// The families.
std::span<const Intrinsic> builtin_intrinsics();  // comm, nsecs, args, retval, ...
std::span<const Intrinsic> memory_intrinsics();   // str, buf, strncmp, memcmp, ...
std::span<const Intrinsic> string_intrinsics();   // strlen, strstr, patterns, strerror, ...
std::span<const Intrinsic> path_intrinsics();     // path
std::span<const Intrinsic> unsafe_intrinsics();   // signal, override, write_user, debugf
std::span<const Intrinsic> stack_intrinsics();    // kstack, ustack, len
std::span<const Intrinsic> symbol_intrinsics();   // ksym, usym, kaddr, uaddr, reg
std::span<const Intrinsic> network_intrinsics();  // ntop, pton, macaddr, bswap
std::span<const Intrinsic> time_intrinsics();     // strftime, time
std::span<const Intrinsic> print_intrinsics();    // printf, print, cat, system, join, ...
std::span<const Intrinsic> map_intrinsics();      // clear, zero, delete, has_key, find
std::span<const Intrinsic> control_intrinsics();  // exit, assert
std::span<const Intrinsic> cgroup_intrinsics();   // cgroupid, cgroup_path
std::span<const Intrinsic> meta_intrinsics();     // is_*, typeinfo, static_assert, fail, getopt

}  // namespace awl::ast
