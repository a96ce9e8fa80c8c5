#include <linux/bpf.h>

#include <algorithm>

#include "codegen/core_relocation.h"
#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

namespace {

bool is_bytes(const Type *type) {
  return type->is_string() || (type->kind == TypeKind::Array && type->target->size == 1);
}

}  // namespace

// Address of a field; relocated where the struct's layout is the kernel's.
Mem FunctionEmitter::relocated(Mem base, const FieldRef &field) {
  if (!field.relocated()) return code_.at(base, field.offset);
  return code_.relocated(base, object_.core().number(field, CoreKind::ByteOffset), object_.core().next_sequence());
}

// The first of the words that count for a helper at this place, if any do.
std::optional<uint32_t> FunctionEmitter::helper_site_word(uint32_t helper) {
  const std::vector<HelperSite> &sites = object_.manifest().helper_sites;
  const Span place = code_.place();
  for (uint32_t i = 0; i < sites.size(); i++)
    if (sites[i].helper == helper && sites[i].span.begin == place.begin && sites[i].span.end == place.end)
      return object_.manifest().helper_site_word + kHelperSiteWords * i;
  return std::nullopt;
}

void FunctionEmitter::note_failure(uint32_t helper, Val result) {
  const std::optional<uint32_t> word = helper_site_word(helper);
  if (!word) return;
  code_.if_(code_.compare(Cmp::Less, true, result, code_.number(0)), [&] {
    code_.atomic_add(state_word(*word), code_.number(1));
    code_.store_volatile(state_word(*word + 1), result);
  });
}

void FunctionEmitter::note_text(uint32_t helper, Val result, Val address) {
  if (object_.manifest().config.helper_errors) return note_failure(helper, result);
  const std::optional<uint32_t> word = helper_site_word(helper);
  if (!word) return;
  const Mem read_once = state_word(*word + 2);
  code_.if_else(
      code_.compare(Cmp::Less, true, result, code_.number(0)),
      [&] { code_.if_(code_.truth(address), [&] { note_failure(helper, result); }); },
      // Looked at first, so that CPUs do not take the line from each other each time.
      [&] {
        code_.if_(code_.compare(Cmp::Equal, false, code_.load_volatile(read_once), code_.number(0)),
                  [&] { code_.store_volatile(read_once, code_.number(1)); });
      });
}

// The helpers fill the destination with zeros if they fail.
Val FunctionEmitter::probe_read(Space space, Mem to, Val bytes, Val address) {
  uint32_t helper = read_helper(space);
  Val result = code_.call(static_cast<int>(helper), {to.pointer, bytes, address});
  note_failure(helper, result);
  return result;
}

Val FunctionEmitter::read_scalar(Space space, Mem from, const Type *type) {
  if (space == Space::Trusted || space == Space::Context) return code_.load(from, type->size, type->is_signed);
  Frame::Mark mark = frame_.mark();
  Mem temporary = frame_.take(8);
  probe_read(space, temporary, code_.number(type->size), from.pointer);
  Val value = code_.load(temporary, type->size, type->is_signed);
  frame_.release(mark);
  return value;
}

void FunctionEmitter::read_memory(Space space, Mem from, const Type *type, Mem to) {
  // The verifier lets trusted memory be read across elements of byte arrays, not across struct members; and the
  // context only at offsets that stand in the instruction, which several loads behind one relocation do not.
  bool plain = space == Space::Trusted && is_bytes(type) && type->size <= 64;
  if (plain)
    code_.copy(to, from, type->size);
  else
    probe_read(space, to, code_.number(type->size), from.pointer);
}

// Bits of a struct: the bytes around them, shifted left and right again by what the kernel's layout asks for.
Val FunctionEmitter::read_bitfield(Space space, Mem base, const FieldRef &field, const Type *type) {
  Mem from = relocated(base, field);
  auto ask = [&](CoreKind kind, bool wide) { return code_.relocation(object_.core().number(field, kind), wide); };
  Val bytes, left, right;
  if (field.relocated()) {
    bytes = ask(CoreKind::ByteSize, false);
    left = ask(CoreKind::LeftShift, true);
    right = ask(CoreKind::RightShift, true);
  } else {
    bytes = code_.number(std::min(8u, (field.bit_offset + field.bits + 7u) / 8u));
    left = code_.number(64 - field.bits - field.bit_offset);
    right = code_.number(64 - field.bits);
  }
  Frame::Mark mark = frame_.mark();
  Mem temporary = frame_.take(8);
  code_.store(temporary, code_.number(0));
  // No size is above 8; the mask says so to the verifier as well.
  probe_read(space, temporary, code_.bit_and(bytes, 15), from.pointer);
  Val value = code_.arith(Arith::ShiftLeft, code_.load(temporary, 8), left);
  frame_.release(mark);
  return code_.arith(type->is_signed ? Arith::ShiftRightSigned : Arith::ShiftRight, value, right);
}

Val FunctionEmitter::scalar_of(const CtxField &value) {
  Mem base = Code::mem(context());
  if (value.field.bits != 0) return read_bitfield(Space::Context, base, value.field, value.type);
  if (value.field.owner->origin == Origin::Context)
    for (const auto &[offset, pointer] : present_)
      if (offset == value.field.offset) return pointer;
  uint32_t bytes = value.field.data_loc ? 4 : value.type->size;
  return code_.load(relocated(base, value.field), bytes, value.type->is_signed && !value.field.data_loc);
}

Val FunctionEmitter::scalar_of(const Load &value) {
  Mem from = code_.pointer(scalar(*value.address), 8);
  code_.from(value.span);
  return read_scalar(value.space, from, value.type);
}

void FunctionEmitter::into_load(const Load &value, Mem to) {
  Mem from = code_.pointer(scalar(*value.address), 8);
  code_.from(value.span);
  read_memory(value.space, from, value.type, to);
}

Val FunctionEmitter::scalar_of(const FieldAddress &value) {
  Mem base = code_.pointer(scalar(*value.base), 8);
  code_.from(value.span);
  return code_.address(relocated(base, value.field).pointer);
}

Val FunctionEmitter::scalar_of(const FieldLoad &value) {
  Mem base = value.space == Space::Context ? Code::mem(context()) : code_.pointer(scalar(*value.base), 8);
  code_.from(value.span);
  if (value.field.bits != 0) return read_bitfield(value.space, base, value.field, value.type);
  return read_scalar(value.space, relocated(base, value.field), value.type);
}

void FunctionEmitter::into_field(const FieldLoad &value, Mem to) {
  Mem base = value.space == Space::Context ? Code::mem(context()) : code_.pointer(scalar(*value.base), 8);
  code_.from(value.span);
  read_memory(value.space, relocated(base, value.field), value.type, to);
}

}  // namespace awl::codegen
