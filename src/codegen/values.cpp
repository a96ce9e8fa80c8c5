#include <linux/bpf.h>
#include <llvm/IR/Function.h>

#include <algorithm>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

// --- Scalars

Val FunctionEmitter::scalar(const Value &value) {
  code_.from(value.span);
  switch (value.kind) {
    case Kind::Const: return code_.number(static_cast<const Const &>(value).value);
    case Kind::CtxPointer: return code_.address(context());
    case Kind::LocalGet: return scalar_of(static_cast<const LocalGet &>(value));
    case Kind::LocalAdd: return scalar_of(static_cast<const LocalAdd &>(value));
    case Kind::CtxLoad: return scalar_of(static_cast<const CtxLoad &>(value));
    case Kind::CtxField: return scalar_of(static_cast<const CtxField &>(value));
    case Kind::Param: return scalar_of(static_cast<const Param &>(value));
    case Kind::HelperCall: return scalar_of(static_cast<const HelperCall &>(value));
    case Kind::UnaryOp: return scalar_of(static_cast<const UnaryOp &>(value));
    case Kind::BinaryOp: return scalar_of(static_cast<const BinaryOp &>(value));
    case Kind::LogicalOp: return code_.flag(condition(value));
    case Kind::Select: return scalar_of(static_cast<const Select &>(value));
    case Kind::Convert: return scalar_of(static_cast<const Convert &>(value));
    case Kind::Load: return scalar_of(static_cast<const Load &>(value));
    case Kind::FieldAddress: return scalar_of(static_cast<const FieldAddress &>(value));
    case Kind::FieldLoad: return scalar_of(static_cast<const FieldLoad &>(value));
    case Kind::Order: return scalar_of(static_cast<const Order &>(value));
    case Kind::StringLength: return scalar_of(static_cast<const StringLength &>(value));
    case Kind::Search: return scalar_of(static_cast<const Search &>(value));
    case Kind::Match: return scalar_of(static_cast<const Match &>(value));
    case Kind::MemoryAddress: return code_.address(memory(*static_cast<const MemoryAddress &>(value).operand).pointer);
    case Kind::Compare: return scalar_of(static_cast<const Compare &>(value));
    case Kind::MapGet: return scalar_of(static_cast<const MapGet &>(value));
    case Kind::MapHas: return scalar_of(static_cast<const MapHas &>(value));
    case Kind::MapRemove: return scalar_of(static_cast<const MapRemove &>(value));
    case Kind::MapFind: return scalar_of(static_cast<const MapFind &>(value));
    case Kind::MapAddGet: return scalar_of(static_cast<const MapAddGet &>(value));
    case Kind::AggregateGet: return scalar_of(static_cast<const AggregateGet &>(value));
    case Kind::UsdtArgument: return scalar_of(static_cast<const UsdtArgument &>(value));
    case Kind::Sequence: return scalar_of(static_cast<const Sequence &>(value));
    case Kind::Call: return call(static_cast<const Call &>(value), nullptr);
    case Kind::CCall: return scalar_of(static_cast<const CCall &>(value));
    case Kind::Unwind: return scalar_of(static_cast<const Unwind &>(value));
    case Kind::LocalAddress: return scalar_of(static_cast<const LocalAddress &>(value));
    case Kind::MapAddress: return scalar_of(static_cast<const MapAddress &>(value));
    case Kind::LoopIndex: return scalar_of(static_cast<const LoopIndex &>(value));
    case Kind::LoopKey: return code_.load(loop_key(), value.type->size, value.type->is_signed);
    case Kind::LoopValue: return scalar_of(static_cast<const LoopValue &>(value));
    case Kind::Part: {
      auto &part = static_cast<const Part &>(value);
      return code_.load(code_.at(memory(*part.operand), part.offset), part.type->size, part.type->is_signed);
    }
    default: return code_.number(0);  // memory kinds are never asked for as scalars
  }
}

Val FunctionEmitter::scalar_of(const LocalGet &value) { return code_.load(locals_[value.local].memory, 8); }

Val FunctionEmitter::widen(Val value, const Type *type) {
  return type->size < 8 ? code_.extend(value, std::max(type->size, 1u), type->is_signed) : value;
}

Val FunctionEmitter::scalar_of(const LocalAdd &value) {
  const Variable &local = locals_[value.local];
  Val old = code_.load(local.memory, 8);
  Val next = widen(code_.add(old, static_cast<uint64_t>(value.delta)), local.type);
  code_.store(local.memory, next);
  return value.give_old ? old : next;
}

