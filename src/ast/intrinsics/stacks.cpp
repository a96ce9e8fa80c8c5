// kstack and ustack.
#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

constexpr int64_t kMaxFrames = 127;  // kernel.perf_event_max_stack by default

std::optional<StackMode> mode_of(std::string_view word) {
  if (word == "bpftrace") return StackMode::Bpftrace;
  if (word == "perf") return StackMode::Perf;
  if (word == "raw") return StackMode::Raw;
  if (word == "folded") return StackMode::Folded;
  return std::nullopt;
}

// kstack, kstack(3), kstack(perf), kstack(perf, 3).
const Type *infer_stack(Inference &in, const CallSite &call, bool user) {
  StackMode mode = in.input().config.stack_mode;
  int64_t frames = kMaxFrames;
  size_t next = 0;
  if (const auto *word = call.args.empty() ? nullptr : as<Identifier>(call.args[0])) {
    if (std::optional<StackMode> given = mode_of(word->name))
      mode = *given;
    else
      in.error(diag::BadName, word->span, call.function->name, "mode `" + word->name + "`",
               "there are bpftrace, perf, raw and folded");
    next = 1;
  }
  if (next < call.args.size()) frames = in.constant_argument(call, next, 1, 1024, "the number of frames");
  return in.store().stack(user, mode, static_cast<uint32_t>(std::min(frames, kMaxFrames)));
}

const Type *infer_kstack(Inference &in, const CallSite &call) { return infer_stack(in, call, false); }
const Type *infer_ustack(Inference &in, const CallSite &call) { return infer_stack(in, call, true); }

typed::ValuePtr lower_stack(Lowering &low, const CallSite &call) {
  const Type *type = low.type(call.node);
  auto out = make_value<typed::StackTrace>(type, call.node->span);
  out->map = low.stack_map(type->stack_frames);
  return out;
}

constexpr Intrinsic kTable[] = {
    {"kstack", infer_kstack, lower_stack},
    {"ustack", infer_ustack, lower_stack},
};

}  // namespace

std::span<const Intrinsic> stack_intrinsics() { return kTable; }

}  // namespace awl::ast
