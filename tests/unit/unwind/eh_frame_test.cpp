#include "runtime/unwind/eh_frame.h"

#include <gtest/gtest.h>

#include <ostream>

#include "unit/unwind/frame_builder.h"

namespace awl::runtime::unwind {

bool operator==(const Row &a, const Row &b) {
  return a.address == b.address && a.cfa == b.cfa && a.saved_rbp == b.saved_rbp && a.offset == b.offset;
}
void PrintTo(const Row &row, std::ostream *out) {
  *out << std::hex << row.address << std::dec << ": cfa " << static_cast<int>(row.cfa) << " offset " << row.offset
       << " rbp " << static_cast<int>(row.saved_rbp);
}

namespace {

using awl::testing::Code;
using awl::testing::FrameBuilder;
using Rows = std::vector<Row>;

constexpr size_t kLimit = 1000;

Rows read(const FrameBuilder &frames, uint64_t base = 0) {
  return read_eh_frame({frames.bytes, FrameBuilder::kAddress, base}, kLimit).value();
}

// The rows of one function at [0x1000, 0x1100).
Rows rows_of_program(const Code &program, const Code &initial = FrameBuilder::usual()) {
  FrameBuilder frames;
  frames.function(frames.common(initial), 0x1000, 0x100, program);
  return read(frames);
}

TEST(EhFrame, FunctionWithFramePointer) {
  // push rbp; mov rsp, rbp; ...; leave; ret
  const Rows rows = rows_of_program({0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x02, 0xf0, 0x0c, 7, 8, 0xc6});
  EXPECT_EQ(rows, (Rows{{0x1000, Cfa::Rsp, 0, 1},
                        {0x1001, Cfa::Rsp, -2, 2},
                        {0x1004, Cfa::Rbp, -2, 2},
                        {0x10f4, Cfa::Rsp, 0, 1},
                        {0x1100, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, AddressesCountFromTheLowestSegment) {
  FrameBuilder frames;
  frames.function(frames.common(), 0x401000, 0x10, {});
  EXPECT_EQ(read(frames, 0x400000), (Rows{{0x1000, Cfa::Rsp, 0, 1}, {0x1010, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, RemembersAndRestores) {
  // def_cfa_offset 32, remember, offset 8, restore: as around an early return
  const Rows rows = rows_of_program({0x41, 0x0e, 32, 0x41, 0x0a, 0x0e, 8, 0x41, 0x0b});
  EXPECT_EQ(rows, (Rows{{0x1000, Cfa::Rsp, 0, 1},
                        {0x1001, Cfa::Rsp, 0, 4},
                        {0x1002, Cfa::Rsp, 0, 1},
                        {0x1003, Cfa::Rsp, 0, 4},
                        {0x1100, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, WideAdvances) {
  const Rows rows = rows_of_program({0x03, 0x34, 0x00, 0x0e, 16, 0x04, 0x0c, 0, 0, 0, 0x0e, 24});
  EXPECT_EQ(
      rows,
      (Rows{
          {0x1000, Cfa::Rsp, 0, 1}, {0x1034, Cfa::Rsp, 0, 2}, {0x1040, Cfa::Rsp, 0, 3}, {0x1100, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, WhatHappensAtOnePlaceIsOneRow) {
  const Rows rows = rows_of_program({0x41, 0x0e, 16, 0x40, 0x0e, 24});
  EXPECT_EQ(rows, (Rows{{0x1000, Cfa::Rsp, 0, 1}, {0x1001, Cfa::Rsp, 0, 3}, {0x1100, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, Expressions) {
  const Code plt = {0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
  EXPECT_EQ(rows_of_program(plt).front(), (Row{0x1000, Cfa::Plt, 0, 0}));
  // CFA is *(rbp - 8), rbp is saved at rbp: a function that aligns its stack
  const Code aligned = {0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0};
  EXPECT_EQ(rows_of_program(aligned).front(), (Row{0x1000, Cfa::RbpIndirect, 0, -1}));
  // the same without a word of where rbp is
  EXPECT_EQ(rows_of_program({0x0f, 3, 0x76, 0x78, 0x06}).front(), (Row{0x1000, Cfa::Unknown, 0, 0}));
  // rsp + 16 by an expression; *(rsp + 8), rbp * 2
  EXPECT_EQ(rows_of_program({0x0f, 2, 0x77, 16}).front(), (Row{0x1000, Cfa::Rsp, 0, 2}));
  EXPECT_EQ(rows_of_program({0x0f, 3, 0x77, 8, 0x06}).front(), (Row{0x1000, Cfa::Unknown, 0, 0}));
  EXPECT_EQ(rows_of_program({0x0f, 4, 0x76, 0, 0x32, 0x1e}).front(), (Row{0x1000, Cfa::Unknown, 0, 0}));
  // CFA is rbp + 16, rbp is saved at rbp
  EXPECT_EQ(rows_of_program({0x0c, 6, 16, 0x10, 6, 2, 0x76, 0}).front(), (Row{0x1000, Cfa::Rbp, -2, 2}));
}

TEST(EhFrame, WhatRowsCannotSay) {
  const Row unknown{0x1000, Cfa::Unknown, 0, 0};
  EXPECT_EQ(rows_of_program({0x0c, 10, 0}).front(), unknown);                     // CFA by r10
  EXPECT_EQ(rows_of_program({0x0e, 12}).front(), unknown);                        // not in words
  EXPECT_EQ(rows_of_program({0x0e, 0x80, 0x80, 0x10}).front(), unknown);          // 32768 words
  EXPECT_EQ(rows_of_program({0x0e, 0xf8, 0xff, 0x0f}).front().offset, 32767);     // one less
  EXPECT_EQ(rows_of_program({0x86, 0x81, 0x01}).front(), unknown);                // rbp 129 words below
  EXPECT_EQ(rows_of_program({0x86, 0x80, 0x01}).front().saved_rbp, -128);         // 128
  EXPECT_EQ(rows_of_program({0x09, 6, 3}).front(), unknown);                      // rbp in rbx
  EXPECT_EQ(rows_of_program({0x09, 16, 5}).front(), unknown);                     // return address in rdi
  EXPECT_EQ(rows_of_program({0x90, 2}).front(), unknown);                         // or elsewhere
  EXPECT_EQ(rows_of_program({0x3e, 0x0e, 16}).front(), unknown);                  // no such operation
  EXPECT_EQ(rows_of_program({0x07, 16}).front(), (Row{0x1000, Cfa::End, 0, 0}));  // undefined: _start
}

TEST(EhFrame, OtherRegistersDoNotMatter) {
  // rbx, r12 saved; r13 in an expression; GNU_args_size
  EXPECT_EQ(rows_of_program({0x83, 3, 0x8c, 4, 0x10, 13, 2, 0x77, 8, 0x2e, 16}).front(), (Row{0x1000, Cfa::Rsp, 0, 1}));
}

TEST(EhFrame, SignalFrame) {
  FrameBuilder frames;
  frames.function(frames.common(FrameBuilder::usual(), "zRS"), 0x1000, 0x10, {0x41, 0x0e, 16});
  EXPECT_EQ(read(frames), (Rows{{0x1000, Cfa::Signal, 0, 0}, {0x1010, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, FunctionsOutOfOrderAndApart) {
  FrameBuilder frames;
  const uint32_t common = frames.common();
  frames.function(common, 0x2000, 0x10, {0x41, 0x0e, 16});
  frames.function(common, 0x1000, 0x11, {0x41, 0x0e, 24});
  frames.function(common, 0x1020, 0x10, {0x41, 0x0e, 32});  // 15 bytes of padding before it
  EXPECT_EQ(read(frames), (Rows{{0x1000, Cfa::Rsp, 0, 1},
                                {0x1001, Cfa::Rsp, 0, 3},
                                {0x1020, Cfa::Rsp, 0, 1},
                                {0x1021, Cfa::Rsp, 0, 4},
                                {0x1030, Cfa::Unknown, 0, 0},
                                {0x2000, Cfa::Rsp, 0, 1},
                                {0x2001, Cfa::Rsp, 0, 2},
                                {0x2010, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, OverlappingFunctionsAreCut) {
  FrameBuilder frames;
  const uint32_t common = frames.common();
  frames.function(common, 0x1000, 0x100, {0x50, 0x0e, 16, 0x50, 0x0e, 24});
  frames.function(common, 0x1018, 0x10, {0x41, 0x0e, 32});
  EXPECT_EQ(read(frames), (Rows{{0x1000, Cfa::Rsp, 0, 1},
                                {0x1010, Cfa::Rsp, 0, 2},
                                {0x1018, Cfa::Rsp, 0, 1},
                                {0x1019, Cfa::Rsp, 0, 4},
                                {0x1028, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, EntriesOfNoUseAreSkipped) {
  FrameBuilder frames;
  const uint32_t unknown = frames.common(FrameBuilder::usual(), "zX");
  frames.function(unknown, 0x1000, 0x10, {});
  frames.bytes += FrameBuilder::number(0);  // an end that is none
  const uint32_t good = frames.common(FrameBuilder::usual(), "zPLR", {0x9b, 1, 2, 3, 4, 0x1b, 0x1b});
  frames.function(good + 4, 0x2000, 0x10, {});  // at no entry
  frames.function(good, 0x3000, 0x10, {});
  frames.function(good, 0x4000, 0, {});
  EXPECT_EQ(read(frames), (Rows{{0x3000, Cfa::Rsp, 0, 1}, {0x3010, Cfa::Unknown, 0, 0}}));
}

TEST(EhFrame, CutOffAnywhere) {
  FrameBuilder frames;
  frames.function(frames.common(), 0x1000, 0x100, {0x41, 0x0e, 16, 0x86, 2, 0x0f, 3, 0x76, 0x78, 0x06});
  for (size_t size = 0; size < frames.bytes.size(); size++)
    EXPECT_TRUE(
        read_eh_frame({std::string_view(frames.bytes).substr(0, size), FrameBuilder::kAddress, 0}, kLimit)->empty());
}

TEST(EhFrame, MoreRowsThanFit) {
  FrameBuilder frames;
  Code program;
  for (unsigned char i = 2; i < 8; i++) program += Code{0x41, 0x0e, static_cast<unsigned char>(8 * i)};
  frames.function(frames.common(), 0x1000, 0x100, program);
  EXPECT_EQ(read_eh_frame({frames.bytes, FrameBuilder::kAddress, 0}, 8)->size(), 8U);
  EXPECT_FALSE(read_eh_frame({frames.bytes, FrameBuilder::kAddress, 0}, 7));
}

TEST(EhFrame, RowAtAddress) {
  const Rows rows{{0x10, Cfa::Rsp, 0, 1}, {0x20, Cfa::Rsp, 0, 2}};
  EXPECT_EQ(row_at(rows, 0xf).cfa, Cfa::Unknown);
  EXPECT_EQ(row_at(rows, 0x10).offset, 1);
  EXPECT_EQ(row_at(rows, 0x1f).offset, 1);
  EXPECT_EQ(row_at(rows, 0xffffff).offset, 2);
}

}  // namespace
}  // namespace awl::runtime::unwind
