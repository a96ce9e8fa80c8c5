#include <gtest/gtest.h>

#include "base/diagnostic.h"
#include "base/result.h"
#include "base/source.h"
#include "base/strings.h"

namespace awl {
namespace {

TEST(Source, LeavesOutAByteOrderMark) {
  Source source("s",
                "\xef\xbb\xbf"
                "BEGIN");
  EXPECT_EQ(source.text(), "BEGIN");
  source.add_file("t",
                  "\xef\xbb\xbf"
                  "END");
  EXPECT_EQ(source.text(), "BEGIN\nEND");
  EXPECT_EQ(source.files()[1].end - source.files()[1].begin, 3U);
}

TEST(Source, FindsLinesAndColumns) {
  Source source("s", "one\ntwo\n\nfour");
  EXPECT_EQ(source.line_count(), 4U);
  EXPECT_EQ(source.line(2), "two");
  EXPECT_EQ(source.line(3), "");
  EXPECT_EQ(source.line(4), "four");
  EXPECT_EQ(source.line(5), "");
  LineColumn at = source.line_column(5);
  EXPECT_EQ(at.line, 2U);
  EXPECT_EQ(at.column, 2U);
  EXPECT_EQ(source.text(Span{4, 7}), "two");
  EXPECT_EQ(source.text(Span{9, 100}), "four");
}

TEST(Strings, ParsesAmountsOfTime) {
  EXPECT_EQ(parse_amount("10"), 10U);
  EXPECT_EQ(parse_amount("0x1d"), 29U);
  EXPECT_EQ(parse_amount("10ns"), 10U);
  EXPECT_EQ(parse_amount("10us"), 10'000U);
  EXPECT_EQ(parse_amount("2s"), 2'000'000'000U);
  EXPECT_EQ(parse_amount("1d"), 86'400'000'000'000U);
  EXPECT_FALSE(parse_amount("300000d"));  // beyond 64 bits
  EXPECT_FALSE(parse_amount("s"));
  EXPECT_FALSE(parse_amount("10x"));
  EXPECT_FALSE(parse_amount(""));
}

TEST(Strings, CountsInWords) {
  EXPECT_EQ(counted(0, "event"), "0 events");
  EXPECT_EQ(counted(1, "event"), "1 event");
}

TEST(Strings, ParsesNumbersAsTheLanguageWritesThem) {
  EXPECT_EQ(parse_unsigned("42"), 42U);
  EXPECT_EQ(parse_unsigned("0x1F"), 31U);
  EXPECT_EQ(parse_unsigned("0b101"), 5U);
  EXPECT_EQ(parse_unsigned("017"), 15U);
  EXPECT_EQ(parse_unsigned("1_000"), 1000U);
  EXPECT_EQ(parse_unsigned("25e3"), 25000U);
  EXPECT_EQ(parse_unsigned("2e19"), std::nullopt);
  EXPECT_EQ(parse_unsigned("1e"), std::nullopt);
  EXPECT_EQ(parse_unsigned("e3"), std::nullopt);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_unsigned("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_unsigned(""), std::nullopt);
  EXPECT_EQ(parse_unsigned("1_"), std::nullopt);
  EXPECT_EQ(parse_unsigned("09"), std::nullopt);
  EXPECT_EQ(parse_unsigned("12a"), std::nullopt);
}

TEST(Strings, MatchesGlobs) {
  EXPECT_TRUE(glob_match("vfs_*", "vfs_read"));
  EXPECT_TRUE(glob_match("*open*", "sys_enter_openat"));
  EXPECT_FALSE(glob_match("vfs_*", "xvfs_read"));
  EXPECT_TRUE(glob_match("a[bc]", "ac"));
}

TEST(Strings, QuotesForJson) {
  EXPECT_EQ(json_quote("a\"b\\c\n"), R"("a\"b\\c\n")");
  EXPECT_EQ(json_quote("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
  EXPECT_EQ(json_quote("\xff\x01"), "\"\\ufffd\\u0001\"");
  EXPECT_EQ(json_quote("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"") << "a surrogate is no UTF-8";
}

TEST(Nearest, FindsWhatWasMeant) {
  std::vector<std::string> names = {"printf", "print", "pid", "vfs_read"};
  EXPECT_EQ(nearest("prinft", names), "printf");
  EXPECT_EQ(nearest("pdi", names), "pid");
  EXPECT_EQ(nearest("vfs_raed", names), "vfs_read");
  EXPECT_EQ(nearest("something_else", names), "");
}

TEST(Diagnostics, UnderlinesThePlace) {
  Source source("x.bt", "BEGIN {\n\t$x = foo;\n}\n");
  Diagnostics list;
  list.emit(diag::UnknownName, Span{14, 17}, "foo").with_hint("look again");
  EXPECT_EQ(render_text(list.all()[0], source),
            "x.bt:2:7: error[E0201]: unknown name `foo`\n"
            "2 | \t$x = foo;\n"
            "  | \t     ^~~\n"
            "  hint: look again\n");
  EXPECT_EQ(render_json(list.all()[0], source),
            R"({"type": "diagnostic", "code": "E0201", "severity": "error", "msg": "unknown name `foo`", )"
            R"("filename": "x.bt", "line": 2, "col": 7, "hint": "look again"})");
}

TEST(Diagnostics, KeepsARepetitionOnce) {
  Diagnostics list;
  list.emit(diag::UnknownName, Span{1, 2}, "a");
  list.emit(diag::UnknownName, Span{1, 2}, "a").with_hint("lost with the repetition");
  list.emit(diag::MissingParam, Span{1, 2}, 1U, "0");
  EXPECT_EQ(list.all().size(), 2U);
  EXPECT_EQ(list.error_count(), 1U) << "a warning is no error";
}

Result<int> half(int number) {
  if (number % 2) return fail("odd", "give an even number");
  return number / 2;
}
Result<int> quarter(int number) { return TRY(half(TRY(half(number)))); }

TEST(Result, PassesErrorsOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6));
  Error error = std::move(quarter(6).error()).context("quarter of 6");
  EXPECT_EQ(error.message, "quarter of 6: odd");
  EXPECT_EQ(error.hint, "give an even number");
}

}  // namespace
}  // namespace awl
