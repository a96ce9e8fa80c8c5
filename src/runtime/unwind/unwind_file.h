// What the unwinder needs of an ELF file; private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/symbols/elf_file.h"
#include "runtime/unwind/tables.h"

namespace awl::runtime::unwind {

inline constexpr size_t kMaxRows = size_t{blocks_per_file} * rows_per_block;

// Where the code of a file lies in a process that maps it.
struct CodeLayout {
  std::vector<FileSegment> code;

  // What Mapping::bias is for a mapping of `size` bytes at `start`, from file offset `offset`. Nullopt if there is no
  // code in it, or if it is out of reach of 32 bits.
  [[nodiscard]] std::optional<uint64_t> bias(uint64_t start, uint64_t size, uint64_t offset) const;
};

CodeLayout layout_of(const ElfFile &elf);

// Empty for a file without .eh_frame. Errors: more rows than kMaxRows.
Result<std::vector<Row>> rows_of(const ElfFile &elf);

// Blocks that rows need, with the index.
inline size_t block_count(size_t rows) { return 1 + (rows + rows_per_block - 1) / rows_per_block; }
// `blocks`: block_count(rows.size()) * block_size bytes.
void write_blocks(std::span<const Row> rows, std::span<std::byte> blocks);

}  // namespace awl::runtime::unwind
