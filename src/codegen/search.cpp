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

// The algorithm of Knuth, Morris and Pratt: no byte of the text is looked at again, whatever the two strings are.
// `borders` has a uint16 for each length of a prefix of `string`: that of the longest shorter prefix with which it
// ends.
struct FunctionEmitter::Prefixes {
  Mem string;
  uint64_t mask;  // of positions in it
  Mem borders;
  Mem at, matched;  // position in the text that is walked through, and how much of `string` ends there
};

// Memory of a string as large as a power of two, so that masking a position keeps it inside.
Mem FunctionEmitter::maskable(const Value &string, uint64_t &mask) {
  uint32_t size = string.type->size, room = std::bit_ceil(size);
  mask = room - 1;
  if (room == size) return memory(string);
  Mem copy = frame_.take_far(room);
  into(string, copy);
  code_.zero(code_.at(copy, size), room - size);
  return copy;
}

// Until the text ends or all of the string is matched. With `measure` the text is the string itself, of which the
// borders become known. A turn goes on in the text or falls back in the string, and has no branch; when it is over,
// turns change nothing.
void FunctionEmitter::walk_text(const Prefixes &wanted, Mem text, uint64_t mask, bool measure) {
  constexpr uint32_t kTogether = 8;
  auto is_zero = [&](Val number) { return code_.shift_right(code_.sub(code_.opaque(number), code_.number(1)), 63); };
  auto border = [&](Val length) { return code_.at(wanted.borders, code_.shift_left(length, 1), 2); };
  Block over = code_.block("over");
  auto turn = [&]() -> Val {
    Val at = code_.load(wanted.at, 8), matched = code_.load(wanted.matched, 8);
    // Opaque: LLVM would make an `or` of the addition to an address that is aligned, which the verifier refuses.
    Val place = code_.opaque(code_.bit_and(at, mask)), length = code_.opaque(code_.bit_and(matched, wanted.mask));
    Val byte = code_.load(code_.at(text, place, 1), 1), next = code_.load(code_.at(wanted.string, length, 1), 1);
    Val same = is_zero(code_.arith(Arith::Xor, byte, next));
    Val shorter = code_.load(border(length), 2);
    Val longer = code_.arith(Arith::Mul, same, code_.sub(code_.add(length, 1), shorter));
    Val result = code_.add(shorter, longer);
    if (measure) code_.store(code_.at(border(place), 2), result, 2);
    Val ended = code_.arith(Arith::Or, is_zero(byte), is_zero(next));
    Val open = code_.arith(Arith::Xor, ended, code_.number(1));
    Val onward = code_.arith(Arith::And, open, code_.arith(Arith::Or, same, is_zero(length)));
    code_.store(wanted.at, code_.add(at, onward));
    code_.store(wanted.matched, code_.add(matched, code_.arith(Arith::Mul, open, code_.sub(result, length))));
    return ended;
  };
  // It cannot fall back more often than it went on.
  code_.repeat(2 * (mask + 1), kTogether, [&](Val) {
    Val ended = nullptr;
    for (uint32_t i = 0; i < kTogether; ++i) ended = turn();
    Block more = code_.block("more");
    code_.branch(code_.truth(code_.opaque(ended)), over, more);
    code_.enter(more);
  });
  code_.jump(over);
  code_.enter(over);
}

Val FunctionEmitter::scalar_of(const Search &value) {
  Frame::Mark mark = frame_.mark();
  uint64_t mask = 0;
  Mem text = maskable(*value.text, mask);
  Prefixes wanted;
  wanted.string = maskable(*value.wanted, wanted.mask);
  code_.from(value.span);
  wanted.borders = frame_.take_far(2 * (static_cast<uint32_t>(wanted.mask) + 2));
  wanted.at = code_.local(8);
  wanted.matched = code_.local(8);
  Val zero = code_.number(0);
  code_.store(wanted.borders, zero, 4);
  code_.store(wanted.at, code_.number(1));
  code_.store(wanted.matched, zero);
  walk_text(wanted, wanted.string, wanted.mask, true);
  code_.store(wanted.at, zero);
  code_.store(wanted.matched, zero);
  walk_text(wanted, text, mask, false);
  // The verifier follows what comes behind for each turn that may be the last: what is the same to it only once.
  Val matched = code_.opaque(code_.bit_and(code_.load(wanted.matched, 8), wanted.mask));
  Val rest = code_.opaque(code_.load(code_.at(wanted.string, matched, 1), 1));
  Val found = code_.shift_right(code_.sub(rest, code_.number(1)), 63);
  Val begin = code_.sub(code_.load(wanted.at, 8), matched);
  Mem forgotten = frame_.take_far(8);
  code_.store_volatile(forgotten, code_.arith(Arith::Or, begin, code_.sub(found, code_.number(1))));
  Val result = code_.load_volatile(forgotten);
  frame_.release(mark);
  return result;
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
