// `for` over maps and ranges: the kernel calls the body as a function, bpf_for_each_map_elem and bpf_loop. What the
// body needs of the code around it, it finds through the frame record of the routine, whose address the kernel hands
// on:
//
//   word 0   the context            word 1   the scratch memory            word 2...   locals that loops only read
//
// A body gives 0 to go on and 1 to end the loop. `return` in it sets a word of the scratch memory first, by which the
// code around the loop knows that it has to leave, too. That word and the locals that loops change stand in scratch
// memory and not in the record, because of what is on the stack, the verifier before Linux 6.7 believes that a loop
// makes exactly one turn.
#include <linux/bpf.h>
#include <llvm/IR/Function.h>

#include <algorithm>

#include "ast/typed/walk.h"
#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

namespace {

constexpr uint32_t kContextWord = 0;
constexpr uint32_t kScratchWord = 1;
constexpr uint32_t kFirstLocalWord = 2;
constexpr uint32_t kMostFrames = 8;  // MAX_CALL_FRAMES of the verifier

}  // namespace

FunctionEmitter::FunctionEmitter(FunctionEmitter &outer, const Step &loop)
    : object_(outer.object_),
      shared_(outer.shared_),
      loop_(&loop),
      function_(object_.add_loop_body(shared_.routine.name, loop.span, loop.kind == Kind::ForMap)),
      code_(object_, function_),
      frame_(code_, outer.frame_) {}

// entry -> set_up: scratch memory -> body -> exit: go on, or quit: end the loop.
void FunctionEmitter::emit_loop_body() {
  code_.enter(&function_->getEntryBlock());
  code_.from(loop_->span);
  record_ = Code::mem(function_->getArg(function_->arg_size() - 1));
  set_up_ = code_.block("set_up");
  exit_ = code_.block("exit");
  quit_ = code_.block("quit");
  code_.jump(set_up_);

  const Steps &body = *inner_steps(*loop_).front();
  code_.enter(code_.block("body"));
  Block first = code_.current();
  check_object();
  make_locals(body);
  loops_.push_back({exit_, quit_});
  steps(body);
  code_.jump(exit_);

  code_.from(loop_->span);
  code_.enter(set_up_);
  if (frame_.uses_scratch()) frame_.use_scratch(code_.load_pointer(record_word(kScratchWord)));
  code_.jump(first);
  code_.enter(exit_);
  code_.leave(code_.number(0));
  code_.enter(quit_);
  code_.leave(code_.number(1));
}

Mem FunctionEmitter::record_word(uint32_t word) { return code_.at(record_, uint64_t{word} * 8); }

Mem FunctionEmitter::record_local(uint32_t word) { return record_word(kFirstLocalWord + word); }

// In the routine itself, before its locals are made.
void FunctionEmitter::make_record() {
  if (!shared_.plan.has_bodies) return;
  record_ = code_.local(8 * (kFirstLocalWord + shared_.plan.record_words));
  code_.store_pointer(record_word(kContextWord), context());
  if (!shared_.plan.bodies_leave) return;
  shared_.left = frame_.take_scratch(8);
  code_.store(frame_.scratch_at(shared_.left), code_.number(0));
}

// When it is known where the scratch memory is.
void FunctionEmitter::fill_record() {
  if (shared_.plan.has_bodies && frame_.uses_scratch())
    code_.store_pointer(record_word(kScratchWord), frame_.scratch());
}

Val FunctionEmitter::context() {
  if (loop_) return code_.load_pointer(record_word(kContextWord));
  return function_->getArg(shared_.function ? 2 : 0);
}

