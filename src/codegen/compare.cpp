#include <algorithm>
#include <bit>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

Val FunctionEmitter::scalar_of(const Compare &value) {
  const Value *left = value.left.get(), *right = value.right.get();
  uint32_t count = std::min({value.count, left->type->size, right->type->size});
  if (left->kind == Kind::Bytes) std::swap(left, right);
  if (right->kind == Kind::Bytes)
    return compare_with_constant(*left, static_cast<const Bytes &>(*right), count, value.stop_at_nul);
  Mem a = memory(*left);
  Mem b = memory(*right);
  code_.from(value.span);
  return compare_memory(a, b, count, value.stop_at_nul);
}

static uint64_t word_at(const std::string &bytes, uint32_t offset, uint32_t width) {
  uint64_t word = 0;
  for (uint32_t i = 0; i < width; ++i) word |= uint64_t{static_cast<uint8_t>(bytes[offset + i])} << (8 * i);
  return word;
}

// Against a constant it is known where the string ends. Without branches for the names that are usual.
Val FunctionEmitter::compare_with_constant(const Value &value, const Bytes &bytes, uint32_t count, bool stop_at_nul) {
  constexpr uint32_t kStraight = 16;
  std::string data = bytes.data.substr(0, count);
  data.resize(count);
  if (stop_at_nul) count = std::min<size_t>(count, data.find('\0') == data.npos ? count : data.find('\0') + 1);
  if (count > 128) return compare_memory(memory(value), Code::mem(object_.constant_bytes(data, count)), count, false);

  bool is_comm = value.kind == Kind::Comm;
  Mem from = is_comm ? Mem{} : memory(value);
  Block differ = count > kStraight ? code_.block("differ") : nullptr;
  Val difference = code_.number(0);
  for (uint32_t offset = 0; offset < count;) {
    uint32_t left = std::min(count - offset, 8u);
    // A whole word is loaded where it exists, and what is behind the end shifted out.
    bool whole = is_comm || (from.align >= 8 && offset + 8 <= value.type->size);
    uint32_t width = whole ? left : std::min(std::bit_floor(left), from.align);
    Val word = is_comm ? comm_word(offset / 8) : code_.load(code_.at(from, offset), whole ? 8 : width);
    Val changed = code_.arith(Arith::Xor, word, code_.number(word_at(data, offset, width)));
    if (whole && width < 8) changed = code_.shift_left(changed, 64 - 8 * width);
    offset += width;
    if (differ) {
      Block next = code_.block("next");
      code_.branch(code_.truth(changed), differ, next);
      code_.enter(next);
    } else {
      difference = code_.arith(Arith::Or, difference, changed);
    }
  }
  if (!differ) return code_.flag(code_.truth(difference));
  Block same = code_.current(), end = code_.block("compared");
  code_.jump(end);
  code_.enter(differ);
  code_.jump(end);
  code_.enter(end);
  return code_.phi({{code_.number(0), same}, {code_.number(1), differ}});
}

// The pieces in which the values differ first, most significant byte in front, are ordered as the bytes are.
Val FunctionEmitter::scalar_of(const Order &value) {
  Mem a = memory(*value.left);
  Mem b = memory(*value.right);
  code_.from(value.span);
  uint32_t align = std::min({a.align, b.align, 8u});
  uint32_t count = std::min({value.count, value.left->type->size, value.right->type->size});
  Mem left = code_.local(8), right = code_.local(8);
  code_.store(left, code_.number(0));
  code_.store(right, code_.number(0));
  Block decided = code_.block("decided");
  auto piece = [&](Mem x, Mem y, uint32_t width) {
    Val l = code_.load(x, width), r = code_.load(y, width);
    code_.store(left, l);
    code_.store(right, r);
    Block next = code_.block("next");
    code_.branch(code_.compare(Cmp::NotEqual, false, l, r), decided, next);
    code_.enter(next);
  };
  uint32_t whole = count / align * align;
  if (whole > 0) code_.repeat(whole, align, [&](Val i) { piece(code_.at(a, i, align), code_.at(b, i, align), align); });
  for (uint32_t offset = whole; offset < count;) {
    uint32_t width = std::min(std::bit_floor(count - offset), align);
    piece(code_.at(a, offset), code_.at(b, offset), width);
    offset += width;
  }
  code_.jump(decided);
  code_.enter(decided);
  Val l = code_.swap_bytes(code_.load(left, 8)), r = code_.swap_bytes(code_.load(right, 8));
  Val more = code_.flag(code_.compare(Cmp::Greater, false, l, r));
  return code_.select(code_.compare(Cmp::Less, false, l, r), code_.number(~uint64_t{0}), more);
}

// Goes to `differ` or `same` if this piece decides, else on. With stop_at_nul it also decides if the string ends in it:
// then the bytes up to and with the first NUL count.
void FunctionEmitter::compare_piece(Mem a, Mem b, uint32_t width, bool stop_at_nul, Block same, Block differ) {
  Val left = code_.load(a, width);
  Val changed = code_.arith(Arith::Xor, left, code_.load(b, width));
  Block next = code_.block("next");
  if (!stop_at_nul) {
    code_.branch(code_.truth(changed), differ, next);
    code_.enter(next);
    return;
  }
  if (width < 8) left = code_.arith(Arith::Or, left, code_.number(~uint64_t{0} << (8 * width)));
  // The lowest set bit of `ends` is the top bit of the first zero byte.
  Val low = code_.sub(left, code_.number(0x0101010101010101));
  Val clear = code_.arith(Arith::Xor, left, code_.number(~uint64_t{0}));
  Val ends = code_.bit_and(code_.arith(Arith::And, low, clear), 0x8080808080808080);
  Block last = code_.block("last"), whole = code_.block("whole");
  code_.branch(code_.truth(ends), last, whole);
  code_.enter(last);
  Val counting = code_.arith(Arith::Xor, ends, code_.sub(ends, code_.number(1)));
  code_.branch(code_.truth(code_.arith(Arith::And, changed, counting)), differ, same);
  code_.enter(whole);
  code_.branch(code_.truth(changed), differ, next);
  code_.enter(next);
}

Val FunctionEmitter::compare_memory(Mem a, Mem b, uint32_t count, bool stop_at_nul) {
  constexpr uint32_t kUnrolled = 128;
  Block same = code_.block("same"), differ = code_.block("differ"), end = code_.block("compared");
  uint32_t align = std::min({a.align, b.align, 8u});
  uint32_t offset = 0;
  if (count > kUnrolled) {
    uint32_t whole = count / 8 * 8;
    code_.repeat(whole, align, [&](Val i) {
      compare_piece(code_.at(a, i, align), code_.at(b, i, align), align, stop_at_nul, same, differ);
    });
    offset = whole;
  }
  while (offset < count) {
    uint32_t width = std::min(std::bit_floor(count - offset), align);
    compare_piece(code_.at(a, offset), code_.at(b, offset), width, stop_at_nul, same, differ);
    offset += width;
  }
  code_.jump(same);
  code_.enter(same);
  code_.jump(end);
  code_.enter(differ);
  code_.jump(end);
  code_.enter(end);
  return code_.phi({{code_.number(0), same}, {code_.number(1), differ}});
}

}  // namespace awl::codegen
