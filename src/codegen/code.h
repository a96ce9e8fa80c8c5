// Code writes the instructions of one BPF program: a thin layer over LLVM's builder that knows what the
// verifier wants. Scalars are 64-bit integers (i64), conditions are i1, memory is a Mem.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "base/source.h"

namespace llvm {
class BasicBlock;
class Function;
class Value;
}  // namespace llvm

namespace awl::codegen {

class Object;

using Val = llvm::Value *;
using Block = llvm::BasicBlock *;

// An address and what is known of its alignment: BPF has no unaligned access on the stack, so every access is
// cut into pieces that fit.
struct Mem {
  Val pointer = nullptr;
  uint32_t align = 8;
};

enum class Arith : uint8_t { Add, Sub, Mul, Divide, Modulo, And, Or, Xor, ShiftLeft, ShiftRight, ShiftRightSigned };
enum class Cmp : uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

class Code {
 public:
  Code(Object &object, llvm::Function *function);
  ~Code();

  // Where in the script the next instructions come from.
  void from(Span span);
  [[nodiscard]] Span place() const { return place_; }

  // --- Scalars
  Val number(uint64_t value);
  Val arith(Arith op, Val a, Val b);
  Val add(Val a, Val b) { return arith(Arith::Add, a, b); }
  Val sub(Val a, Val b) { return arith(Arith::Sub, a, b); }
  Val add(Val a, uint64_t b) { return add(a, number(b)); }
  Val bit_and(Val a, uint64_t mask) { return arith(Arith::And, a, number(mask)); }
  Val shift_left(Val a, uint64_t bits) { return arith(Arith::ShiftLeft, a, number(bits)); }
  Val shift_right(Val a, uint64_t bits) { return arith(Arith::ShiftRight, a, number(bits)); }
  Val extend(Val value, uint32_t bytes, bool is_signed);  // cut to `bytes`, extended again
  Val compare(Cmp op, bool is_signed, Val a, Val b);      // i1
  Val equal(Val a, uint64_t b) { return compare(Cmp::Equal, false, a, number(b)); }
  Val invert(Val condition);
  Val swap_bytes(Val a);
  Val truth(Val scalar);    // != 0 as i1; also of a pointer
  Val flag(Val condition);  // i1 to 0 or 1
  Val select(Val condition, Val a, Val b);
  // The same value, about which the optimiser knows nothing: keeps bounds checks that only the verifier needs, and
  // loop counters that it must be able to follow.
  Val opaque(Val scalar);
  // The constant value, if it is one.
  static bool constant(Val scalar, uint64_t &value);

  // --- Memory
  Val address(Val pointer);  // as i64
  Mem pointer(Val scalar, uint32_t align);
  static Mem mem(Val pointer, uint32_t align = 8) { return {pointer, align}; }
  Mem at(Mem base, uint64_t offset);
  Mem at(Mem base, Val offset, uint32_t align);
  Val load(Mem from, uint32_t bytes, bool is_signed = false);
  Val load_volatile(Mem from, uint32_t bytes = 8);
  void store(Mem to, Val scalar, uint32_t bytes = 8);
  void store_volatile(Mem to, Val scalar);
  void atomic_add(Mem to, Val delta, uint32_t bytes = 8);  // without result: the cheap instruction
  Val atomic_fetch_add(Mem to, Val delta, uint32_t bytes = 8);
  Val compare_exchange(Mem to, Val expected, Val desired);  // gives what was there
  void zero(Mem to, uint32_t bytes);
  void copy(Mem to, Mem from, uint32_t bytes);
  // The load of a relocated number: `variable` is a CoreRelocations::number().
  Val relocation(Val variable, bool wide);
  // base + offset as one relocated access: what LLVM knows of it stays in one piece.
  Mem relocated(Mem base, Val offset_variable, uint32_t sequence);
  Mem local(uint32_t bytes);  // on the program's stack
  Val pointer_slot();         // a variable that holds a pointer
  void set_pointer(Val slot, Val pointer);
  Val get_pointer(Val slot);
  Val load_pointer(Mem from);
  void store_pointer(Mem to, Val pointer);

  // --- Calls of BPF helpers (enum bpf_func_id)
  Val call(int helper, std::initializer_list<Val> args) { return call(helper, std::span(args.begin(), args.size())); }
  Val call(int helper, std::span<const Val> args);                // result i64
  Mem call_pointer(int helper, std::initializer_list<Val> args);  // result is an address or null
  // Called once for all uses that the first one dominates: for helpers that answer the same all the time.
  Val call_once(int helper, std::span<const Val> args);
  Val call(llvm::Function *function, std::initializer_list<Val> args) {
    return call(function, std::span(args.begin(), args.size()));
  }
  Val call(llvm::Function *function, std::span<const Val> args);
  Val no_pointer();
  // A value that was computed once for all that follows in this region; null if there is none yet.
  Val remembered(int key) const;
  void remember(int key, Val value);

  // --- Control flow
  Block block(const char *name);
  void enter(Block block);  // the following instructions go to its end
  [[nodiscard]] Block current() const;
  void jump(Block target);
  void branch(Val condition, Block then, Block otherwise);
  void leave(Val result);        // return from the function
  void jump_away(Block target);  // jumps; what follows is not reached
  Val phi(std::initializer_list<std::pair<Val, Block>> incoming);
  Val open_phi(Val first, Block from);  // i64, more is added later
  void add_incoming(Val phi, Val value, Block from);

  template <class Then>
  void if_(Val condition, Then then) {
    Fork fork = fork_on(condition, false);
    then();
    join(fork);
  }
  template <class Then, class Else>
  void if_else(Val condition, Then then, Else otherwise) {
    Fork fork = fork_on(condition, true);
    then();
    turn(fork);
    otherwise();
    join(fork);
  }
  template <class Then, class Else>
  Val choose(Val condition, Then then, Else otherwise) {
    Fork fork = fork_on(condition, true);
    Val a = then();
    Block from_a = current();
    turn(fork);
    Val b = otherwise();
    Block from_b = current();
    join(fork);
    return phi({{a, from_a}, {b, from_b}});
  }
  // body(i) for i = 0, step, 2 * step ... below `end`, all constant: the verifier walks it.
  template <class Body>
  void repeat(uint64_t end, uint64_t step, Body body) {
    Block from = current();
    Block head = block("repeat");
    jump(head);
    enter(head);
    size_t known = memory_size();
    Val i = open_phi(number(0), from);
    body(i);
    Val next = opaque(add(i, step));
    add_incoming(i, next, current());
    Block done = block("repeated");
    branch(compare(Cmp::Less, false, next, number(end)), head, done);
    forget(known);
    enter(done);
  }

  // What was remembered inside a region is not known behind it.
  [[nodiscard]] size_t memory_size() const { return memory_.size(); }
  void forget(size_t size) { memory_.resize(size); }

 private:
  struct Fork {
    Block other, end;
    bool has_else;
    size_t known;
  };
  Fork fork_on(Val condition, bool has_else);
  void turn(Fork &fork);
  void join(Fork &fork);

  struct Builder;
  std::unique_ptr<Builder> builder_;
  Object &object_;
  llvm::Function *function_;
  Span place_;
  std::vector<std::pair<int, Val>> memory_;
};

}  // namespace awl::codegen