void FunctionEmitter::step_of(const ForRange &step) {
  Val turns = scalar(*step.turns);
  uint64_t known = 0;
  bool constant = Code::constant(turns, known);
  if (constant && known == 0) return;
  FunctionEmitter body(*this, step);
  body.emit_loop_body();
  frame_.cover(body.frame_);
  height_ = std::max(height_, body.height_ + 1);
  code_.from(step.span);
  // Since Linux 6.18 a body that the verifier knows is never called makes it fail ("No program to jit").
  if (!constant) turns = code_.add(turns, code_.load_volatile(state_word(kStateZero)));
  Val made = nullptr;
  auto call = [&] { made = code_.call(BPF_FUNC_loop, {turns, body.function_, record_.pointer, code_.number(0)}); };
  if (constant) {
    call();
    // More turns than that are a mistake; a range that is too long does not get here.
    if (step.place != kNoPlace) code_.if_(code_.equal(made, known), [&] { count_error(step.place); });
  } else {
    code_.if_else(
        code_.compare(Cmp::Greater, false, turns, code_.number(ForRange::kMaxTurns)), [&] { count_error(step.place); },
        call);
  }
  leave_after(step);
}

void FunctionEmitter::step_of(const ForMap &step) {
  FunctionEmitter body(*this, step);
  body.emit_loop_body();
  frame_.cover(body.frame_);
  height_ = std::max(height_, body.height_ + 1);
  code_.from(step.span);
  // Each side of a map has a call of its own: the verifier wants to know the map.
  auto walk = [&](uint32_t map) {
    code_.call(BPF_FUNC_for_each_map_elem, {object_.map(map), body.function_, record_.pointer, code_.number(0)});
  };
  ActiveMap active = active_map(step.map);
  if (active.on_twin)
    code_.if_else(
        active.on_twin, [&] { walk(static_cast<uint32_t>(object_.map_info(step.map).twin)); }, [&] { walk(step.map); });
  else
    walk(step.map);
  leave_after(step);
}

// The body may have asked to leave more than the loop.
void FunctionEmitter::leave_after(const Step &loop) {
  if (!may_leave(*inner_steps(loop).front())) return;
  Block leave = code_.block("leave"), stay = code_.block("stay");
  Val left = code_.load(frame_.scratch_at(shared_.left), 8);
  code_.branch(code_.truth(left), leave, stay);
  code_.enter(leave);
  if (loop_)
    code_.jump(quit_);
  else if (shared_.function)
    code_.branch(code_.equal(left, static_cast<uint64_t>(LeaveKind::Probe)), quit_, exit_);
  else
    code_.jump(exit_);
  code_.enter(stay);
}

void FunctionEmitter::step_of(const Leave &step) {
  switch (step.what) {
    case LeaveKind::Break: code_.jump_away(loops_.back().end); break;
    case LeaveKind::Continue: code_.jump_away(loops_.back().next); break;
    case LeaveKind::Return:
    case LeaveKind::Probe:
      if (loop_) code_.store(frame_.scratch_at(shared_.left), code_.number(static_cast<uint64_t>(step.what)));
      code_.jump_away(loop_ || (shared_.function && step.what == LeaveKind::Probe) ? quit_ : exit_);
      break;
  }
}

void FunctionEmitter::check_height() {
  if (height_ <= kMostFrames) return;
  object_.diagnostics()
      .emit(diag::CallsTooDeep, shared_.routine.span, kMostFrames - 1)
      .with_hint("write the innermost loop as `while` with a counter, or as `unroll`");
}

// --- What the kernel hands to a body: (index, record) or (map, key, value, record)

Val FunctionEmitter::scalar_of(const LoopIndex &) { return function_->getArg(0); }

Mem FunctionEmitter::loop_key() { return Code::mem(function_->getArg(1)); }

Val FunctionEmitter::scalar_of(const LoopValue &value) {
  auto &loop = static_cast<const ForMap &>(*loop_);
  const Type *stored = object_.map_info(loop.map).value;
  if (stored->kind == TypeKind::Aggregate) return merge_cpus(stored, function_->getArg(0), loop_key());
  return code_.load(Code::mem(function_->getArg(2)), value.type->size, value.type->is_signed);
}

}  // namespace awl::codegen
