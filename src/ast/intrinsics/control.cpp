// What ends or signals: exit, assert, signal.
#include <linux/bpf.h>
#include <string.h>

#include <csignal>

#include "ast/intrinsics/intrinsic.h"
#include "base/strings.h"

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
  low.add(make_step<typed::Leave>(span));
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

std::optional<int> signal_number(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int i = 1; i < 32; i++)
    if (const char *abbreviation = sigabbrev_np(i); abbreviation && name == abbreviation) return i;
  return std::nullopt;
}

const Type *infer_signal(Inference &in, const CallSite &call) {
  if (auto name = as<StringLiteral>(call.args[0])) {
    if (!signal_number(name->value))
      in.error(diag::BadName, name->span, "signal", "`" + name->value + "`", "no such signal");
  } else if (auto number = in.constant(call.args[0])) {
    if (*number < 1 || *number > 64) in.error(diag::OutOfRange, call.args[0]->span, "the signal", *number, "1 to 64");
  }
  return in.store().void_type();
}

typed::ValuePtr lower_signal(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::HelperCall>(low.store().int64(), call.node->span);
  out->helper = BPF_FUNC_send_signal;
  if (auto name = as<StringLiteral>(call.args[0]))
    out->args.push_back(make_const(low.store().int64(), static_cast<uint64_t>(signal_number(name->value).value_or(0)),
                                   call.node->span));
  else
    out->args.push_back(low.value(call.args[0]));
  auto step = make_step<typed::Evaluate>(call.node->span);
  step->value = std::move(out);
  low.add(std::move(step));
  return nullptr;
}

constexpr Intrinsic kTable[] = {
    {"exit", infer_none, lower_exit},
    {"assert", infer_none, lower_assert},
    {"signal", infer_signal, lower_signal},
};

}  // namespace

std::span<const Intrinsic> control_intrinsics() { return kTable; }

}  // namespace awl::ast
