// Frame gives a program memory for values that do not fit in registers: small ones on the stack (512 bytes
// are all that BPF has), the rest in the program's element of the per-CPU map awl_scratch.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/code.h"

namespace awl::codegen {

class Frame {
 public:
  Frame(Code &code, Object &object) : code_(code), object_(object) {}

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

  [[nodiscard]] bool uses_scratch() const { return base_ != nullptr; }
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
  uint32_t stack_bytes_ = 0;
  uint32_t scratch_top_ = 0, scratch_peak_ = 0;
  Val base_ = nullptr;  // variable that holds the address of the scratch memory
};

}  // namespace awl::codegen
