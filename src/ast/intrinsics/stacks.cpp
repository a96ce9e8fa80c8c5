// kstack, ustack, and how deep they are.
#include <linux/bpf.h>

#include "ast/intrinsics/intrinsic.h"
#include "ast/passes/config.h"

namespace awl::ast {

namespace {

constexpr int64_t kMaxFrames = 127;  // kernel.perf_event_max_stack by default

// kstack, kstack(3), kstack(perf), kstack(perf, 3).
const Type *infer_stack(Inference &in, const CallSite &call, bool user) {
  StackMode mode = in.input().config.stack_mode;
  int64_t frames = kMaxFrames;
  size_t next = 0;
  if (const auto *word = call.args.empty() ? nullptr : as<Identifier>(call.args[0])) {
    if (std::optional<StackMode> given = stack_mode_of(word->name))
      mode = *given;
    else
      in.error(diag::BadName, word->span, call.function->name, "mode `" + word->name + "`",
               "there are bpftrace, perf, raw, build_id and folded");
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

// len(@m): the program walks the map. len(kstack): the frames go into memory of the program and are counted there; a
// map of stacks cannot be asked.
const Type *infer_len(Inference &in, const CallSite &call) {
  if (auto *access = as<MapAccess>(call.args[0]); access && access->keys.empty()) {
    MapFacts *map = in.map_argument(access);
    bool is_stack = map->value && map->value->kind == TypeKind::Stack;
    if (!map->shape_known || !map->keys.empty()) return in.store().int64();
    if (!is_stack) {
      in.error(diag::MapKeyed, access->span, map->name, "has no keys, so it has no entries that could be counted");
      return in.store().int64();
    }
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

typed::ValuePtr count_entries(Lowering &low, const MapAccess *map, Span span) {
  const Type *i64 = low.store().int64();
  uint32_t entries = low.new_local(i64);
  auto out = make_value<typed::Sequence>(i64, span);
  out->steps = low.collect([&] {
    low.set_local(entries, make_const(i64, 0, span), span);
    auto loop = make_step<typed::ForMap>(span);
    loop->map = low.map_index("@" + map->name);
    loop->body = low.collect([&] {
      auto add = make_value<typed::LocalAdd>(i64, span);
      add->local = entries;
      auto step = make_step<typed::Evaluate>(span);
      step->value = std::move(add);
      low.add(std::move(step));
    });
    low.add(std::move(loop));
  });
  out->value = low.get_local(entries, span);
  return out;
}

typed::ValuePtr lower_len(Lowering &low, const CallSite &call) {
  TypeStore &store = low.store();
  Span span = call.node->span;
  if (auto *map = as<MapAccess>(call.args[0])) return count_entries(low, map, span);
  const Type *stack = low.type(call.args[0]);
  const Type *i64 = store.int64();
  auto frames = make_value<typed::MemoryAddress>(store.uint64(), span);
  frames->operand = make_value<typed::Compose>(store.array(store.uint64(), stack->stack_frames), span);
  auto bytes = make_value<typed::HelperCall>(i64, span);
  bytes->helper = BPF_FUNC_get_stack;
  bytes->args.push_back(make_value<typed::CtxPointer>(store.uint64(), span));
  bytes->args.push_back(std::move(frames));
  bytes->args.push_back(make_const(store.uint64(), 8ULL * stack->stack_frames, span));
  // The frames that kstack leaves out as well: see FunctionEmitter::tracing_frames.
  const ProgType program = low.unit().context.prog_type;
  const uint64_t skipped = program == ProgType::Fentry || program == ProgType::Fexit ? 2 : 0;
  bytes->args.push_back(make_const(store.uint64(), stack->stack_user ? uint64_t{BPF_F_USER_STACK} : skipped, span));
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
