// What looks through strings. Every loop has a bound that the verifier sees, the string's capacity; inside there are
// as few branches as possible, because it follows each of them in each turn.
#include <linux/bpf.h>

#include <algorithm>
#include <bit>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

namespace {

constexpr uint32_t kShort = 64;  // capacity up to which following all outcomes costs the verifier little

// Top bit of the first zero byte of a word, and maybe of bytes behind it; 0 if there is none.
Val zero_bytes(Code &code, Val word) {
  Val low = code.sub(word, code.number(0x0101010101010101));
  Val clear = code.arith(Arith::Xor, word, code.number(~uint64_t{0}));
  return code.bit_and(code.arith(Arith::And, low, clear), 0x8080808080808080);
}

// Which byte of a word the lowest set top bit is in: the bytes up to it are counted by a multiplication.
Val first_byte(Code &code, Val ends) {
  Val lowest = code.arith(Arith::And, ends, code.sub(code.number(0), ends));
  Val ones = code.bit_and(code.sub(lowest, code.number(1)), 0x0101010101010101);
  Val count = code.shift_right(code.arith(Arith::Mul, ones, code.number(0x0101010101010101)), 56);
  return code.sub(count, code.number(1));
}

}  // namespace

Val FunctionEmitter::scalar_of(const StringLength &value) {
  Frame::Mark mark = frame_.mark();
  Mem string = memory(*value.operand);
  code_.from(value.span);
  Val length = string_length(string, value.operand->type->size);
  if (value.operand->type->size > kShort) {
    // Else the verifier follows what comes behind once for each length.
    Mem forgotten = frame_.take_far(8);
    code_.store_volatile(forgotten, length);
    length = code_.load_volatile(forgotten);
  }
  frame_.release(mark);
  return length;
}

Val FunctionEmitter::string_length(Mem string, uint32_t capacity) {
  Mem length = code_.local(8);
  Block known = code_.block("known");
  auto piece = [&](Mem from, Val offset, uint32_t width) {
    Val word = code_.load(from, width);
    if (width < 8 && width > 1) word = code_.arith(Arith::Or, word, code_.number(~uint64_t{0} << (8 * width)));
    Val ends = width == 1 ? code_.flag(code_.equal(word, 0)) : zero_bytes(code_, word);
    Block last = code_.block("last"), next = code_.block("next");
    code_.branch(code_.truth(ends), last, next);
    code_.enter(last);
    code_.store(length, width == 1 ? offset : code_.add(offset, first_byte(code_, ends)));
    code_.jump(known);
    code_.enter(next);
  };
  uint32_t align = std::min(string.align, 8u);
  uint32_t whole = capacity / align * align;
  if (whole > 0) code_.repeat(whole, align, [&](Val i) { piece(code_.at(string, i, align), i, align); });
  for (uint32_t offset = whole; offset < capacity;) {
    uint32_t width = std::min(std::bit_floor(capacity - offset), align);
    piece(code_.at(string, offset), code_.number(offset), width);
    offset += width;
  }
  code_.store(length, code_.number(capacity));
  code_.jump(known);
  code_.enter(known);
  return code_.load(length, 8);
}

