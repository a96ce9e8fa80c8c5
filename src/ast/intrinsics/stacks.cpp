// kstack, ustack, and how deep they are.
#include <linux/bpf.h>

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

// len(kstack): the frames go into memory of the program and are counted there; a map of stacks cannot be asked.
const Type *infer_len(Inference &in, const CallSite &call) {
  if (as<MapAccess>(call.args[0])) {
    in.error(diag::NotSupported, call.node->span, "`len` of a map");
    return in.store().int64();
  }
  const Type *type = in.infer(call.args[0]);
  if (!type || type->is_poison()) return in.store().int64();
  if (type->kind != TypeKind::Stack)
    in.error(diag::ArgumentType, call.args[0]->span, 1, "len", describe(type), "a map or a stack");
  else if (!call_site(in.input().functions, call.args[0]))
    in.error(diag::NotSupported, call.args[0]->span, "`len` of a stack that was kept")
        .with_hint("take it with the stack: `$n = len(kstack)`");
  return in.store().int64();
}

typed::ValuePtr lower_len(Lowering &low, const CallSite &call) {
  TypeStore &store = low.store();
  Span span = call.node->span;
  const Type *stack = low.type(call.args[0]);
  const Type *i64 = store.int64();
  auto frames = make_value<typed::MemoryAddress>(store.uint64(), span);
  frames->operand = make_value<typed::Compose>(store.array(store.uint64(), stack->stack_frames), span);
  auto bytes = make_value<typed::HelperCall>(i64, span);
  bytes->helper = BPF_FUNC_get_stack;
  bytes->args.push_back(make_value<typed::CtxPointer>(store.uint64(), span));
  bytes->args.push_back(std::move(frames));
  bytes->args.push_back(make_const(store.uint64(), 8ULL * stack->stack_frames, span));
  bytes->args.push_back(make_const(store.uint64(), stack->stack_user ? BPF_F_USER_STACK : 0, span));
  uint32_t local = low.new_local(i64);
  low.set_local(local, std::move(bytes), span);
  auto out = make_value<typed::Select>(i64, span);
  out->condition =
      make_binary(typed::Op::Less, true, low.get_local(local, span), make_const(i64, 0, span), store.boolean());
  out->then = make_const(i64, 0, span);
  out->otherwise = make_binary(typed::Op::ShiftRight, false, low.get_local(local, span), make_const(i64, 3, span), i64);
  return out;
}

constexpr Intrinsic kTable[] = {
    {"len", infer_len, lower_len},
    {"kstack", infer_kstack, lower_stack},
    {"ustack", infer_ustack, lower_stack},
};

}  // namespace

std::span<const Intrinsic> stack_intrinsics() { return kTable; }

}  // namespace awl::ast
