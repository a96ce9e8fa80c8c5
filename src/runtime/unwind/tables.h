// The tables of the unwinder, as user space fills them and the walk in BPF reads them (docs/unwinder.md).
//
// Two BPF maps:
//   awl_unwind_maps   LPM trie, MappingKey -> Mapping: where each process has mapped code
//   awl_unwind_files  array of arrays, number of a file -> blocks of that file: block 0 is the index, the others hold
//   rows
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

}  // namespace awl::runtime::unwind
