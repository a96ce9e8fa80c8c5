#include "runtime/probes/usdt_args.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

UsdtPlace place(bool position_independent = false) {
  UsdtPlace out;
  out.marker_address = 0x401000;
  out.position_independent = position_independent;
  out.symbol = [](std::string_view name) -> std::optional<uint64_t> {
    if (name == "counter") return 0x404010;
    return std::nullopt;
  };
  return out;
}

UsdtArg one(std::string_view text, UsdtArch arch = UsdtArch::X86_64) {
  UsdtArgs args = parse_usdt_args(text, place(), arch);
  EXPECT_EQ(args.spec.arg_count, 1u) << text;
  EXPECT_TRUE(args.problems.empty()) << text << ": " << (args.problems.empty() ? "" : args.problems[0].message);
  return args.spec.args[0];
}

std::string problem(std::string_view text, UsdtArch arch = UsdtArch::X86_64, bool position_independent = false) {
  UsdtArgs args = parse_usdt_args(text, place(position_independent), arch);
  return args.problems.empty() ? "" : args.problems[0].message;
}

UsdtArg make(UsdtArgKind kind, uint64_t constant, uint32_t reg, int size) {
  UsdtArg arg;
  arg.kind = static_cast<uint32_t>(kind);
  arg.constant = constant;
  arg.reg_offset = reg;
  arg.shift = static_cast<uint32_t>(64 - 8 * std::abs(size));
  arg.is_signed = size < 0;
  return arg;
}

constexpr uint32_t kRax = 80, kRbx = 40, kRbp = 32, kRdi = 112, kRip = 128, kRsp = 152;

TEST(UsdtArgs, Registers) {
  EXPECT_EQ(one("8@%rdi"), make(UsdtArgKind::Register, 0, kRdi, 8));
  EXPECT_EQ(one("-4@%eax"), make(UsdtArgKind::Register, 0, kRax, -4));
  EXPECT_EQ(one("2@%bx"), make(UsdtArgKind::Register, 0, kRbx, 2));
  EXPECT_EQ(one("1@%al"), make(UsdtArgKind::Register, 0, kRax, 1));
  EXPECT_EQ(one("1@%dil"), make(UsdtArgKind::Register, 0, kRdi, 1));
  EXPECT_EQ(one("-1@%bpl"), make(UsdtArgKind::Register, 0, kRbp, -1));
  EXPECT_EQ(one("4@%r8d"), make(UsdtArgKind::Register, 0, 72, 4));
  EXPECT_EQ(one("1@%r15b"), make(UsdtArgKind::Register, 0, 0, 1));
  EXPECT_EQ(one("8@%r12"), make(UsdtArgKind::Register, 0, 24, 8));
  EXPECT_EQ(one("%rdi"), make(UsdtArgKind::Register, 0, kRdi, 8));
}

TEST(UsdtArgs, Constants) {
  EXPECT_EQ(one("-4@$5"), make(UsdtArgKind::Constant, 5, 0, -4));
  EXPECT_EQ(one("-4@$-9"), make(UsdtArgKind::Constant, static_cast<uint64_t>(-9), 0, -4));
  EXPECT_EQ(one("8@$0x10"), make(UsdtArgKind::Constant, 16, 0, 8));
  EXPECT_EQ(one("8@$counter"), make(UsdtArgKind::Constant, 0x404010, 0, 8));
}

TEST(UsdtArgs, ConstantsAreOfTheirSizeAndSign) {
  EXPECT_EQ(one("2@$-1"), make(UsdtArgKind::Constant, 65535, 0, 2));
  EXPECT_EQ(one("1@$-56"), make(UsdtArgKind::Constant, 200, 0, 1));
  EXPECT_EQ(one("4@$-294967296"), make(UsdtArgKind::Constant, 4000000000, 0, 4));
  EXPECT_EQ(one("-1@$200"), make(UsdtArgKind::Constant, static_cast<uint64_t>(-56), 0, -1));
  EXPECT_EQ(one("8@$-1"), make(UsdtArgKind::Constant, UINT64_MAX, 0, 8));
  EXPECT_EQ(one("4@-1", UsdtArch::Arm64), make(UsdtArgKind::Constant, UINT32_MAX, 0, 4));
}

TEST(UsdtArgs, Memory) {
  EXPECT_EQ(one("-4@112(%rsp)"), make(UsdtArgKind::Memory, 112, kRsp, -4));
  EXPECT_EQ(one("-4@-228(%rbp)"), make(UsdtArgKind::Memory, static_cast<uint64_t>(-228), kRbp, -4));
  EXPECT_EQ(one("8@(%rax)"), make(UsdtArgKind::Memory, 0, kRax, 8));
  EXPECT_EQ(one("8@0x8(%rax)"), make(UsdtArgKind::Memory, 8, kRax, 8));
  EXPECT_EQ(one("4@counter(%rip)"), make(UsdtArgKind::Memory, 0x404010 - 0x401000, kRip, 4));
  EXPECT_EQ(one("4@counter+8(%rip)"), make(UsdtArgKind::Memory, 0x404018 - 0x401000, kRip, 4));
  EXPECT_EQ(one("4@counter-4(%rip)"), make(UsdtArgKind::Memory, 0x40400c - 0x401000, kRip, 4));
  EXPECT_EQ(one("4@counter"), make(UsdtArgKind::Memory, 0x404010 - 0x401000, kRip, 4));
}

