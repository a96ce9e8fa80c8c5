#include "codegen/function.h"

#include <linux/bpf.h>
#include <llvm/IR/Function.h>

namespace awl::codegen {

using namespace typed;

FunctionEmitter::FunctionEmitter(Object &object, const Program &program)
    : object_(object),
      own_(new Shared{program, nullptr, plan_locals(program, nullptr), {}, 0}),
      shared_(*own_),
      program_(&program),
      function_(object.add_program(program)),
      code_(object, function_),
      frame_(code_, object,
             shared_.plan.has_bodies || shared_.plan.has_calls ? Frame::Role::Caller : Frame::Role::Program) {}

// entry: may this program act now? -> set_up: scratch memory -> body: locals, steps -> exit -> quit.
// The body is written before set_up, because only then is it known what the body needs.
void FunctionEmitter::emit() {
  code_.enter(&function_->getEntryBlock());
  code_.from(program_->span);
  set_up_ = code_.block("set_up");
  exit_ = code_.block("exit");
  quit_ = code_.block("quit");
  start();
  code_.jump(set_up_);

  Block body = code_.block("body");
  code_.enter(body);
  make_record();
  make_locals(program_->body);
  steps(program_->body);
  code_.jump(exit_);

  code_.from(program_->span);
  code_.enter(set_up_);
  if (frame_.uses_scratch()) frame_.acquire_scratch(quit_, program_->preemptible, program_->span);
  fill_record();
  code_.jump(body);
  code_.enter(exit_);
  if (frame_.uses_scratch() && program_->preemptible) frame_.release_scratch();
  code_.jump(quit_);
  code_.enter(quit_);
  code_.leave(code_.number(0));
  check_height();
}

void FunctionEmitter::start() {
  if (!program_->always_runs) {
    Block running = code_.block("running");
    Val state = code_.load_volatile(state_word(kStateRun));
    code_.branch(code_.equal(state, static_cast<uint64_t>(RunState::Running)), running, quit_);
    code_.enter(running);
  }
  check_object();
  if (!program_->nullable.empty() && !program_->pinned) mark_object();
  select_process();
}

// The locals that this function uses; those of the routine itself also start as zero here.
void FunctionEmitter::make_locals(const Steps &body) {
  const Routine &routine = shared_.routine;
  if (!loop_) shared_.scratch.resize(routine.locals.size());
  for (uint32_t i = 0; i < routine.locals.size(); ++i) {
    const Type *type = routine.locals[i].type;
    const LocalPlace &place = shared_.plan.places[i];
    uint32_t bytes = type->is_scalar() ? 8 : type->size;
    if (!loop_ && place.home == Home::Scratch) shared_.scratch[i] = frame_.take_scratch(bytes);
    Variable &local = locals_.emplace_back(Variable{type, {}});
    bool starts_here = place.home == Home::Own ? shared_.plan.uses(i, loop_) : !loop_;
    if (!starts_here && !shared_.plan.uses(i, loop_)) continue;
    switch (place.home) {
      case Home::Own: local.memory = type->is_scalar() ? code_.local(8) : frame_.take(type->size); break;
      case Home::Record: local.memory = record_local(place.word); break;
      case Home::Scratch: local.memory = frame_.scratch_at(shared_.scratch[i]); break;
    }
    bool is_param = shared_.function && i < shared_.function->params;
    if (starts_here && !is_param && !is_set_first(body, i)) code_.zero(local.memory, bytes);
  }
}

// Of pointers in the context that may be null: the verifier believes the one that was tested, and no other that is
// loaded from the same place. So each function tests them first, and uses what it tested.
void FunctionEmitter::check_object() {
  if (shared_.function) return;
  for (uint32_t offset : static_cast<const Program &>(shared_.routine).nullable) {
    Block object = code_.block("object");
    Val pointer = code_.load(code_.at(Code::mem(context()), offset), 8);
    code_.branch(code_.truth(pointer), object, quit_);
    code_.enter(object);
    present_.emplace_back(offset, pointer);
  }
}

Mem FunctionEmitter::state_word(uint32_t word) { return code_.at(Code::mem(object_.state()), uint64_t{word} * 8); }

// --- Steps

void FunctionEmitter::steps(const Steps &list) {
  for (const StepPtr &one : list) step(*one);
}

void FunctionEmitter::step(const Step &step) {
  Frame::Mark mark = frame_.mark();
  code_.from(step.span);
  switch (step.kind) {
    case Kind::Evaluate: {
      const Value &value = *static_cast<const Evaluate &>(step).value;
      if (value.type->is_scalar() || value.type->kind == TypeKind::Void)
        scalar(value);
      else
        memory(value);
      break;
    }
    case Kind::LocalSet: step_of(static_cast<const LocalSet &>(step)); break;
    case Kind::MapSet: step_of(static_cast<const MapSet &>(step)); break;
    case Kind::MapAdd: step_of(static_cast<const MapAdd &>(step)); break;
    case Kind::AggregateUpdate: step_of(static_cast<const AggregateUpdate &>(step)); break;
    case Kind::Emit: step_of(static_cast<const Emit &>(step)); break;
    case Kind::SeqPrint: step_of(static_cast<const SeqPrint &>(step)); break;
    case Kind::SeqString: step_of(static_cast<const SeqString &>(step)); break;
    case Kind::Stop: step_of(static_cast<const Stop &>(step)); break;
    case Kind::Branch: step_of(static_cast<const Branch &>(step)); break;
    case Kind::Loop: step_of(static_cast<const Loop &>(step)); break;
    case Kind::ForMap: step_of(static_cast<const ForMap &>(step)); break;
    case Kind::ForRange: step_of(static_cast<const ForRange &>(step)); break;
    case Kind::Leave: step_of(static_cast<const Leave &>(step)); break;
    case Kind::Group: steps(static_cast<const Group &>(step).steps); break;
    default: break;  // a value is no step
  }
  frame_.release(mark);
}

void FunctionEmitter::step_of(const LocalSet &step) {
  const Variable &local = locals_[step.local];
  if (local.type->is_scalar()) {
    code_.store(local.memory, scalar(*step.value));
    return;
  }
  // What is made of parts may read the old value while it is being written.
  bool in_parts = step.value->kind == Kind::Compose || step.value->kind == Kind::Select ||
                  step.value->kind == Kind::Sequence || step.value->kind == Kind::Part ||
                  step.value->kind == Kind::Concat;
  if (!in_parts) {
    into(*step.value, local.memory);
    return;
  }
  Mem value = memory(*step.value);
  code_.copy(local.memory, value, local.type->size);
}

void FunctionEmitter::step_of(const Stop &) {
  code_.store_volatile(state_word(kStateRun), code_.number(static_cast<uint64_t>(RunState::Stopped)));
}

void FunctionEmitter::step_of(const Branch &step) {
  Block then = code_.block("then"), end = code_.block("end");
  Block otherwise = step.otherwise.empty() ? end : code_.block("else");
  branch_on(*step.condition, then, otherwise);
  size_t known = code_.memory_size();
  code_.enter(then);
  steps(step.then);
  code_.jump(end);
  code_.forget(known);
  if (otherwise != end) {
    code_.enter(otherwise);
    steps(step.otherwise);
    code_.jump(end);
    code_.forget(known);
  }
  code_.enter(end);
}

void FunctionEmitter::step_of(const Loop &step) {
  Block head = code_.block("loop"), body = code_.block("body"), end = code_.block("end");
  size_t known = code_.memory_size();
  code_.jump(head);
  code_.enter(head);
  branch_on(*step.condition, body, end);
  code_.enter(body);
  loops_.push_back({head, end});
  steps(step.body);
  loops_.pop_back();
  code_.jump(head);
  code_.forget(known);
  code_.enter(end);
}

}  // namespace awl::codegen
