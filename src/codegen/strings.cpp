#include <linux/bpf.h>

#include "codegen/core_relocation.h"
#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

// The value, or `limit` if it is larger (as an unsigned number): a size whose bounds the verifier sees.
Val FunctionEmitter::at_most(const Value &value, uint32_t limit) {
  Val given = scalar(value);
  uint64_t known = 0;
  if (Code::constant(given, known)) return code_.number(known < limit ? known : limit);
  Val most = code_.number(limit);
  return code_.opaque(code_.select(code_.compare(Cmp::Less, false, given, most), given, most));
}

// The helper writes a NUL behind what it reads and nothing behind that; if it fails it writes zeros.
void FunctionEmitter::into_string(const ReadString &value, Mem to, bool clear_rest) {
  Val address = scalar(*value.address);
  Val size = value.limit ? at_most(*value.limit, value.type->size) : code_.number(value.type->size);
  code_.from(value.span);
  if (clear_rest)
    code_.zero(to, value.type->size);
  else if (value.limit)
    code_.store(to, code_.number(0), 1);  // a limit of zero reads nothing
  uint32_t helper = read_string_helper(value.space);
  note_text(helper, code_.call(static_cast<int>(helper), {to.pointer, size, address}), address);
}

void FunctionEmitter::into_buffer(const ReadBuffer &value, Mem to, bool clear_rest) {
  constexpr uint32_t kLength = 4;
  Val address = scalar(*value.address);
  Val size = at_most(*value.length, value.type->count);
  code_.from(value.span);
  if (clear_rest) code_.zero(to, value.type->size);
  Val failed = probe_read(value.space, code_.at(to, kLength), size, address);
  code_.store(to, code_.select(code_.truth(failed), code_.number(0), size), 4);
}

// --- Name of the current task: by two loads through the task's BTF pointer, 40 ns less than by the helper. The kernel
// keeps the bytes behind the name zero.

namespace {

const FieldRef &comm_field() {
  static const Type kChar = [] {
    Type type;
    type.kind = TypeKind::Int;
    type.size = 1;
    type.is_signed = true;
    return type;
  }();
  static const Type kArray = [] {
    Type type;
    type.kind = TypeKind::Array;
    type.size = type.count = 16;
    type.target = &kChar;
    return type;
  }();
  static const Type kTask = [] {
    Type type;
    type.kind = TypeKind::Struct;
    type.origin = Origin::KernelBtf;
    type.name = "task_struct";
    return type;
  }();
  static const FieldRef kField{.owner = &kTask, .path = {"comm"}, .type = &kArray};
  return kField;
}

constexpr int kRememberedComm = -2;

}  // namespace

Val FunctionEmitter::comm_word(uint32_t index) {
  Val comm = code_.remembered(kRememberedComm);
  if (!comm) {
    Val task = code_.call_once(BPF_FUNC_get_current_task_btf, {});
    comm = relocated(code_.pointer(task, 8), comm_field()).pointer;
    code_.remember(kRememberedComm, comm);
  }
  return code_.load(code_.at(Code::mem(comm), index * 8), 8);
}

void FunctionEmitter::into_comm(Mem to) {
  for (uint32_t i = 0; i < 2; ++i) code_.store(code_.at(to, i * 8), comm_word(i));
}

}  // namespace awl::codegen
