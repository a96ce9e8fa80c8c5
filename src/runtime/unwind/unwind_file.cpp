#include "runtime/unwind/unwind_file.h"

#include <algorithm>
#include <cstring>

#include "runtime/unwind/eh_frame.h"

namespace awl::runtime::unwind {

std::optional<uint64_t> CodeLayout::bias(uint64_t start, uint64_t size, uint64_t offset) const {
  for (const CodeSegment &segment : code) {
    // Mappings begin at pages, segments need not.
    const bool apart =
        segment.offset >= offset ? segment.offset - offset >= size : offset - segment.offset >= segment.size;
    if (apart) continue;
    const uint64_t from_lowest = segment.address + (offset - segment.offset) - lowest;
    if (from_lowest >= no_address || size >= no_address - from_lowest) return std::nullopt;
    return start - from_lowest;
  }
  return std::nullopt;
}

CodeLayout layout_of(const ElfFile &elf) { return {elf.code_segments(), elf.lowest_address()}; }

Result<std::vector<Row>> rows_of(const ElfFile &elf) {
  const std::optional<std::string_view> bytes = elf.section(".eh_frame");
  const std::optional<uint64_t> address = elf.section_address(".eh_frame");
  if (!bytes || !address) return {};
  std::optional<std::vector<Row>> rows = read_eh_frame({*bytes, *address, elf.lowest_address()}, kMaxRows);
  if (!rows) return fail("its table has more than " + std::to_string(kMaxRows) + " rows");
  return *std::move(rows);
}

void write_blocks(std::span<const Row> rows, std::span<std::byte> blocks) {
  const size_t count = blocks.size() / block_size;
  std::vector<uint32_t> index(blocks_per_file, no_address);
  for (size_t block = 1; block < count; block++) {
    const std::span<const Row> part = rows.subspan(0, std::min<size_t>(rows.size(), rows_per_block));
    rows = rows.subspan(part.size());
    index[block - 1] = part.front().address;
    std::byte *to = blocks.data() + block * block_size;
    std::memcpy(to, part.data(), part.size_bytes());
    constexpr Row kUnused{no_address, Cfa::Unknown, 0, 0};
    for (size_t row = part.size(); row < rows_per_block; row++)
      std::memcpy(to + row * sizeof(Row), &kUnused, sizeof(kUnused));
  }
  std::memcpy(blocks.data(), index.data(), block_size);
}

}  // namespace awl::runtime::unwind
