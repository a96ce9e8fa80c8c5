#include "parser/literals.h"

#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

using syntax::parse_number;

uint64_t value(const char *text) {
  syntax::ParsedNumber number = parse_number(text);
  EXPECT_EQ(number.error, "") << text;
  return number.value;
}

TEST(Numbers, Bases) {
  EXPECT_EQ(value("0"), 0U);
  EXPECT_EQ(value("12"), 12U);
  EXPECT_EQ(value("012"), 10U);
  EXPECT_EQ(value("0x1f"), 31U);
  EXPECT_EQ(value("0XfF"), 255U);
  EXPECT_EQ(value("0b101"), 5U);
  EXPECT_EQ(value("1_000_000"), 1000000U);
  EXPECT_EQ(value("0xdead_beef"), 0xdeadbeefU);
}

TEST(Numbers, Scientific) {
  EXPECT_EQ(value("1e6"), 1000000U);
  EXPECT_EQ(value("5e0"), 5U);
  EXPECT_EQ(value("12E3"), 12000U);
  EXPECT_EQ(value("1e19"), 10000000000000000000U);
  EXPECT_NE(parse_number("1e20").error, "");
  EXPECT_NE(parse_number("1e").error, "");
  EXPECT_EQ(value("0e999999999999"), 0U);
}

TEST(Numbers, CSuffixes) {
  for (const char *text : {"7u", "7U", "7ul", "7UL", "7ull", "7ULL", "7llu", "0x7ULL"}) {
    EXPECT_EQ(value(text), 7U) << text;
    EXPECT_TRUE(parse_number(text).is_unsigned) << text;
  }
  for (const char *text : {"7l", "7L", "7ll", "7LL"}) {
    EXPECT_EQ(value(text), 7U) << text;
    EXPECT_FALSE(parse_number(text).is_unsigned) << text;
  }
  EXPECT_NE(parse_number("4294967296u").error, "");
  EXPECT_NE(parse_number("9223372036854775808l").error, "");
}

TEST(Numbers, Durations) {
  EXPECT_EQ(value("5ns"), 5U);
  EXPECT_EQ(value("5us"), 5000U);
  EXPECT_EQ(value("5ms"), 5000000U);
  EXPECT_EQ(value("5s"), 5000000000U);
  EXPECT_EQ(value("1m"), 60000000000U);
  EXPECT_EQ(value("1h"), 3600000000000U);
  EXPECT_EQ(value("1d"), 86400000000000U);
  EXPECT_TRUE(parse_number("5s").is_unsigned);
  EXPECT_NE(parse_number("99999999999d").error, "");
}

TEST(Numbers, Size) {
  EXPECT_FALSE(parse_number("9223372036854775807").is_unsigned);
  EXPECT_TRUE(parse_number("9223372036854775808").is_unsigned);
  EXPECT_TRUE(parse_number("18446744073709551615").is_unsigned);
  EXPECT_EQ(parse_number("18446744073709551616").error, "it does not fit into 64 bits");
}

TEST(Numbers, Wrong) {
  for (const char *text : {"1_", "08", "0x", "0b", "0b2", "1x", "5sec", "0x_1", "12abc"})
    EXPECT_NE(parse_number(text).error, "") << text;
  EXPECT_EQ(parse_text("BEGIN { $x = 09; }").first_error(),
            "1:14 E0106 `09` is not a valid number: digits of an octal number go from 0 to 7");
  EXPECT_EQ(parse_text("BEGIN { $x = $0; }").first_error(),
            "1:14 E0106 `$0` is not a valid number: positional parameters begin with `$1`");
}

TEST(Strings, Escapes) {
  EXPECT_EQ(tree(R"("a\n\t\"\\b")"), R"((StringLiteral "a\n\t\"\\b"))");
  EXPECT_EQ(tree(R"("\x41\101\x4g")"), R"((StringLiteral "AA\u0004g"))");
  EXPECT_EQ(tree(R"("\0")"), R"((StringLiteral "\u0000"))");
  EXPECT_EQ(tree(R"("a\qb")"), "error: unknown escape `\\q` in string");
  EXPECT_EQ(tree(R"("\400")"), "error: unknown escape `\\400` in string");
}

TEST(Strings, UnknownEscapeHasItsPlace) {
  Parsed parsed = parse_text("BEGIN { printf(\"ab\\qc\"); }");
  ASSERT_EQ(parsed.diagnostics.all().size(), 1U);
  EXPECT_EQ(parsed.source.text(parsed.diagnostics.all()[0].span), "\\q");
}

TEST(Strings, NotClosed) {
  EXPECT_EQ(parse_text("BEGIN { print(\"abc); }").first_error(), "1:15 E0102 string is not closed on its line");
  EXPECT_EQ(parse_text("BEGIN { 1 } /* abc").first_error(), "1:13 E0103 comment is not closed");
}

TEST(Strings, SingleQuotesAreExplained) {
  Parsed parsed = parse_text("BEGIN { print('abc'); $x = 'c'; }");
  ASSERT_EQ(parsed.diagnostics.all().size(), 2U);
  EXPECT_NE(parsed.diagnostics.all()[0].hint.find("double quotes"), std::string::npos);
}

TEST(Names, Params) {
  EXPECT_EQ(tree("$1"), "(PositionalParam $1)");
  EXPECT_EQ(tree("$23 + $#"), "(Binary + (PositionalParam $23) (ParamCount))");
  EXPECT_EQ(tree("true != false"), "(Binary != (BoolLiteral true) (BoolLiteral false))");
}

}  // namespace
}  // namespace awl