TEST(UsdtArgs, IndexedMemory) {
  UsdtArg wanted = make(UsdtArgKind::IndexedMemory, 16, kRax, 4);
  wanted.index_offset = kRbx;
  wanted.index_shift = 3;
  EXPECT_EQ(one("4@16(%rax,%rbx,8)"), wanted);
  wanted.index_shift = 0;
  wanted.constant = 0;
  EXPECT_EQ(one("4@(%rax,%rbx)"), wanted);
  EXPECT_EQ(one("4@(%rax, %rbx, 1)"), wanted);
}

TEST(UsdtArgs, SeveralInOrder) {
  UsdtArgs args = parse_usdt_args("8@%rbp 8@%r12  -4@%eax", place());
  ASSERT_EQ(args.spec.arg_count, 3u);
  EXPECT_EQ(args.spec.args[2], make(UsdtArgKind::Register, 0, kRax, -4));
  EXPECT_EQ(parse_usdt_args("", place()).spec.arg_count, 0u);
}

TEST(UsdtArgs, Arm64) {
  auto arm = UsdtArch::Arm64;
  EXPECT_EQ(one("8@x0", arm), make(UsdtArgKind::Register, 0, 0, 8));
  EXPECT_EQ(one("-4@w19", arm), make(UsdtArgKind::Register, 0, 19 * 8, -4));
  EXPECT_EQ(one("8@sp", arm), make(UsdtArgKind::Register, 0, 31 * 8, 8));
  EXPECT_EQ(one("-4@[sp, 12]", arm), make(UsdtArgKind::Memory, 12, 31 * 8, -4));
  EXPECT_EQ(one("-4@[x29, -20]", arm), make(UsdtArgKind::Memory, static_cast<uint64_t>(-20), 29 * 8, -4));
  EXPECT_EQ(one("8@[x19]", arm), make(UsdtArgKind::Memory, 0, 19 * 8, 8));
  EXPECT_EQ(one("-4@5", arm), make(UsdtArgKind::Constant, 5, 0, -4));
  UsdtArg indexed = make(UsdtArgKind::IndexedMemory, 0, 8, 8);
  indexed.index_offset = 16;
  indexed.index_shift = 3;
  EXPECT_EQ(one("8@[x1, x2, lsl 3]", arm), indexed);
  EXPECT_EQ(parse_usdt_args("-4@[sp, 12] 8@x0", place(), arm).spec.arg_count, 2u);
  EXPECT_EQ(problem("8@d0", arm), "arg0 is in a floating point register");
}

TEST(UsdtArgs, Problems) {
  EXPECT_EQ(problem("8@%rdi 8f@%xmm0"), "arg1 is a floating point number");
  EXPECT_EQ(problem("8@%xmm1"), "arg0 is in a floating point register");
  EXPECT_EQ(problem("1@%ah"), "arg0 is in the second byte of a register");
  EXPECT_EQ(problem("8@%fs:16"), "arg0 is in thread-local memory");
  EXPECT_EQ(problem("8@%fs:0(%rax)"), "arg0 is in thread-local memory");
  EXPECT_EQ(problem("3@%rdi"), "arg0 has the size `3`");
  EXPECT_EQ(problem("8@%nope"), "arg0 has an operand that is not understood: `%nope`");
  EXPECT_EQ(problem("8@"), "arg0 is empty");
  EXPECT_EQ(problem("8@nowhere(%rip)"), "arg0 is at `nowhere`, a symbol that the file does not name");
  EXPECT_EQ(problem("8@$counter", UsdtArch::X86_64, true), "arg0 is the address of `counter`, which is not known");
  EXPECT_NE(problem("8@16(%rip)"), "");
  EXPECT_NE(problem("8@(%rax,%rbx,3)"), "");
  EXPECT_NE(problem("8@(%rax"), "");
  EXPECT_NE(problem("8@()"), "");
  // The readable ones stay readable.
  UsdtArgs args = parse_usdt_args("8f@%xmm0 -4@%eax", place());
  EXPECT_EQ(args.spec.arg_count, 2u);
  EXPECT_EQ(args.spec.args[0], UsdtArg{});
  EXPECT_EQ(args.spec.args[1], make(UsdtArgKind::Register, 0, kRax, -4));
}

TEST(UsdtArgs, TooMany) {
  std::string text;
  for (int i = 0; i < 14; i++) text += "8@%rdi ";
  UsdtArgs args = parse_usdt_args(text, place());
  EXPECT_EQ(args.spec.arg_count, kUsdtMaxArgs);
  ASSERT_EQ(args.problems.size(), 1u);
  EXPECT_EQ(args.problems[0].message, "only the first 12 of 14 arguments can be read");
}

}  // namespace
}  // namespace awl
