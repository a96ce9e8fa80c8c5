// Arguments of USDT markers: where they are stands in the marker's note, which the session puts into the
// map awl_usdt, at the index that the attachment has as its cookie.
#include <linux/bpf.h>

#include <cstddef>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

namespace {

constexpr int kRememberedSpec = -1;
constexpr uint64_t kRegistersMask = 1023;  // larger than pt_regs of any architecture; a bound for the verifier

}  // namespace

Mem FunctionEmitter::usdt_spec() {
  if (Val known = code_.remembered(kRememberedSpec)) return Code::mem(known);
  Frame::Mark mark = frame_.mark();
  Mem index = frame_.take(4);
  Val pointer[] = {context()};
  code_.store(index, code_.call_once(BPF_FUNC_get_attach_cookie, pointer), 4);
  Mem spec = code_.call_pointer(BPF_FUNC_map_lookup_elem, {object_.usdt_specs(), index.pointer});
  frame_.release(mark);
  code_.remember(kRememberedSpec, spec.pointer);
  return spec;
}

// result += index register << shift
void FunctionEmitter::add_index(Mem arg, Mem result) {
  Frame::Mark mark = frame_.mark();
  Mem index = frame_.take(8);
  Val offset =
      code_.opaque(code_.bit_and(code_.load(code_.at(arg, offsetof(UsdtArg, index_offset)), 4), kRegistersMask));
  probe_read(Space::Kernel, index, code_.number(8), code_.at(Code::mem(context()), offset, 8).pointer);
  Val shift = code_.bit_and(code_.load(code_.at(arg, offsetof(UsdtArg, index_shift)), 4), 63);
  code_.store(result, code_.add(code_.load(result, 8), code_.arith(Arith::ShiftLeft, code_.load(index, 8), shift)));
  frame_.release(mark);
}

Val FunctionEmitter::scalar_of(const UsdtArgument &value) {
  if (value.index >= kUsdtMaxArgs) return code_.number(0);
  Mem spec = usdt_spec();
  Frame::Mark mark = frame_.mark();
  Mem result = frame_.take(8);
  code_.store(result, code_.number(0));
  code_.if_(code_.truth(spec.pointer), [&] {
    Mem arg = code_.at(spec, offsetof(UsdtSpec, args) + value.index * sizeof(UsdtArg));
    Val constant = code_.load(code_.at(arg, offsetof(UsdtArg, constant)), 8);
    Val kind = code_.load(code_.at(arg, offsetof(UsdtArg, kind)), 4);
    auto is = [&](UsdtArgKind k) { return code_.equal(kind, static_cast<uint64_t>(k)); };
    code_.if_else(
        is(UsdtArgKind::Constant), [&] { code_.store(result, constant); },
        [&] {
          Val offset =
              code_.opaque(code_.bit_and(code_.load(code_.at(arg, offsetof(UsdtArg, reg_offset)), 4), kRegistersMask));
          Mem reg = code_.at(Code::mem(context()), offset, 8);
          probe_read(Space::Kernel, result, code_.number(8), reg.pointer);
          Val shift = code_.bit_and(code_.load(code_.at(arg, offsetof(UsdtArg, shift)), 4), 63);
          code_.if_(is(UsdtArgKind::IndexedMemory), [&] { add_index(arg, result); });
          Val in_memory =
              code_.compare(Cmp::GreaterEqual, false, kind, code_.number(static_cast<uint64_t>(UsdtArgKind::Memory)));
          code_.if_(in_memory, [&] {
            // No more bytes than the argument has: it may end its page.
            Val address = code_.add(code_.load(result, 8), constant);
            Val bytes = code_.sub(code_.number(8), code_.shift_right(shift, 3));
            code_.store(result, code_.number(0));
            probe_read(Space::User, result, code_.opaque(bytes), address);
          });
          Val raised = code_.arith(Arith::ShiftLeft, code_.load(result, 8), shift);
          Val is_signed = code_.load(code_.at(arg, offsetof(UsdtArg, is_signed)), 4);
          Val lowered = code_.choose(
              code_.truth(is_signed), [&] { return code_.arith(Arith::ShiftRightSigned, raised, shift); },
              [&] { return code_.arith(Arith::ShiftRight, raised, shift); });
          code_.store(result, lowered);
        });
  });
  Val loaded = code_.load(result, 8);
  frame_.release(mark);
  return loaded;
}

}  // namespace awl::codegen
