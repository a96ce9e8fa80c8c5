// Where the locals of a routine live. The body of a `for` is a function of its own (a callback of the kernel), so what
// it shares with the code around it must stand in memory that both reach.
#pragma once

#include <cstdint>
#include <vector>

#include "ast/typed/typed.h"

namespace awl::codegen {

// A function that a routine is emitted as: the step whose body it is, null for the routine itself.
using BodyOf = const typed::Step *;

enum class Home : uint8_t {
  Own,      // only one function uses it: in its registers or on its stack
  Record,   // a word of the frame record on the routine's stack: the verifier knows what is in it, so loops must not
            // change it, because the kernel before 6.7 looks at only one turn
  Scratch,  // scratch memory, about whose content the verifier knows nothing
};

struct LocalPlace {
  Home home = Home::Own;
  uint32_t word = 0;         // Record
  std::vector<BodyOf> used;  // functions that read or write it
};

struct LocalPlan {
  std::vector<LocalPlace> places;  // by local
  uint32_t record_words = 0;
  bool has_bodies = false;
  bool has_calls = false;     // of functions of the script, or of the walk of stacks
  bool bodies_leave = false;  // the body of a loop leaves more than the loop
  [[nodiscard]] bool uses(uint32_t local, BodyOf body) const;
};

// `function` is the routine if it is one of the script, else null.
LocalPlan plan_locals(const typed::Routine &routine, const typed::Function *function);

// True if the steps set the local before anything could read it: then its old value does not matter.
bool is_set_first(const typed::Steps &steps, uint32_t local);
// True if the steps may leave the routine, also in a loop or a function that they call.
bool may_leave(const typed::Steps &steps);

}  // namespace awl::codegen