Val FunctionEmitter::scalar_of(const CtxLoad &value) {
  return code_.load(code_.at(Code::mem(context()), value.offset), value.type->size, value.type->is_signed);
}

Val FunctionEmitter::scalar_of(const Param &value) { return param(code_, object_, value.word); }

// Helpers that give the same answer throughout one run of a program.
static bool is_steady(int helper) {
  return helper == BPF_FUNC_get_current_pid_tgid || helper == BPF_FUNC_get_current_uid_gid ||
         helper == BPF_FUNC_get_current_task || helper == BPF_FUNC_get_current_task_btf ||
         helper == BPF_FUNC_get_smp_processor_id || helper == BPF_FUNC_get_current_cgroup_id ||
         helper == BPF_FUNC_get_numa_node_id || helper == BPF_FUNC_get_attach_cookie || helper == BPF_FUNC_get_func_ip;
}

// The result of a function of which the kernel alone knows how many arguments it has (Linux 5.17).
Val FunctionEmitter::function_result() {
  const Frame::Mark mark = frame_.mark();
  Mem result = frame_.take(8);
  code_.store(result, code_.number(0));
  code_.call(BPF_FUNC_get_func_ret, {context(), result.pointer});
  Val value = code_.load(result, 8);
  frame_.release(mark);
  return value;
}

Val FunctionEmitter::scalar_of(const HelperCall &value) {
  if (value.helper == BPF_FUNC_get_ns_current_pid_tgid) return pid_tgid(code_, object_, frame_);
  if (value.helper == BPF_FUNC_get_func_ret) return function_result();
  std::vector<Val> args;
  for (const ValuePtr &arg : value.args) args.push_back(scalar(*arg));
  code_.from(value.span);
  return is_steady(value.helper) ? code_.call_once(value.helper, args) : code_.call(value.helper, args);
}

Val FunctionEmitter::scalar_of(const Select &value) {
  Val chosen = condition(*value.condition);
  return code_.choose(chosen, [&] { return scalar(*value.then); }, [&] { return scalar(*value.otherwise); });
}

Val FunctionEmitter::scalar_of(const Sequence &value) {
  steps(value.steps);
  return scalar(*value.value);
}

// --- Conditions

Val FunctionEmitter::condition(const Value &value) {
  if (value.kind == Kind::BinaryOp)
    if (auto compared = comparison(static_cast<const BinaryOp &>(value))) return *compared;
  if (value.kind == Kind::UnaryOp && static_cast<const UnaryOp &>(value).op == Unary::Not)
    return code_.invert(condition(*static_cast<const UnaryOp &>(value).operand));
  if (value.kind == Kind::LogicalOp) {
    Block yes = code_.block("yes"), no = code_.block("no"), end = code_.block("end");
    branch_on(value, yes, no);
    code_.enter(yes);
    code_.jump(end);
    code_.enter(no);
    code_.jump(end);
    code_.enter(end);
    return code_.truth(code_.phi({{code_.number(1), yes}, {code_.number(0), no}}));
  }
  return code_.truth(scalar(value));
}

// && and || become jumps; what the left side computed is known to the right side only.
void FunctionEmitter::branch_on(const Value &value, Block then, Block otherwise) {
  if (value.kind == Kind::UnaryOp && static_cast<const UnaryOp &>(value).op == Unary::Not) {
    branch_on(*static_cast<const UnaryOp &>(value).operand, otherwise, then);
    return;
  }
  if (value.kind != Kind::LogicalOp) {
    Val chosen = condition(value);
    code_.branch(chosen, then, otherwise);
    return;
  }
  auto &logical = static_cast<const LogicalOp &>(value);
  Block right = code_.block("right");
  if (logical.is_and)
    branch_on(*logical.left, right, otherwise);
  else
    branch_on(*logical.left, then, right);
  size_t known = code_.memory_size();
  code_.enter(right);
  branch_on(*logical.right, then, otherwise);
  code_.forget(known);
}

// --- Memory

