// What ends: exit, assert, unwatch.
#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

const Type *infer_none(Inference &in, const CallSite &) { return in.store().void_type(); }

// The record goes first, then all programs stop at once, then this one returns.
void emit_exit(Lowering &low, typed::ValuePtr code, Span span) {
  Action action;
  action.kind = ActionKind::Exit;
  typed::Values args;
  args.push_back(std::move(code));
  low.emit(std::move(action), std::move(args), span);
  low.add(make_step<typed::Stop>(span));
  auto leave = make_step<typed::Leave>(span);
  leave->what = typed::LeaveKind::Probe;
  low.add(std::move(leave));
}

typed::ValuePtr lower_exit(Lowering &low, const CallSite &call) {
  const Type *i64 = low.store().int64();
  typed::ValuePtr code = call.args.empty() ? make_const(i64, 0, call.node->span) : low.value_as(call.args[0], i64);
  emit_exit(low, std::move(code), call.node->span);
  return nullptr;
}

typed::ValuePtr lower_assert(Lowering &low, const CallSite &call) {
  Span span = call.node->span;
  auto branch = make_step<typed::Branch>(span);
  branch->condition = low.value(call.args[0]);
  branch->otherwise = low.collect([&] {
    Action action;
    action.kind = ActionKind::Errorf;
    std::string message = low.literal(call.args[1]).value_or("");
    for (char c : message) action.format += c == '%' ? "%%" : std::string(1, c);
    low.emit(std::move(action), {}, span);
    emit_exit(low, make_const(low.store().int64(), 1, span), span);
  });
  low.add(std::move(branch));
  return nullptr;
}

typed::ValuePtr lower_unwatch(Lowering &low, const CallSite &call) {
  Action action;
  action.kind = ActionKind::Unwatch;
  typed::Values args;
  args.push_back(low.value_as(call.args[0], low.store().uint64()));
  low.emit(std::move(action), std::move(args), call.node->span);
  return nullptr;
}

constexpr Intrinsic kTable[] = {
    {"exit", infer_none, lower_exit},
    {"assert", infer_none, lower_assert},
    {"unwatch", infer_none, lower_unwatch},
};

}  // namespace

std::span<const Intrinsic> control_intrinsics() { return kTable; }

}  // namespace awl::ast
