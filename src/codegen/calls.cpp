// Functions of the script, as functions of BPF: see Subprogram for how they are called. The verifier follows each call
// with what the caller hands over, so one function serves programs of any type.
#include <llvm/IR/Function.h>

#include <algorithm>

#include "ast/typed/walk.h"
#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

FunctionEmitter::FunctionEmitter(Object &object, const Function &function)
    : object_(object),
      own_(new Shared{function, &function, plan_locals(function, &function), {}, 0}),
      shared_(*own_),
      function_(object.add_function(function.name, function.span)),
      code_(object, function_),
      frame_(code_, object, Frame::Role::Function) {}

static uint32_t bytes_of(const Type *type) { return type->is_scalar() ? 8 : (type->size + 7) / 8 * 8; }

void FunctionEmitter::lay_out(Subprogram &made) {
  const Function &function = *shared_.function;
  made.function = function_;
  for (uint32_t i = 0; i < function.params; ++i) {
    made.params.push_back(made.bytes);
    made.bytes += bytes_of(function.locals[i].type);
  }
  made.result = made.bytes;
  if (function.result && !function.result->is_scalar()) made.bytes += bytes_of(function.result);
  made.leaves = any_of(
      function.body,
      [&](const Value &value) {
        return value.kind == Kind::Call && object_.functions()[static_cast<const Call &>(value).function].leaves;
      },
      [](const Step &step) {
        return step.kind == Kind::Leave && static_cast<const Leave &>(step).what == LeaveKind::Probe;
      });
}

// entry -> set_up: scratch memory -> body -> exit: give the result, or quit: tell the caller to leave.
void FunctionEmitter::emit_function() {
  const Function &function = *shared_.function;
  Subprogram made;
  lay_out(made);
  code_.enter(&function_->getEntryBlock());
  code_.from(function.span);
  set_up_ = code_.block("set_up");
  exit_ = code_.block("exit");
  quit_ = code_.block("quit");
  code_.jump(set_up_);

  Block body = code_.block("body");
  code_.enter(body);
  make_record();
  make_locals(function.body);
  take_params(made);
  steps(function.body);
  code_.jump(exit_);

  code_.from(function.span);
  code_.enter(set_up_);
  if (frame_.uses_scratch()) frame_.use_scratch(function_->getArg(1));
  fill_record();
  code_.jump(body);
  code_.enter(exit_);
  Mem args = Code::mem(function_->getArg(0));
  Val result = code_.number(0);
  if (function.result) {
    const Variable &local = locals_[function.result_local];
    if (function.result->is_scalar())
      result = code_.load(local.memory, 8);
    else
      code_.copy(code_.at(args, made.result), local.memory, function.result->size);
  }
  code_.leave(result);
  code_.enter(quit_);
  code_.store(args, code_.number(1));
  code_.leave(code_.number(0));
  made.scratch_bytes = frame_.scratch_bytes();
  made.height = height_;
  object_.functions().push_back(std::move(made));
}

void FunctionEmitter::take_params(const Subprogram &made) {
  for (uint32_t i = 0; i < shared_.function->params; ++i) {
    const Variable &local = locals_[i];
    if (!local.memory.pointer) continue;
    Mem given = code_.at(Code::mem(function_->getArg(0)), made.params[i]);
    if (local.type->is_scalar())
      code_.store(local.memory, code_.load(given, 8));
    else
      code_.copy(local.memory, given, local.type->size);
  }
}

// Gives a scalar result; where `result` is given, the place of one in memory.
Val FunctionEmitter::call(const Call &value, Mem *result) {
  const Subprogram &called = object_.functions()[value.function];
  height_ = std::max(height_, called.height + 1);
  Mem args = frame_.take(called.bytes);
  for (size_t i = 0; i < value.args.size(); ++i) {
    Frame::Mark mark = frame_.mark();
    put(*value.args[i], code_.at(args, called.params[i]), 8);
    frame_.release(mark);
  }
  code_.from(value.span);
  if (called.leaves) code_.store(args, code_.number(0));
  Frame::Mark mark = frame_.mark();
  Val scratch =
      called.scratch_bytes ? frame_.scratch_at(frame_.take_scratch(called.scratch_bytes)).pointer : code_.no_pointer();
  Val returned = code_.call(called.function, {args.pointer, scratch, context()});
  frame_.release(mark);
  if (called.leaves) {
    Block leave = code_.block("leave"), stay = code_.block("stay");
    code_.branch(code_.truth(code_.load(args, 8)), leave, stay);
    code_.enter(leave);
    if (loop_) code_.store(frame_.scratch_at(shared_.left), code_.number(static_cast<uint64_t>(LeaveKind::Probe)));
    code_.jump(loop_ || shared_.function ? quit_ : exit_);
    code_.enter(stay);
  }
  if (result) *result = code_.at(args, called.result);
  return returned;
}

// --- Functions in C

// An address in memory of the program goes as the pointer that it is.
Val FunctionEmitter::c_argument(const Value &value, const Type *param) {
  if (!param->is_pointer()) return scalar(value);
  switch (value.kind) {
    case Kind::CtxPointer: return context();
    case Kind::MemoryAddress: return memory(*static_cast<const MemoryAddress &>(value).operand).pointer;
    case Kind::LocalAddress: return locals_[static_cast<const LocalAddress &>(value).local].memory.pointer;
    case Kind::MapAddress: {
      auto &address = static_cast<const MapAddress &>(value);
      if (address.of_object) return address_of(active_map(address.map));
      return lookup(active_map(address.map), map_key(address.map, address.key.get())).pointer;
    }
    default: return code_.pointer(scalar(value), 1).pointer;
  }
}

Val FunctionEmitter::scalar_of(const CCall &value) {
  const Object::CFunction &called = object_.c_function(value.function);
  height_ = std::max(height_, 2u);
  Frame::Mark mark = frame_.mark();
  std::vector<Val> args;
  for (size_t i = 0; i < value.args.size(); ++i) args.push_back(c_argument(*value.args[i], called.types->params[i]));
  code_.from(value.span);
  Val result = code_.call(called.function, args);
  frame_.release(mark);
  const Type *type = called.types->result;
  if (type->is_pointer()) return as_number(result);
  return type->kind == TypeKind::Void ? code_.number(0) : widen(result, type);
}

// --- Addresses

// The address as a number like any other: the verifier, which allows little with pointers, does not know what comes out
// of scratch memory.
Val FunctionEmitter::as_number(Val pointer) {
  Frame::Mark mark = frame_.mark();
  Mem word = frame_.scratch_at(frame_.take_scratch(8));
  code_.store_volatile(word, code_.address(pointer));
  Val number = code_.load_volatile(word);
  frame_.release(mark);
  return number;
}

Val FunctionEmitter::scalar_of(const LocalAddress &value) { return as_number(locals_[value.local].memory.pointer); }

Val FunctionEmitter::scalar_of(const MapAddress &value) {
  if (value.of_object) return as_number(address_of(active_map(value.map)));
  Frame::Mark mark = frame_.mark();
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  Mem element = lookup(active_map(value.map), key);
  frame_.release(mark);
  return as_number(element.pointer);
}

}  // namespace awl::codegen
