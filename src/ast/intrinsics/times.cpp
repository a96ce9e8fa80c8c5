// Time as text: time, strftime.
#include <linux/bpf.h>

#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

const Type *infer_time(Inference &in, const CallSite &) { return in.store().void_type(); }
typed::ValuePtr lower_time(Lowering &low, const CallSite &call) {
  Action action;
  action.kind = ActionKind::Time;
  action.format = call.args.empty() ? "%H:%M:%S\n" : *low.literal(call.args[0]);
  low.emit(std::move(action), {}, call.node->span);
  return nullptr;
}

const Type *infer_strftime(Inference &in, const CallSite &) { return in.store().display_type(Display::Timestamp); }
typed::ValuePtr lower_strftime(Lowering &low, const CallSite &call) {
  const Type *u32 = low.store().integer(4, false);
  Span span = call.node->span;
  ClockId clock = ClockId::Boot;
  typed::ValuePtr given;
  if (call.args.size() > 1) {
    given = low.value_as(call.args[1], low.store().uint64());
  } else {
    auto now = make_value<typed::HelperCall>(low.store().uint64(), span);
    now->helper = BPF_FUNC_ktime_get_boot_ns;
    given = std::move(now);
  }
  if (const auto *nsecs = call.args.size() > 1 ? as<Call>(call.args[1]) : nullptr;
      nsecs && nsecs->name == "nsecs" && nsecs->args.size() == 1)
    if (const auto *word = as<Identifier>(nsecs->args[0]))
      clock = word->name == "monotonic"     ? ClockId::Monotonic
              : word->name.ends_with("tai") ? ClockId::Tai
                                            : ClockId::Boot;
  auto out = make_value<typed::Compose>(low.type(call.node), span);
  out->parts.emplace_back(0, std::move(given));
  out->parts.emplace_back(8, make_const(u32, low.string_index(*low.literal(call.args[0])), span));
  out->parts.emplace_back(12, make_const(u32, static_cast<uint64_t>(clock), span));
  return out;
}

constexpr Intrinsic kTable[] = {{"time", infer_time, lower_time}, {"strftime", infer_strftime, lower_strftime}};

}  // namespace

std::span<const Intrinsic> time_intrinsics() { return kTable; }

}  // namespace awl::ast
