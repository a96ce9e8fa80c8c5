// Frame gives a program memory for values that do not fit in registers: small ones on the stack (512 bytes
// are all that BPF has), the rest in the program's element of the per-CPU map awl_scratch.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/code.h"

namespace awl::codegen {

class Frame {
 public:
  enum class Role : uint8_t {
    Program,
    Caller,    // a program that calls other functions, which need room on the stack as well
    Function,  // of the script: it gets its scratch memory from its caller
  };
  Frame(Code &code, Object &object, Role role);
  // Of a function that is called while `outer` is in use: its scratch memory stands behind what is taken there.
  Frame(Code &code, const Frame &outer);

  // Memory of its own until release(); the content is undefined.
  Mem take(uint32_t bytes);
  // Likewise, never on the stack: may be written to at any offset, and the verifier forgets what was stored.
  Mem take_far(uint32_t bytes);
  // What was taken since the mark is free again.
  struct Mark {
    size_t taken;
    uint32_t scratch_top;
  };
  [[nodiscard]] Mark mark() const { return {taken_.size(), scratch_top_}; }
  void release(Mark mark);

  // Scratch memory as an offset, which is the same in functions that are called; and its address here.
  uint32_t take_scratch(uint32_t bytes);
  Mem scratch_at(uint32_t offset);

  [[nodiscard]] bool uses_scratch() const { return base_ != nullptr; }
  [[nodiscard]] uint32_t scratch_bytes() const { return scratch_peak_; }
  Val scratch() { return code_.get_pointer(base_); }
  // Instructions that take over scratch memory that a caller has got.
  void use_scratch(Val base) { code_.set_pointer(base_, base); }
  // What a called function needs is needed here.
  void cover(const Frame &called);
  // Instructions that get the program's scratch memory, jumping to `exit` if there is none. With `preemptible`
  // one of several elements is taken, to be given back by release_scratch().
  void acquire_scratch(Block exit, bool preemptible, Span program);
  void release_scratch();

 private:
  struct Slot {
    Mem memory;
    uint32_t bytes;
    bool busy;
  };
  Code &code_;
  Object &object_;
  std::vector<Slot> slots_;
  std::vector<size_t> taken_;
  uint32_t stack_bytes_ = 0, stack_budget_;
  uint32_t header_;  // bytes of the scratch memory in front of what is taken
  uint32_t scratch_top_ = 0, scratch_peak_ = 0;
  Val base_ = nullptr;  // variable that holds the address of the scratch memory
};

}  // namespace awl::codegen
