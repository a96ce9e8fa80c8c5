// Mappings that user space has not told of yet, read from the kernel's own memory: a process that has just begun is
// walked as well as any other, if the tables of its files are there. Compiled for BPF only, a part of walk.bpf.cc.
//
// A process' mappings are a maple tree (Linux 6.1, lib/maple_tree.c), which the kernel itself reads without locks when
// a page is missing: nodes and mappings stay until no reader can have them any more, and BPF programs count as such.
// Helpers that find mappings take the lock of the tree and therefore refuse where interrupts are off, as in samples:
// bpf_find_vma after its first call, the iterator bpf_iter_task_vma at all. What is found while the tree is changed may
// be of before, and must hold the address in any case.
#pragma once

#include "runtime/unwind/bpf_helpers.h"
#include "runtime/unwind/walk.h"

extern "C" {

struct {
  int (*type)[BPF_MAP_TYPE_HASH];
  int (*key_size)[sizeof(awl::runtime::unwind::FileKey)];
  int (*value_size)[sizeof(awl::runtime::unwind::FileCode)];
  int (*max_entries)[awl::runtime::unwind::max_inodes];
  int (*map_flags)[BPF_F_NO_PREALLOC];
} awl_unwind_inodes [[gnu::section(".maps"), gnu::used]];

extern const volatile awl::runtime::unwind::KernelLayout awl_unwind_kernel;

}  // extern "C"

namespace awl::runtime::unwind {

// --- The tree

struct Search {
  Walk *walk;
  uint64_t page;   // of the address
  uint64_t entry;  // a node with its type, in the end the mapping; 0: none
};

// Of the root, which may also be a mapping itself.
static bool is_node(uint64_t entry) { return (entry & 3) == 2 && entry > 4096; }

// One turn of bpf_loop: from a node to the entry of the slot that holds the page. The largest address of each slot but
// the last one is in the node, inclusive; how many there are only computing tells, as in last_not_after().
static int64_t descend([[maybe_unused]] uint64_t index, Search *search) {
  enum : uint64_t { Leaf = 1, Range = 2, AddressRange = 3 };  // enum maple_type: 16 slots, 16, 10 with gaps
  constexpr uint64_t node_mask = 255, type_shift = 3, type_mask = 15, last_pivot = 14;
  constexpr uint32_t pivots = 1, slots = 16, slots_with_gaps = 10, meta = 31, meta_with_gaps = 30;  // words
  uint64_t *node = search->walk->node;
  const uint64_t entry = search->entry, type = entry >> type_shift & type_mask;
  search->entry = 0;
  if (type < Leaf || type > AddressRange || !read_kernel(node, tree_node_size, entry & ~node_mask)) return 1;
  uint64_t last = last_pivot + 1, first_slot = slots;
  if (type == AddressRange) {
    last = node[meta_with_gaps] & 255;
    first_slot = slots_with_gaps;
  } else if (node[pivots + last_pivot] == 0) {
    last = node[meta] & 255;
  }
  uint64_t slot = 0;
#pragma unroll
  for (uint32_t i = 0; i <= last_pivot; i++) {
    const uint64_t before = opaque((node[pivots + i] >> page_bits) - search->page) >> 63;  // ends before the page
    slot += before & opaque(i - last) >> 63;
  }
  search->entry = node[opaque(first_slot + slot) & (tree_node_size / sizeof(uint64_t) - 1)];
  return type == Leaf || search->entry == 0;
}

// The struct vm_area_struct of an address, 0 if there is none.
static uint64_t mapping_at(Walk *walk, uint64_t address) {
  constexpr uint32_t most_levels = 8;
  const auto task = reinterpret_cast<uint64_t>(current_task());
  uint64_t mm = 0;
  Search search{walk, address >> page_bits, 0};
  if (!read_kernel(&mm, task + awl_unwind_kernel.task_mm) || mm == 0 ||
      !read_kernel(&search.entry, mm + awl_unwind_kernel.mm_tree) || !is_node(search.entry))
    return 0;
  helper<int64_t (*)(uint32_t, int64_t (*)(uint64_t, Search *), void *, uint64_t)>(BPF_FUNC_loop)(most_levels, descend,
                                                                                                  &search, 0);
  return search.entry;
}

// --- From a mapping to the table of its file

static const FileCode *code_of_inode(uint64_t inode) {
  FileKey key;
  uint64_t superblock = 0;
  uint32_t device = 0;
  if (!read_kernel(&key.inode, inode + awl_unwind_kernel.inode_number) ||
      !read_kernel(&key.size, inode + awl_unwind_kernel.inode_size) ||
      !read_kernel(&superblock, inode + awl_unwind_kernel.inode_superblock) ||
      !read_kernel(&device, sizeof(device), superblock + awl_unwind_kernel.superblock_device))
    return nullptr;
  key.device = device;
  return static_cast<const FileCode *>(lookup(&awl_unwind_inodes, &key));
}

static const FileCode *code_of_mapping(uint64_t vma, uint64_t start) {
  uint64_t file = 0, inode = 0, mm = 0, vdso = 0, dentry = 0;
  if (!read_kernel(&file, vma + awl_unwind_kernel.vma_file)) return nullptr;
  if (file == 0) {
    if (!read_kernel(&mm, vma + awl_unwind_kernel.vma_mm) || !read_kernel(&vdso, mm + awl_unwind_kernel.mm_vdso) ||
        vdso != start)
      return nullptr;
    const FileKey none{};
    return static_cast<const FileCode *>(lookup(&awl_unwind_inodes, &none));
  }
  if (!read_kernel(&inode, file + awl_unwind_kernel.file_inode)) return nullptr;
  if (const FileCode *code = code_of_inode(inode)) return code;
  // Of a file in an overlay the kernel maps the one below, but tells of the one that was opened (Linux 6.7). What
  // stands here behind other files is not theirs, but leads to no known inode.
  if (awl_unwind_kernel.backing_dentry == 0 || !read_kernel(&dentry, file + awl_unwind_kernel.backing_dentry) ||
      !read_kernel(&inode, dentry + awl_unwind_kernel.dentry_inode))
    return nullptr;
  return code_of_inode(inode);
}

// Makes the mapping of an address that user space has not told of the walk's; false if there is none. One without a
// table becomes it, too: the next frame is often there again.
static bool ask_kernel(Walk *walk, uint64_t address) {
  if (awl_unwind_kernel.mm_tree == 0) return false;
  const uint64_t vma = mapping_at(walk, address);
  uint64_t start = 0, end = 0, page = 0;
  // A process that runs nothing of its own has been through execve(2): the stack of what called that is gone.
  if (vma == 0 && walk->stack.count == 1) walk->replaced = 1;
  if (vma == 0 || !read_kernel(&start, vma + awl_unwind_kernel.vma_start) ||
      !read_kernel(&end, vma + awl_unwind_kernel.vma_end) || !read_kernel(&page, vma + awl_unwind_kernel.vma_page))
    return false;
  if (address < start || address >= end) return false;
  walk->mapping.start = start;
  walk->mapping.end = end;
  walk->mapping.file = no_file;
  const FileCode *code = code_of_mapping(vma, start);
  if (!code) return true;
#pragma unroll
  for (uint32_t i = 0; i < most_segments; i++) {
    uint64_t bias = 0;
    if (!find_bias(code->segments[i], start, end - start, page << page_bits, &bias)) continue;
    walk->mapping.bias = bias;
    walk->mapping.file = code->file;
    return true;
  }
  return true;
}

}  // namespace awl::runtime::unwind
