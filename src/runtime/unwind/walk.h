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

// Offsets in the kernel's structs, as awl_unwind_kernel of the object, which is set before loading.
struct KernelLayout {
  // The return addresses that uretprobes have replaced by that of their trampoline. task_uprobes 0: not known.
  uint64_t task_uprobes;    // task_struct::utask, a pointer to struct uprobe_task
  uint64_t instances;       // uprobe_task::return_instances: the list of those that have not returned, innermost first
  uint64_t return_address;  // return_instance::orig_ret_vaddr
  uint64_t stack;           // return_instance::stack: where that address was
  uint64_t next;            // return_instance::next
  // Mappings and their files. mm_tree 0: not known.
  uint64_t task_mm;  // task_struct::mm
  uint64_t mm_tree;  // mm_struct::mm_mt.ma_root
  uint64_t mm_vdso;  // mm_struct::context.vdso
  uint64_t vma_start, vma_end, vma_page, vma_file,
      vma_mm;                                           // vm_area_struct::vm_start, vm_end, vm_pgoff, vm_file, vm_mm
  uint64_t file_inode;                                  // file::f_inode
  uint64_t inode_number, inode_size, inode_superblock;  // inode::i_ino, i_size, i_sb
  uint64_t superblock_device;                           // super_block::s_dev
  uint64_t backing_dentry;  // backing_file::user_path.dentry (Linux 6.7), 0: this kernel has none
  uint64_t dentry_inode;    // dentry::d_inode
};

inline constexpr uint32_t tree_node_size = 256;  // bytes: struct maple_node

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
  uint64_t replaced;                                 // the program that the registers are of is not there any more
  uint64_t node[tree_node_size / sizeof(uint64_t)];  // of the kernel's tree of mappings
};

enum Outcome : uint64_t {
  walk_complete = 0,  // to the outermost frame, or to the limit
  walk_cut = 1,       // a frame was not found
};

// Result of awl_unwind(Walk *, process, limit, keep): a negated errno where there is no stack, else the key in
// awl_unwind_stacks (keep = 1) or the number of frames (keep = 0), with this bit if the stack was cut.
inline constexpr uint64_t cut_bit = 1ULL << 32;

}  // namespace awl::runtime::unwind
