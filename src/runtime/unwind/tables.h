// The tables of the unwinder, as user space fills them and the walk in BPF reads them (docs/unwinder.md).
//
// Three BPF maps:
//   awl_unwind_maps   LPM trie, MappingKey -> Mapping: where each process has mapped code
//   awl_unwind_files  array of arrays, number of a file -> blocks of that file: block 0 is the index, the others hold
//   rows
//   awl_unwind_inodes hash, FileKey -> FileCode: the same files by what the kernel knows of a mapping, for processes of
//   which awl_unwind_maps does not tell yet
// A frame needs one look-up in the trie (or none: the frame before often lies in the same mapping) and two in the
// file's blocks. UnwindTables (unwind_tables.h) fills them.
#pragma once

#include <stdint.h>  // not <cstdint>: also compiled for BPF, which has no standard library

namespace awl::runtime::unwind {

// How the canonical frame address (CFA, the value of rsp before the call) is found; the return address lies at CFA - 8.
enum class Cfa : uint8_t {
  Unknown,      // no rule, or one that the walk cannot follow: frame pointers from here on
  End,          // the outermost frame: the return address is said to be undefined
  Rsp,          // rsp + offset
  Rbp,          // rbp + offset
  RbpIndirect,  // *(rbp + offset): functions that align their stack; the caller's rbp is at *rbp, saved_rbp is 0
  Plt,          // rsp + 8 + ((rip & 15) >= 11 ? 8 : 0), the lazy entries of .plt
  Signal,       // the handler's return code: all registers are in the ucontext at rsp
};

// Holds from `address` up to the next row's. Sorted by address; equal neighbours are merged.
struct Row {
  uint32_t address;  // virtual address in the file, less that of its lowest PT_LOAD segment
  Cfa cfa;
  int8_t saved_rbp;  // the caller's rbp is at CFA + 8 * saved_rbp; 0: unchanged (but see RbpIndirect)
  int16_t offset;    // of the CFA, in units of 8 bytes
};
static_assert(sizeof(Row) == 8);

inline constexpr uint32_t block_size = 8192;                                // bytes, the value of a file's array
inline constexpr uint32_t rows_per_block = block_size / sizeof(Row);        // 1024
inline constexpr uint32_t blocks_per_file = block_size / sizeof(uint32_t);  // in the index: 2 million rows a file

// Block 0: the first address of block 1, 2, ...; what is not used is no_address. A row that is not used has address
// no_address.
inline constexpr uint32_t no_address = 0xffffffff;

inline constexpr uint32_t max_files = 16384;
inline constexpr uint32_t max_mappings = 1
                                         << 20;  // prefixes, not mappings; elements are allocated when they are needed

// Key of the trie. A mapping is entered as the few prefixes that tell it from the others of its process: a prefix may
// reach beyond its mapping, so what is found counts only where start <= address < end.
struct MappingKey {
  uint32_t prefix_length;  // 32 (the process) + leading bits of the address
  uint32_t process_be;     // tgid as awl's pid namespace numbers it (the builtin pid), big-endian
  uint64_t address_be;     // big-endian
};
static_assert(sizeof(MappingKey) == 16);

struct Mapping {
  uint64_t start, end;  // the whole mapping, so that the next frame needs no look-up
  uint64_t bias;        // bias = address in the process - Row::address
  uint32_t file;        // key in awl_unwind_files
  uint32_t reserved;
};
static_assert(sizeof(Mapping) == 32);

inline constexpr uint32_t no_file = 0xffffffff;  // in Mapping: nothing to walk by

// A file by its inode, as mappings in /proc and side-band records have it. All 0: the vDSO.
struct FileKey {
  uint64_t device;  // the kernel's dev_t: major << 20 | minor
  uint64_t inode;
  uint64_t size;  // bytes: an inode may be taken by another file
};

// A loadable segment with code.
struct FileSegment {
  uint64_t offset, size;  // in the file, bytes; size 0: not used
  uint64_t address;       // virtual, less that of the lowest PT_LOAD segment
};

inline constexpr uint32_t most_segments = 4;
inline constexpr uint32_t max_inodes = 2 * max_files;

struct FileCode {
  uint32_t file;  // as in Mapping
  uint32_t reserved;
  FileSegment segments[most_segments];
};

// Mapping::bias of a mapping of `size` bytes at `start`, from `offset` bytes in the file on; false if it is not of this
// segment. Mappings begin at pages, segments need not.
inline bool find_bias(const FileSegment &segment, uint64_t start, uint64_t size, uint64_t offset, uint64_t *bias) {
  const bool apart =
      segment.offset >= offset ? segment.offset - offset >= size : offset - segment.offset >= segment.size;
  const uint64_t address = segment.address + (offset - segment.offset);
  if (apart || segment.size == 0 || address >= no_address || size >= no_address - address) return false;
  *bias = start - address;
  return true;
}

}  // namespace awl::runtime::unwind
