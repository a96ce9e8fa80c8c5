#include "runtime/unwind/unwind_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "unit/symbols/elf_builder.h"

namespace awl::runtime::unwind {
namespace {

template <class T>
T read(const std::vector<std::byte> &blocks, size_t at) {
  T value;
  std::memcpy(&value, blocks.data() + at, sizeof(T));
  return value;
}

TEST(UnwindFile, BlocksAndTheirIndex) {
  std::vector<Row> rows;
  for (uint32_t i = 0; i < rows_per_block + 5; i++) rows.push_back({16 * i, Cfa::Rsp, 0, static_cast<int16_t>(i)});
  ASSERT_EQ(block_count(rows.size()), 3U);
  std::vector<std::byte> blocks(3 * block_size);
  write_blocks(rows, blocks);
  EXPECT_EQ(read<uint32_t>(blocks, 0), 0U);
  EXPECT_EQ(read<uint32_t>(blocks, 4), 16 * rows_per_block);
  EXPECT_EQ(read<uint32_t>(blocks, 8), no_address);
  EXPECT_EQ(read<uint32_t>(blocks, block_size - 4), no_address);
  EXPECT_EQ(read<Row>(blocks, 2 * block_size - 8).offset, static_cast<int16_t>(rows_per_block - 1));
  EXPECT_EQ(read<Row>(blocks, 2 * block_size + 32).offset, static_cast<int16_t>(rows_per_block + 4));
  EXPECT_EQ(read<Row>(blocks, 2 * block_size + 40).address, no_address);
  EXPECT_EQ(read<Row>(blocks, 3 * block_size - 8).address, no_address);
}

TEST(UnwindFile, NumberOfBlocks) {
  EXPECT_EQ(block_count(1), 2U);
  EXPECT_EQ(block_count(rows_per_block), 2U);
  EXPECT_EQ(block_count(rows_per_block + 1), 3U);
  EXPECT_EQ(block_count(kMaxRows), blocks_per_file + 1);
}

TEST(UnwindFile, BiasOfAMapping) {
  // lld's way: the segment begins within a page, at another address than its offset
  const CodeLayout layout{{{0x1234, 0x5000, 0x2234}}};
  EXPECT_EQ(layout.bias(0x7f0000002000, 0x6000, 0x1000), 0x7f0000000000U);
  // a part of it: mprotect() splits mappings
  EXPECT_EQ(layout.bias(0x7f0000004000, 0x1000, 0x3000), 0x7f0000000000U);
  EXPECT_FALSE(layout.bias(0x7f0000002000, 0x1000, 0x0));
  EXPECT_FALSE(layout.bias(0x7f0000002000, 0x1000, 0x7000));
  // a program that is linked to its place
  EXPECT_EQ((CodeLayout{{{0x1000, 0x800, 0x1000}}}).bias(0x401000, 0x1000, 0x1000), 0x400000U);
  // rows hold 32 bits
  EXPECT_FALSE((CodeLayout{{{0x1000, 0x800, 0x1fffff000}}}).bias(0x401000, 0x1000, 0x1000));
}

TEST(UnwindFile, FileWithoutTables) {
  auto elf = ElfFile::from_bytes(awl::testing::ElfBuilder().build(), "x");
  ASSERT_TRUE(elf);
  EXPECT_TRUE(rows_of(**elf).value().empty());
  const CodeLayout layout = layout_of(**elf);
  ASSERT_EQ(layout.code.size(), 1U);
  EXPECT_EQ(layout.code[0].offset, 0x1000U);
  EXPECT_EQ(layout.code[0].address, 0U);  // from the lowest address on
}

// glibc's dynamic linker has no rule for what it begins with; programs have.
TEST(UnwindFile, NothingCallsTheEntry) {
  for (const char *path : {"/lib64/ld-linux-x86-64.so.2", "/proc/self/exe"}) {
    const auto elf = ElfFile::open(path);
    if (!elf) GTEST_SKIP() << elf.error().message;
    const uint64_t entry = (*elf)->entry_point() - (*elf)->lowest_address();
    const std::vector<Row> rows = rows_of(**elf).value();
    const auto behind = std::ranges::upper_bound(rows, entry, {}, &Row::address);
    ASSERT_NE(behind, rows.begin()) << path;
    EXPECT_EQ(std::prev(behind)->cfa, Cfa::End) << path;
    EXPECT_LT(behind->address - entry, 256U) << path;
  }
}

TEST(UnwindFile, Vdso) {
  auto elf = ElfFile::vdso();
  if (!elf) GTEST_SKIP() << "no vDSO";
  EXPECT_GT(rows_of(*elf).value().size(), 10U);
}

}  // namespace
}  // namespace awl::runtime::unwind
