#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "runtime/output/value_parts.h"
#include "unit/output/values.h"

namespace awl {
namespace {

using test::Bytes;

class FixedStacks : public StackSource {
 public:
  std::vector<uint64_t> frames(const Type *, int32_t id) override {
    if (id == 9) return {0xffffffff81000010, 0xffffffff81000010};
    if (id != 7) return {};
    return {0x1000, 0xabcdef};
  }
};

class ValueTest : public testing::Test {
 protected:
  ValueTest() {
    context.manifest = &manifest;
    context.stacks = &stacks;
  }
  std::string text(const Type *type, const std::vector<std::byte> &bytes) {
    std::string out;
    append_value(out, {type, bytes}, context);
    return out;
  }
  std::string json(const Type *type, const std::vector<std::byte> &bytes) {
    std::string out;
    append_json(out, {type, bytes}, context);
    return out;
  }
  std::string key(const Type *type, const std::vector<std::byte> &bytes) {
    std::string out;
    append_key(out, {type, bytes}, context);
    return out;
  }

  test::Types types;
  Manifest manifest;
  FixedStacks stacks;
  FormatContext context;
};

TEST_F(ValueTest, Integers) {
  EXPECT_EQ(text(types.int64(), Bytes().put<int64_t>(-5)), "-5");
  EXPECT_EQ(text(types.uint64(), Bytes().put<int64_t>(-1)), "18446744073709551615");
  EXPECT_EQ(text(types.integer(1, true), Bytes().put<uint8_t>(0xff)), "-1");
  EXPECT_EQ(text(types.integer(1, false), Bytes().put<uint8_t>(0xff)), "255");
  EXPECT_EQ(text(types.integer(2, true), Bytes().put<uint16_t>(0x8000)), "-32768");
  EXPECT_EQ(text(types.integer(4, false), Bytes().put<uint32_t>(4000000000)), "4000000000");
  EXPECT_EQ(text(types.int64(), Bytes().put<int64_t>(INT64_MIN)), "-9223372036854775808");
}

TEST_F(ValueTest, JsonIntegersKeepEveryDigit) {
  EXPECT_EQ(json(types.int64(), Bytes().put<int64_t>(1LL << 53)), "9007199254740992");
  EXPECT_EQ(json(types.int64(), Bytes().put<int64_t>((1LL << 53) + 1)), "\"9007199254740993\"");
  EXPECT_EQ(json(types.int64(), Bytes().put<int64_t>(-(1LL << 53))), "-9007199254740992");
  EXPECT_EQ(json(types.int64(), Bytes().put<int64_t>(INT64_MIN)), "\"-9223372036854775808\"");
  EXPECT_EQ(json(types.uint64(), Bytes().put<int64_t>(-1)), "\"18446744073709551615\"");
}

TEST_F(ValueTest, BoolPointerVoid) {
  EXPECT_EQ(text(types.simple(TypeKind::Bool, 1), Bytes().put<uint8_t>(1)), "true");
  EXPECT_EQ(json(types.simple(TypeKind::Bool, 1), Bytes().put<uint8_t>(0)), "false");
  EXPECT_EQ(text(types.simple(TypeKind::Pointer, 8), Bytes().put<uint64_t>(0xffff888000001000)), "0xffff888000001000");
  EXPECT_EQ(text(types.simple(TypeKind::Pointer, 8), Bytes().put<uint64_t>(0)), "0x0");
  EXPECT_EQ(json(types.simple(TypeKind::Pointer, 8), Bytes().put<uint64_t>(4096)), "4096");
  EXPECT_EQ(text(types.simple(TypeKind::Void, 0), {}), "null");
  EXPECT_EQ(json(types.simple(TypeKind::Void, 0), {}), "null");
}

TEST_F(ValueTest, Enums) {
  Type type;
  type.kind = TypeKind::Enum;
  type.size = 4;
  type.is_signed = true;
  type.enumerators = {{"RED", 0}, {"BLUE", -2}};
  EXPECT_EQ(text(&type, Bytes().put<int32_t>(-2)), "BLUE");
  EXPECT_EQ(text(&type, Bytes().put<int32_t>(5)), "5");
  EXPECT_EQ(json(&type, Bytes().put<int32_t>(-2)), "-2");
}

TEST_F(ValueTest, StringsStopAtNul) {
  EXPECT_EQ(text(types.string(8), Bytes().text("ab\0cd", 8)), "ab");
  EXPECT_EQ(text(types.string(8), Bytes().text("", 8)), "");
  EXPECT_EQ(json(types.string(8), Bytes().text("caf\xc3\xa9", 8)), "\"caf\xc3\xa9\"");
  EXPECT_EQ(json(types.string(8), Bytes().text("a\xff\"\n", 8)), "\"a\\ufffd\\\"\\n\"");
}

TEST_F(ValueTest, CutStringsHaveATrailer) {
  manifest.config.max_strlen = 8;
  EXPECT_EQ(text(types.string(8), Bytes().text("1234567", 8)), "1234567..") << "fills a str()";
  EXPECT_EQ(text(types.string(8), Bytes().text("123456", 8)), "123456");
  EXPECT_EQ(text(types.string(4), Bytes().text("abc", 4)), "abc") << "a literal fits exactly";
  EXPECT_EQ(text(types.string(4), Bytes().text("abcd", 4)), "abcd..") << "no NUL: cut";
  manifest.config.str_trunc_trailer = "";
  EXPECT_EQ(text(types.string(8), Bytes().text("1234567", 8)), "1234567");
}

TEST_F(ValueTest, Buffers) {
  const Type *type = types.buffer(8);
  std::vector<std::byte> bytes = Bytes().put<uint32_t>(6).text("ab\x01\xff", 8);
  EXPECT_EQ(text(type, bytes), "ab\\x01\\xff\\x00\\x00");
  EXPECT_EQ(json(type, bytes), "[97,98,1,255,0,0]");
  EXPECT_EQ(text(type, Bytes().put<uint32_t>(4000).text("ab", 8)), "ab\\x00\\x00\\x00\\x00\\x00\\x00") << "capped";
}

TEST_F(ValueTest, Arrays) {
  const Type *type = types.array(types.integer(4, true), 3);
  std::vector<std::byte> bytes = Bytes().put<int32_t>(1).put<int32_t>(-2).put<int32_t>(3);
  EXPECT_EQ(text(type, bytes), "[1,-2,3]");
  EXPECT_EQ(json(type, bytes), "[1,-2,3]");
  EXPECT_EQ(text(types.array(types.integer(1, true), 3), Bytes().text("ab", 3)), "[97,98,0]") << "int8[] is no text";
}

TEST_F(ValueTest, TextInStructs) {
  const Type *chars = types.array(types.integer(1, true), 4), *bytes = types.array(types.integer(1, false), 2);
  const Type *type = types.members(TypeKind::Struct, {{"name", chars}, {"id", bytes}});
  std::vector<std::byte> value = Bytes().text("ab", 4).text("c", 2);
  EXPECT_EQ(text(type, value), "{ .name = ab, .id = [99,0] }");
  EXPECT_EQ(json(type, value), R"({"name": "ab", "id": [99,0]})");
}

TEST_F(ValueTest, Tuples) {
  const Type *inner = types.tuple({types.int64(), types.int64()});
  const Type *type = types.tuple({types.int64(), types.string(4), inner});
  std::vector<std::byte> bytes = Bytes().put<int64_t>(1).text("a", 4).align(8).put<int64_t>(2).put<int64_t>(3);
  EXPECT_EQ(text(type, bytes), "(1, a, (2, 3))");
  EXPECT_EQ(json(type, bytes), "[1,\"a\",[2,3]]");
  EXPECT_EQ(key(type, bytes), "1, a, (2, 3)");
  EXPECT_EQ(text(types.tuple({}), {}), "()");
}

TEST_F(ValueTest, RecordsAndStructs) {
  const Type *record =
      types.members(TypeKind::Tuple, {{"a", types.int64()}, {"b", types.string(4)}}, /*is_record=*/true);
  std::vector<std::byte> bytes = Bytes().put<int64_t>(1).text("x", 4);
  EXPECT_EQ(text(record, bytes), "{ .a = 1, .b = x }");
  EXPECT_EQ(json(record, bytes), R"({"a": 1, "b": "x"})");
  const Type *inner = types.members(TypeKind::Struct, {{"in", types.integer(4, true)}});
  const Type *outer = types.members(TypeKind::Struct, {{"x", types.integer(4, true)}, {"", inner}, {"y", inner}});
  bytes = Bytes().put<int32_t>(1).align(4).put<int32_t>(0).put<int32_t>(0).put<int32_t>(0);
  EXPECT_EQ(text(outer, bytes), "{ .x = 1, .in = 0, .y = { .in = 0 } }") << "anonymous members are shown inline";
  EXPECT_EQ(text(types.members(TypeKind::Struct, {}), {}), "{}");
}

TEST_F(ValueTest, Bitfields) {
  Type type;
  type.kind = TypeKind::Struct;
  type.size = 4;
  const Type *unit = types.integer(4, false), *signed_unit = types.integer(4, true);
  type.fields = {{"a", unit, 0, 0, 3}, {"b", unit, 0, 3, 5}, {"c", signed_unit, 0, 8, 4}};
  EXPECT_EQ(text(&type, Bytes().put<uint32_t>(0b1111'10101'110)), "{ .a = 6, .b = 21, .c = -1 }");
}

// What a call that never returns would return to is the next function.
TEST_F(ValueTest, CallersAreNamedByTheirCalls) {
  const std::string path = testing::TempDir() + "awl-kallsyms-" + std::to_string(getpid());
  std::ofstream(path) << "ffffffff81000000 t caller\nffffffff81000010 t next\nffffffff81000020 t last\n";
  KernelSymbols symbols(path);
  context.kernel_symbols = &symbols;
  const std::vector<std::byte> stack = Bytes().put<int32_t>(9).put<uint32_t>(0);
  EXPECT_EQ(text(types.stack(false, StackMode::Bpftrace), stack), "\n        next+0\n        caller+16\n");
  std::string folded;
  append_folded_stack(folded, {types.stack(false, StackMode::Bpftrace), stack}, context);
  EXPECT_EQ(folded, "caller;next");
  context.kernel_symbols = nullptr;
  std::remove(path.c_str());
}

TEST_F(ValueTest, Stacks) {
  const Type *kernel = types.stack(false, StackMode::Bpftrace);
  std::vector<std::byte> known = Bytes().put<int32_t>(7).put<uint32_t>(0);
  EXPECT_EQ(text(kernel, known), "\n        0x1000\n        0xabcdef\n");
  EXPECT_EQ(key(kernel, known), "\n    0x1000\n    0xabcdef\n");
  EXPECT_EQ(json(kernel, known), "\"\\n        0x1000\\n        0xabcdef\\n\"");
  EXPECT_EQ(text(types.stack(false, StackMode::Perf), known), "\n\t1000 0x1000\n\tabcdef 0xabcdef\n");
  EXPECT_EQ(text(types.stack(true, StackMode::Perf), known),
            "\n\t1000 0x1000 ([unknown])\n\tabcdef 0xabcdef ([unknown])\n");
  EXPECT_EQ(text(types.stack(false, StackMode::Raw), known), "\n1000\nabcdef\n");
  EXPECT_EQ(text(kernel, Bytes().put<int32_t>(-14).put<uint32_t>(0)), "");
  EXPECT_EQ(text(kernel, Bytes().put<int32_t>(8).put<uint32_t>(0)), "");
  const Type *pair = types.tuple({kernel, types.string(8)});
  EXPECT_EQ(key(pair, Bytes().put<int32_t>(7).put<uint32_t>(0).text("x", 8)), "\n    0x1000\n    0xabcdef\n, x");
}

TEST_F(ValueTest, AddressesWithoutSymbols) {
  EXPECT_EQ(text(types.display(Display::KernelSymbol, 8), Bytes().put<uint64_t>(0xffff)), "0xffff");
  EXPECT_EQ(text(types.display(Display::UserSymbol, 16), Bytes().put<uint64_t>(0x10).put<uint64_t>(1)), "0x10");
  EXPECT_EQ(json(types.display(Display::KernelSymbol, 8), Bytes().put<uint64_t>(0xffff)), "\"0xffff\"");
}

TEST_F(ValueTest, Network) {
  const Type *inet = types.display(Display::Inet, 20);
  EXPECT_EQ(text(inet, Bytes().put<uint32_t>(AF_INET).put<uint32_t>(0x0100007f).text("", 12)), "127.0.0.1");
  std::string v6(16, '\0');
  v6[15] = 1;
  EXPECT_EQ(text(inet, Bytes().put<uint32_t>(AF_INET6).text(v6, 16)), "::1");
  EXPECT_EQ(text(inet, Bytes().put<uint32_t>(77).text(v6, 16)), "");
  EXPECT_EQ(text(types.display(Display::MacAddress, 6), Bytes().text("\x01\xab\xcd\xef\x10\x0f", 6)),
            "01:AB:CD:EF:10:0F");
}

TEST_F(ValueTest, Names) {
  EXPECT_EQ(text(types.display(Display::Username, 8), Bytes().put<uint64_t>(0)), "root");
  EXPECT_EQ(text(types.display(Display::Username, 8), Bytes().put<uint64_t>(4123456789)), "4123456789");
  std::vector<std::string> probes = {"kprobe:vfs_read", "kprobe:vfs_read+4", "uprobe:/bin/x:cpp:\"ns::f(int)\""};
  context.probe_names = &probes;
  manifest.strings = {"BEGIN"};
  const Type *name = types.display(Display::ProbeName, 8), *function = types.display(Display::FunctionName, 8);
  EXPECT_EQ(text(name, Bytes().put<uint64_t>(1)), "kprobe:vfs_read+4");
  EXPECT_EQ(text(name, Bytes().put<uint64_t>(kStringCookie)), "BEGIN");
  EXPECT_EQ(text(name, Bytes().put<uint64_t>(99)), "");
  EXPECT_EQ(text(function, Bytes().put<uint64_t>(0)), "vfs_read");
  EXPECT_EQ(text(function, Bytes().put<uint64_t>(1)), "vfs_read");
  EXPECT_EQ(text(function, Bytes().put<uint64_t>(2)), "ns::f(int)");
}

TEST_F(ValueTest, Timestamps) {
  manifest.strings = {"%s %f %k %l %%f"};
  const Type *type = types.display(Display::Timestamp, 16);
  auto at = [&](ClockId clock) {
    return text(type,
                Bytes().put<uint64_t>(1'002'003'004).put<uint32_t>(0).put<uint32_t>(static_cast<uint32_t>(clock)));
  };
  context.boot_to_wall_ns = 10'000'000'000;
  context.monotonic_to_wall_ns = 20'000'000'000;
  EXPECT_EQ(at(ClockId::Wall), "1 002003 002003004 002 %f");
  EXPECT_EQ(at(ClockId::Boot), "11 002003 002003004 002 %f");
  EXPECT_EQ(at(ClockId::Monotonic), "21 002003 002003004 002 %f");
}

TEST_F(ValueTest, Aggregates) {
  EXPECT_EQ(text(types.aggregate(AggregateKind::Count), Bytes().put<uint64_t>(3)), "3");
  EXPECT_EQ(text(types.aggregate(AggregateKind::Sum), Bytes().put<int64_t>(-3).put<int64_t>(1)), "-3");
  EXPECT_EQ(text(types.aggregate(AggregateKind::Max, false), Bytes().put<int64_t>(-1).put<int64_t>(1)),
            "18446744073709551615");
  EXPECT_EQ(text(types.aggregate(AggregateKind::Avg), Bytes().put<int64_t>(2).put<int64_t>(-9)), "-4");
  std::vector<std::byte> stats = Bytes().put<int64_t>(3).put<int64_t>(6);
  EXPECT_EQ(text(types.aggregate(AggregateKind::Stats), stats), "{ .count = 3, .average = 2, .total = 6 }");
  EXPECT_EQ(json(types.aggregate(AggregateKind::Stats), stats), R"({"count": 3, "average": 2, "total": 6})");
  EXPECT_EQ(text(types.aggregate(AggregateKind::Avg), Bytes().put<int64_t>(0).put<int64_t>(0)), "0");
}

TEST_F(ValueTest, TooFewBytesAreZeroes) {
  EXPECT_EQ(text(types.int64(), Bytes().put<uint16_t>(5)), "5");
  EXPECT_EQ(text(types.string(64), Bytes().text("abc", 3)), "abc");
  EXPECT_EQ(text(types.tuple({types.int64(), types.int64()}), {}), "(0, 0)");
  EXPECT_EQ(text(types.buffer(8), {}), "");
}

}  // namespace
}  // namespace awl
