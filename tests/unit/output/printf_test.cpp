#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "runtime/output/printf.h"
#include "unit/output/values.h"

namespace awl {
namespace {

using test::Bytes;

class PrintfTest : public testing::Test {
 protected:
  PrintfTest() { context.manifest = &manifest; }

  std::string format(std::string_view text,
                     const std::vector<std::pair<const Type *, std::vector<std::byte>>> &arguments) {
    Result<Format> parsed = parse_format(text);
    if (!parsed) return "error: " + parsed.error().message;
    std::vector<Value> values;
    for (const auto &[type, bytes] : arguments) values.push_back({type, bytes});
    std::string out;
    append_formatted(out, *parsed, values, context);
    return out;
  }
  std::string number(std::string_view text, int64_t value, bool is_signed = true) {
    return format(text, {{is_signed ? types.int64() : types.uint64(), Bytes().put(value)}});
  }
  std::string string(std::string_view text, std::string_view value) {
    return format(text, {{types.string(64), Bytes().text(value, 64)}});
  }

  test::Types types;
  Manifest manifest;
  FormatContext context;
};

TEST_F(PrintfTest, Literals) {
  EXPECT_EQ(format("plain\n", {}), "plain\n");
  EXPECT_EQ(format("100%%", {}), "100%");
  EXPECT_EQ(format("%%d", {}), "%d");
  EXPECT_EQ(format("", {}), "");
}

// Lines as bpftrace prints them.
TEST_F(PrintfTest, GoldenLines) {
  EXPECT_EQ(string("|%5s|", "ab"), "|   ab|");
  EXPECT_EQ(string("|%-5s|", "cd"), "|cd   |");
  EXPECT_EQ(number("|%05d|", 42), "|00042|");
  EXPECT_EQ(number("|%p|", 0), "|0|");
  EXPECT_EQ(number("%p", static_cast<int64_t>(0xffffffff81000000)), "0xffffffff81000000");
  EXPECT_EQ(number("|%c|", 65), "|A|");
  EXPECT_EQ(string("|%.2s|", "abcdef"), "|ab|");
  EXPECT_EQ(number("%d", 0xfffffffe), "-2");
  EXPECT_EQ(number("%ld", 0xfffffffe), "4294967294");
  EXPECT_EQ(number("%lld", 1LL << 40), "1099511627776");
  EXPECT_EQ(number("%hhd", 511), "-1");
  EXPECT_EQ(number("%hd", 65537), "1");
  EXPECT_EQ(number("%5.3d", 7), "  007");
  EXPECT_EQ(number("%-8x|", 255), "ff      |");
  EXPECT_EQ(number("%o", 8), "10");
}

// Every combination of flags, width, precision and length against the C library.
TEST_F(PrintfTest, IntegersAsInC) {
  const int64_t kValues[] = {0, 1, -1, 7, 42, 255, 65537, 123456, INT32_MIN, INT64_MAX, INT64_MIN};
  const char *kLengths[] = {"hh", "h", "", "l", "ll", "j", "z", "t"};
  for (const char *flags : {"", "-", "+", " ", "#", "0", "-0", "+0", "#0", "-#", "+ "})
    for (const char *width : {"", "1", "6", "24"})
      for (const char *precision : {"", ".", ".0", ".3", ".22"})
        for (const char *length : kLengths)
          for (char letter : {'d', 'i', 'u', 'x', 'X', 'o'})
            for (int64_t value : kValues) {
              std::string text = std::string("%") + flags + width + precision + length + letter;
              char expected[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
              std::snprintf(expected, sizeof(expected), text.c_str(), value);
#pragma GCC diagnostic pop
              ASSERT_EQ(number(text, value), expected) << text << " " << value;
            }
}

TEST_F(PrintfTest, StringTakesAnything) {
  EXPECT_EQ(number("%s", -5), "-5");
  EXPECT_EQ(number("%s", 1LL << 40), "1099511627776") << "not cut to 32 bits";
  const Type *pair = types.tuple({types.int64(), types.string(4)});
  EXPECT_EQ(format("%12s|", {{pair, Bytes().put<int64_t>(1).text("a", 4)}}), "      (1, a)|");
  EXPECT_EQ(string("%-10.3s|", "abcdef"), "abc       |");
  EXPECT_EQ(string("%.0s|", "abc"), "|");
  EXPECT_EQ(string("%2s", "abc"), "abc");
  EXPECT_EQ(format("%s", {{types.simple(TypeKind::Bool, 1), Bytes().put<uint8_t>(1)}}), "true");
}

TEST_F(PrintfTest, Buffers) {
  const Type *type = types.buffer(8);
  std::vector<std::byte> bytes = Bytes().put<uint32_t>(4).text("ab\x01\xff", 8);
  EXPECT_EQ(format("%r", {{type, bytes}}), "ab\\x01\\xff");
  EXPECT_EQ(format("%rx", {{type, bytes}}), "\\x61\\x62\\x01\\xff");
  EXPECT_EQ(format("%rh", {{type, bytes}}), "61 62 01 ff");
  EXPECT_EQ(format("%s", {{type, bytes}}), "ab\\x01\\xff");
  EXPECT_EQ(format("%.2r|", {{type, bytes}}), "ab|");
}

TEST_F(PrintfTest, GfpFlags) {
  EXPECT_EQ(number("%gr", 0xcc0), "GFP_KERNEL");
  EXPECT_EQ(number("%gr", 0xdc0), "GFP_KERNEL|__GFP_ZERO");
  EXPECT_EQ(number("%gr", 0x820), "GFP_ATOMIC");
  EXPECT_EQ(number("%gr", 0), "none");
  EXPECT_EQ(number("%gr", 1LL << 40), "0x10000000000");
}

TEST_F(PrintfTest, Errors) {
  EXPECT_EQ(format("%y", {}), "error: unknown conversion `%y`");
  EXPECT_EQ(format("%a", {}), "error: unknown conversion `%a`");
  EXPECT_EQ(format("%n", {}), "error: unknown conversion `%n`");
  EXPECT_EQ(format("50%", {}), "error: conversion `%` is incomplete");
  EXPECT_EQ(format("%-l", {}), "error: conversion `%-l` is incomplete");
}

TEST_F(PrintfTest, Places) {
  Format parsed = *parse_format("a%d%%b%-3ls");
  ASSERT_EQ(parsed.conversions, 2U);
  EXPECT_EQ(parsed.pieces[0].conversion.begin, 1U);
  EXPECT_EQ(parsed.pieces[0].conversion.end, 3U);
  EXPECT_EQ(parsed.pieces[1].literal, "%b");
  EXPECT_EQ(parsed.pieces[1].conversion.begin, 6U);
  EXPECT_EQ(parsed.pieces[1].conversion.end, 11U);
}

TEST_F(PrintfTest, Accepts) {
  auto conversion = [](std::string_view text) { return parse_format(text)->pieces[0].conversion; };
  EXPECT_TRUE(accepts(conversion("%d"), types.int64()));
  EXPECT_TRUE(accepts(conversion("%d"), types.simple(TypeKind::Bool, 1)));
  EXPECT_TRUE(accepts(conversion("%x"), types.simple(TypeKind::Pointer, 8)));
  EXPECT_FALSE(accepts(conversion("%d"), types.string(8)));
  EXPECT_FALSE(accepts(conversion("%p"), types.string(8)));
  EXPECT_TRUE(accepts(conversion("%s"), types.int64()));
  EXPECT_TRUE(accepts(conversion("%s"), types.stack(false, StackMode::Bpftrace)));
  EXPECT_FALSE(accepts(conversion("%s"), types.simple(TypeKind::Void, 0)));
  EXPECT_TRUE(accepts(conversion("%r"), types.buffer(8)));
  EXPECT_FALSE(accepts(conversion("%r"), types.string(8)));
  EXPECT_TRUE(accepts(conversion("%d"), types.simple(TypeKind::Poison, 0)));
}

TEST_F(PrintfTest, MissingArgumentsAreHarmless) { EXPECT_EQ(format("%d %s %p %r", {}), "0 null 0 null"); }

TEST(FormatTime, Fractions) {
  EXPECT_EQ(format_time("%s.%f", 1'500'000'000), "1.500000");
  EXPECT_EQ(format_time("%l %k", 1'234'567'891), "234 234567891");
  EXPECT_EQ(format_time("", 0), "");
  EXPECT_EQ(format_time("%s%l", -1), "-1999");
  EXPECT_EQ(format_time("%", 0), "%");
  EXPECT_EQ(format_time("%%%", 0), "%%");
  std::string longer(5000, 'x');
  EXPECT_EQ(format_time(longer, 0), longer);
}

double ns_per_line(int lines, auto &&line) {
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < lines; i++) line();
  std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  return time.count() / lines;
}

// Not a test of time, but shows what a line of the most usual kind costs, beside the C library's.
TEST_F(PrintfTest, CostOfALine) {
  Format parsed = *parse_format("%d %s %d %d\n");
  const Type *number_type = types.int64(), *string_type = types.string(16);
  std::vector<std::byte> a = Bytes().put<int64_t>(4711), b = Bytes().text("some-command", 16),
                         c = Bytes().put<int64_t>(123456), d = Bytes().put<int64_t>(3);
  Value values[] = {{number_type, a}, {string_type, b}, {number_type, c}, {number_type, d}};
  std::string out;
  out.reserve(1 << 17);
  constexpr int kLines = 300'000;
  double best = 1e9, best_c = 1e9;
  for (int round = 0; round < 5; round++) {
    best = std::min(best, ns_per_line(kLines, [&] {
                      append_formatted(out, parsed, values, context);
                      if (out.size() > 60000) out.clear();
                    }));
    best_c = std::min(best_c, ns_per_line(kLines, [&] {
                        char line[128];
                        std::snprintf(line, sizeof(line), "%d %s %d %d\n", 4711, "some-command", 123456, 3);
                        out += line;
                        if (out.size() > 60000) out.clear();
                      }));
  }
  std::printf("%.0f ns per line; snprintf %.0f\n", best, best_c);
}

}  // namespace
}  // namespace awl
