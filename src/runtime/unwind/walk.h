// What the walk in BPF (walk.bpf.cc) and those who call it or read its stacks agree on.
#pragma once

#include <stdint.h>

#include "runtime/unwind/tables.h"

namespace awl::runtime::unwind {

inline constexpr uint32_t max_frames = 127;      // as kernel.perf_event_max_stack has it by default
inline constexpr uint32_t max_stacks = 1 << 16;  // of awl_unwind_stacks; elements are allocated when they are needed

// Value of the hash map awl_unwind_stacks. Its keys have `walked_bit` set, which tells them from the ids that
// bpf_get_stackid gives; the rest is of the hash.
struct KeptStack {
  uint64_t hash;
  uint64_t count;
  uint64_t frames[max_frames + 1];  // the last one is for the verifier: an index of 7 bits is inside
};
static_assert(sizeof(KeptStack) == 1040);

inline constexpr uint32_t walked_bit = 1U << 30;

// Where the kernel keeps the return addresses that uretprobes have replaced by that of their trampoline: offsets in its
// structs, as awl_unwind_returns of the object, which is set before loading. All 0: not known.
struct ReturnOffsets {
  uint64_t task_uprobes;    // task_struct::utask, a pointer to struct uprobe_task
  uint64_t instances;       // uprobe_task::return_instances: the list of those that have not returned, innermost first
  uint64_t return_address;  // return_instance::orig_ret_vaddr
  uint64_t stack;           // return_instance::stack: where that address was
  uint64_t next;            // return_instance::next
};

// Memory of one walk, which its caller gives; what is in it before does not matter.
struct Walk {
  KeptStack stack;
  uint64_t process;  // as in MappingKey
  uint64_t rip, rsp, rbp;
  uint64_t limit;             // of frames
  uint64_t exact;             // 1: rip is where the program stands, 0: a return address
  uint64_t outcome;           // Outcome
  uint64_t by_frame_pointer;  // the frame before was found by its frame pointer
  uint64_t return_instance;   // the next one that may be met, 0: from the first on
  Mapping mapping;            // of the frame before
  uint64_t block;             // of that file, which holds the rows of [block_start, block_end)
  uint64_t block_start, block_end;
};

enum Outcome : uint64_t {
  walk_complete = 0,  // to the outermost frame, or to the limit
  walk_cut = 1,       // a frame was not found
};

// Result of awl_unwind(Walk *, process, limit, keep): a negated errno where there is no stack, else the key in
// awl_unwind_stacks (keep = 1) or the number of frames (keep = 0), with this bit if the stack was cut.
inline constexpr uint64_t cut_bit = 1ULL << 32;

}  // namespace awl::runtime::unwind
