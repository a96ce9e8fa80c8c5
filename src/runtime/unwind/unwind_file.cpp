#include "runtime/unwind/unwind_file.h"

#include <algorithm>
#include <cstring>

#include "runtime/unwind/eh_frame.h"

namespace awl::runtime::unwind {

std::optional<uint64_t> CodeLayout::bias(uint64_t start, uint64_t size, uint64_t offset) const {
  uint64_t bias = 0;
  for (const FileSegment &segment : code)
    if (find_bias(segment, start, size, offset, &bias)) return bias;
  return std::nullopt;
}

CodeLayout layout_of(const ElfFile &elf) {
  CodeLayout layout;
  for (const CodeSegment &segment : elf.code_segments())
    layout.code.push_back({segment.offset, segment.size, segment.address - elf.lowest_address()});
  return layout;
}

namespace {

// Nothing calls what a process begins with. Programs say so, but glibc's dynamic linker has no rule there.
void end_at_entry(std::vector<Row> &rows, uint64_t entry) {
  constexpr uint32_t kMostBytes = 128;  // of the code there
  if (rows.empty() || entry >= no_address - kMostBytes || rows.size() + 2 > kMaxRows) return;
  const auto behind = std::ranges::upper_bound(rows, entry, {}, &Row::address);
  if (behind != rows.begin() && std::prev(behind)->cfa != Cfa::Unknown) return;
  const auto from = static_cast<uint32_t>(entry), to = from + kMostBytes;
  std::vector<Row> own = {{from, Cfa::End, 0, 0}};
  if (behind == rows.end() || behind->address > to) own.push_back({to, Cfa::Unknown, 0, 0});
  rows.insert(behind, own.begin(), own.end());
}

}  // namespace

Result<std::vector<Row>> rows_of(const ElfFile &elf) {
  const std::optional<std::string_view> bytes = elf.section(".eh_frame");
  const std::optional<uint64_t> address = elf.section_address(".eh_frame");
  if (!bytes || !address) return {};
  std::optional<std::vector<Row>> rows = read_eh_frame({*bytes, *address, elf.lowest_address()}, kMaxRows);
  if (!rows) return fail("its table has more than " + std::to_string(kMaxRows) + " rows");
  if (elf.entry_point() != 0) end_at_entry(*rows, elf.entry_point() - elf.lowest_address());
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
