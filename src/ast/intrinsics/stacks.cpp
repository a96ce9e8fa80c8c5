// kstack, ustack, and how deep they are.
#include <linux/bpf.h>

#include <algorithm>

#include "ast/intrinsics/intrinsic.h"
#include "ast/passes/config.h"

namespace awl::ast {

namespace {

constexpr int64_t kMaxFrames = 127;  // kernel.perf_event_max_stack by default

// Whether a user stack is walked over the unwinder's tables.
bool unwinds(const CompileInput &input, const CallSite &call) {
  if (call.function->name != "ustack") return call.function->name == "dw_ustack";
  for (const Expr *arg : call.args)
    if (const auto *word = as<Identifier>(arg); word && (word->name == "unwind" || word->name == "fp"))
      return word->name == "unwind";
  return input.config.unwind_stacks;
}

// kstack, kstack(3), kstack(perf), kstack(perf, 3); ustack also takes `unwind` and `fp` among the words.
const Type *infer_stack(Inference &in, const CallSite &call, bool user) {
  const std::string &name = call.function->name;
  StackMode mode = in.input().config.stack_mode;
  int64_t frames = kMaxFrames;
  std::string mode_word, walk_word;
  size_t next = 0;
  for (; next < call.args.size(); next++) {
    const auto *word = as<Identifier>(call.args[next]);
    if (!word) break;
    const bool walk = name == "ustack" && (word->name == "unwind" || word->name == "fp");
    const std::optional<StackMode> given = stack_mode_of(word->name);
    if (!walk && !given) {
      in.error(diag::BadName, word->span, name, "mode `" + word->name + "`",
               name == "ustack" ? "there are bpftrace, perf, raw, build_id and folded, and for the walk unwind and fp"
                                : "there are bpftrace, perf, raw, build_id and folded");
      continue;
    }
    std::string &before = walk ? walk_word : mode_word;
    if (!before.empty())
      in.error(diag::StackWordTwice, word->span, before, word->name, walk ? "how it is walked" : "how it is shown");
    before = word->name;
    if (given) mode = *given;
  }
  if (next < call.args.size()) frames = in.constant_argument(call, next, 1, 1024, "the number of frames");
  if (next + 1 < call.args.size()) {
    Diagnostic &d = in.error(diag::ArgumentType, call.args[next + 1]->span, next + 2, name,
                             "behind the number of frames", "all words in front of it");
    if (const auto *word = as<Identifier>(call.args[next + 1]))
      d.with_hint(fmt::format("write `{}({}, {})`", name, word->name, frames));
  }
#if !defined(__x86_64__)
  if (unwinds(in.input(), call))
    in.error(diag::NotSupported, call.node->span, "walking stacks by unwind tables")
        .with_hint("there are rules for x86-64 only: `ustack(fp)` follows frame pointers");
#endif
  if (frames > kMaxFrames)
    in.error(diag::StackCapped, call.node->span, static_cast<uint32_t>(frames), static_cast<uint32_t>(kMaxFrames));
  return in.store().stack(user, mode, static_cast<uint32_t>(std::min(frames, kMaxFrames)));
}

const Type *infer_kstack(Inference &in, const CallSite &call) { return infer_stack(in, call, false); }
const Type *infer_ustack(Inference &in, const CallSite &call) { return infer_stack(in, call, true); }

// The call of the walk, which is linked in (runtime/unwind/walk.bpf.cc).
typed::ValuePtr unwind(Lowering &low, const Type *stack, bool keep, Span span) {
  const Type *i64 = low.store().int64();
  auto &functions = low.module().c_functions;
  auto it = std::ranges::find(functions, "awl_unwind", &typed::CFunction::name);
  if (it == functions.end()) {
    const Type *memory = low.store().pointer(low.store().void_type(), AddressSpace::Kernel);
    it = functions.insert(it, {"awl_unwind", {memory, i64, i64, i64}, i64});
  }
  low.manifest().unwinds = true;
  auto out = make_value<typed::Unwind>(i64, span);
  out->function = static_cast<uint32_t>(it - functions.begin());
  out->frames = stack->stack_frames;
  out->keep = keep;
  return out;
}

typed::ValuePtr lower_stack(Lowering &low, const CallSite &call) {
  const Type *type = low.type(call.node);
  auto out = make_value<typed::StackTrace>(type, call.node->span);
  if (unwinds(low.input(), call))
    out->unwound = unwind(low, type, true, call.node->span);
  else
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

// Taken by the kernel into memory of the program: how many bytes, or a negated errno.
typed::ValuePtr bytes_of_stack(Lowering &low, const Type *stack, Span span) {
  TypeStore &store = low.store();
  auto frames = make_value<typed::MemoryAddress>(store.uint64(), span);
  frames->operand = make_value<typed::Compose>(store.array(store.uint64(), stack->stack_frames), span);
  auto bytes = make_value<typed::HelperCall>(store.int64(), span);
  bytes->helper = BPF_FUNC_get_stack;
  bytes->args.push_back(make_value<typed::CtxPointer>(store.uint64(), span));
  bytes->args.push_back(std::move(frames));
  bytes->args.push_back(make_const(store.uint64(), 8ULL * stack->stack_frames, span));
  // The frames that kstack leaves out as well: see FunctionEmitter::tracing_frames.
  const ProgType program = low.unit().context.prog_type;
  const uint64_t skipped = program == ProgType::Fentry || program == ProgType::Fexit ? 2 : 0;
  bytes->args.push_back(make_const(store.uint64(), stack->stack_user ? uint64_t{BPF_F_USER_STACK} : skipped, span));
  return bytes;
}

typed::ValuePtr lower_len(Lowering &low, const CallSite &call) {
  TypeStore &store = low.store();
  Span span = call.node->span;
  if (auto *map = as<MapAccess>(call.args[0])) return count_entries(low, map, span);
  const Type *stack = low.type(call.args[0]);
  const Type *i64 = store.int64();
  uint32_t local = low.new_local(i64);
  const std::optional<CallSite> stack_call = call_site(low.input().functions, call.args[0]);
  const bool unwound = stack_call && unwinds(low.input(), *stack_call);
  low.set_local(local, unwound ? unwind(low, stack, false, span) : bytes_of_stack(low, stack, span), span);
  auto out = make_value<typed::Select>(i64, span);
  out->condition =
      make_binary(typed::Op::Less, true, low.get_local(local, span), make_const(i64, 0, span), store.boolean());
  out->then = make_const(i64, 0, span);
  out->otherwise = low.get_local(local, span);
  if (!unwound)
    out->otherwise =
        make_binary(typed::Op::ShiftRight, false, std::move(out->otherwise), make_const(i64, 3, span), i64);
  return out;
}

constexpr Intrinsic kTable[] = {
    {"len", infer_len, lower_len},
    {"kstack", infer_kstack, lower_stack},
    {"ustack", infer_ustack, lower_stack},
    {"dw_ustack", infer_ustack, lower_stack},
};

}  // namespace

std::span<const Intrinsic> stack_intrinsics() { return kTable; }

}  // namespace awl::ast