Mem FunctionEmitter::memory(const Value &value) {
  code_.from(value.span);
  switch (value.kind) {
    case Kind::LocalGet: return locals_[static_cast<const LocalGet &>(value).local].memory;
    case Kind::Call: {
      Mem result;
      call(static_cast<const Call &>(value), &result);
      return result;
    }
    case Kind::LoopKey: return loop_key();
    case Kind::LoopValue: return Code::mem(function_->getArg(2));
    case Kind::Part: {
      auto &part = static_cast<const Part &>(value);
      return code_.at(memory(*part.operand), part.offset);
    }
    case Kind::Sequence: {
      auto &sequence = static_cast<const Sequence &>(value);
      steps(sequence.steps);
      return memory(*sequence.value);
    }
    case Kind::TableRow: return table_row(static_cast<const TableRow &>(value));
    case Kind::Bytes:
      if (value.type->size > 64)
        return Code::mem(object_.constant_bytes(static_cast<const Bytes &>(value).data, value.type->size));
      break;
    default: break;
  }
  Mem temporary = frame_.take(value.type->size);
  into(value, temporary);
  return temporary;
}

void FunctionEmitter::into(const Value &value, Mem to) {
  code_.from(value.span);
  switch (value.kind) {
    case Kind::Bytes: into_bytes(static_cast<const Bytes &>(value), to); break;
    case Kind::Compose: into_compose(static_cast<const Compose &>(value), to); break;
    case Kind::Select: into_select(static_cast<const Select &>(value), to); break;
    case Kind::Load: into_load(static_cast<const Load &>(value), to); break;
    case Kind::FieldLoad: into_field(static_cast<const FieldLoad &>(value), to); break;
    case Kind::MapGet: into_map_get(static_cast<const MapGet &>(value), to); break;
    case Kind::ReadString: into_string(static_cast<const ReadString &>(value), to); break;
    case Kind::ReadBuffer: into_buffer(static_cast<const ReadBuffer &>(value), to); break;
    case Kind::StackTrace: into_stack(static_cast<const StackTrace &>(value), to); break;
    case Kind::Comm: into_comm(to); break;
    case Kind::PathText: into_path(static_cast<const PathText &>(value), to); break;
    case Kind::Concat: into_concat(static_cast<const Concat &>(value), to); break;
    case Kind::TableRow: code_.copy(to, memory(value), value.type->size); break;
    case Kind::CtxLoad:
      code_.copy(to, code_.at(Code::mem(context()), static_cast<const CtxLoad &>(value).offset), value.type->size);
      break;
    case Kind::Sequence: {
      auto &sequence = static_cast<const Sequence &>(value);
      steps(sequence.steps);
      into(*sequence.value, to);
      break;
    }
    case Kind::Call:
    case Kind::LoopKey:
    case Kind::LoopValue:
    case Kind::LocalGet:
    case Kind::Part: code_.copy(to, memory(value), value.type->size); break;
    default: code_.zero(to, value.type->size); break;  // scalar kinds are never asked for as memory
  }
}

void FunctionEmitter::put(const Value &value, Mem to, uint32_t bytes) {
  if (value.type->is_scalar())
    code_.store(to, scalar(value), bytes);
  else
    into(value, to);
}

void FunctionEmitter::into_bytes(const Bytes &value, Mem to) {
  uint32_t size = value.type->size;
  if (size > 64) {
    code_.copy(to, Code::mem(object_.constant_bytes(value.data, size)), size);
    return;
  }
  std::string data = value.data.substr(0, size);
  data.resize(size);
  uint32_t offset = 0;
  while (offset < size) {
    uint32_t width = 8;
    while (width > size - offset || width > to.align) width /= 2;
    uint64_t word = 0;
    for (uint32_t i = 0; i < width; ++i) word |= uint64_t{static_cast<uint8_t>(data[offset + i])} << (8 * i);
    code_.store(code_.at(to, offset), code_.number(word), width);
    offset += width;
  }
}

void FunctionEmitter::into_compose(const Compose &value, Mem to) {
  uint32_t size = value.type->size;
  std::vector<bool> covered(size);
  for (auto &[offset, part] : value.parts)
    for (uint32_t i = offset; i < std::min(offset + part->type->size, size); ++i) covered[i] = true;
  for (uint32_t word = 0; word < size; word += 8) {
    uint32_t end = std::min(word + 8, size);
    if (std::find(covered.begin() + word, covered.begin() + end, false) != covered.begin() + end)
      code_.zero(code_.at(to, word), end - word);
  }
  for (auto &[offset, part] : value.parts) {
    Frame::Mark mark = frame_.mark();
    put(*part, code_.at(to, offset), part->type->size);
    frame_.release(mark);
  }
}

void FunctionEmitter::into_select(const Select &value, Mem to) {
  Val chosen = condition(*value.condition);
  code_.if_else(chosen, [&] { into(*value.then, to); }, [&] { into(*value.otherwise, to); });
}

}  // namespace awl::codegen
