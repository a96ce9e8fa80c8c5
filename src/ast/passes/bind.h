// Binding: each attach point meets its provider. The result is a list of units, one per BPF program.
#pragma once

#include <string>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "runtime/image/manifest.h"
#include "runtime/probes/provider.h"

namespace awl::ast {

// What one BPF program is made from: a body of its own, for one attach point (which may stand for many
// targets that share the program). Or a function of the script, which has no target and an empty context.
struct Unit {
  ProbeTarget target;  // with wildcards if the program serves all that they match
  std::string text;    // canonical attach point
  ProbeContext context;
  Span span;  // of the attach point
  Expr *predicate = nullptr;
  Block *body = nullptr;
  uint32_t source_index = 0;  // order in the script
  const Function *function = nullptr;
  bool reached = true;  // a function that no probe calls is checked, but not compiled

  [[nodiscard]] bool is_run_by_session() const { return awl::is_run_by_session(target.provider); }
  // An iterator whose text goes to who reads a file in the BPF file system, not to awl.
  [[nodiscard]] bool is_pinned() const { return context.prog_type == ProgType::Iter && !target.pin.empty(); }
};

// Replaces `$1` in an attach point by the parameter's text.
std::string substitute_params(std::string_view text, const std::vector<std::string> &params);
// The number of the last parameter that an attach point takes, 0 if it takes none.
uint64_t greatest_param(std::string_view text);

std::vector<Unit> bind_probes(Program &program, const std::vector<std::string> &params,
                              const ProbeEnvironment &environment, Diagnostics &diagnostics);

// True if the unit's predicate or body mentions this builtin.
bool mentions(const Unit &unit, std::string_view builtin);

}  // namespace awl::ast