// One step of the automaton a byte, eight without a branch: once it has matched or failed, further steps change
// nothing.
Val FunctionEmitter::scalar_of(const Match &value) {
  const pattern::Automaton &automaton = *value.automaton;
  // Rows as offsets in bytes. The table is filled up to a power of two, so that masking an offset keeps it inside, and
  // even.
  std::string table;
  for (uint16_t row : automaton.next) {
    uint32_t offset = row * 2U;
    table += static_cast<char>(offset & 0xff);
    table += static_cast<char>(offset >> 8);
  }
  auto table_size = static_cast<uint32_t>(std::bit_ceil(table.size()));
  const uint64_t matched = automaton.matched() * 2ULL, searching = automaton.stride * 4ULL;

  Frame::Mark mark = frame_.mark();
  Mem string = memory(*value.operand);
  code_.from(value.span);
  Mem classes = Code::mem(object_.constant_bytes(
      {reinterpret_cast<const char *>(automaton.classes.data()), automaton.classes.size()}, 256));
  Mem rows = Code::mem(object_.constant_bytes(table, table_size));
  Mem row = code_.local(8), steps = code_.local(8);
  code_.store(row, code_.number(automaton.start * 2ULL));
  code_.store(steps, code_.number(0));
  auto step = [&](Val byte) {
    Val now = code_.load(row, 8);
    if (value.found_bytes) {  // one more step, if it is not decided yet
      Val open = code_.shift_right(code_.sub(code_.number(searching - 1), now), 63);
      code_.store(steps, code_.add(code_.load(steps, 8), open));
    }
    Val entry = code_.shift_left(code_.load(code_.at(classes, byte, 1), 1), 1);
    Val offset = code_.bit_and(code_.opaque(code_.add(now, entry)), table_size - 2);
    code_.store(row, code_.load(code_.at(rows, offset, 2), 2));
  };
  Block decided = code_.block("decided");
  uint32_t capacity = value.operand->type->size;
  uint32_t align = std::min(string.align, 8u);
  uint32_t whole = capacity / align * align;
  auto piece = [&](Mem from, uint32_t width) {
    Val word = code_.load(from, width);
    for (uint32_t i = 0; i < width; ++i) step(code_.bit_and(code_.shift_right(word, 8ULL * i), 0xff));
    Block next = code_.block("next");
    code_.branch(code_.compare(Cmp::Less, false, code_.load(row, 8), code_.number(searching)), decided, next);
    code_.enter(next);
  };
  if (whole > 0) code_.repeat(whole, align, [&](Val i) { piece(code_.at(string, i, align), align); });
  for (uint32_t offset = whole; offset < capacity; ++offset) piece(code_.at(string, offset), 1);
  step(code_.number(0));
  code_.jump(decided);
  code_.enter(decided);
  frame_.release(mark);
  Val found = code_.equal(code_.load(row, 8), matched);
  if (!value.found_bytes) return code_.flag(found);
  return code_.select(found, code_.sub(code_.load(steps, 8), code_.number(value.found_bytes)),
                      code_.number(~uint64_t{0}));
}

// The left string with all its bytes, zeros, and then the right one over the end of the left.
void FunctionEmitter::into_concat(const Concat &value, Mem to) {
  uint32_t left = value.left->type->size, right = value.right->type->size, size = value.type->size;
  uint32_t total = left + right - 1;
  Frame::Mark mark = frame_.mark();
  Mem result = size >= total ? to : frame_.take_far(total);
  into(*value.left, result);
  Mem tail = memory(*value.right);
  code_.from(value.span);
  uint32_t end = std::max(size, total);
  if (end > left) code_.zero(code_.at(result, left), end - left);
  Val length = string_length(result, left);
  // A bound for the verifier: there is a NUL within `left`.
  Val bounded = code_.opaque(
      code_.select(code_.compare(Cmp::Less, false, length, code_.number(left)), length, code_.number(left - 1)));
  if (left > kShort) {
    Mem forgotten = frame_.take_far(8);
    code_.store_volatile(forgotten, bounded);
    Val again = code_.load_volatile(forgotten);
    bounded = code_.opaque(
        code_.select(code_.compare(Cmp::Less, false, again, code_.number(left)), again, code_.number(left - 1)));
  }
  code_.call(BPF_FUNC_probe_read_kernel, {code_.at(result, bounded, 1).pointer, code_.number(right), tail.pointer});
  if (size < total) {
    code_.copy(to, result, size);
    code_.store(code_.at(to, size - 1), code_.number(0), 1);
  }
  frame_.release(mark);
}

Mem FunctionEmitter::table_row(const TableRow &value) {
  uint32_t width = value.type->size;
  uint64_t last = value.rows.size() / width - 1;
  // Opaque before and behind: a comparison of narrower numbers would say nothing of the whole to the verifier.
  Val given = code_.opaque(scalar(*value.index));
  code_.from(value.span);
  Val most = code_.number(last);
  Val row = code_.opaque(code_.select(code_.compare(Cmp::Less, false, given, most), given, most));
  Mem rows = Code::mem(object_.constant_bytes(value.rows, static_cast<uint32_t>(value.rows.size())));
  return code_.at(rows, code_.arith(Arith::Mul, row, code_.number(width)), 8);
}

}  // namespace awl::codegen
