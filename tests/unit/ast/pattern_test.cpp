// Regular expressions and globs against known answers, and against the C and C++ libraries on random strings.
#include "ast/pattern/pattern.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <random>
#include <regex>

namespace awl::pattern {
namespace {

bool regex(std::string_view pattern, std::string_view text) {
  auto automaton = compile_regex(pattern);
  EXPECT_TRUE(automaton) << pattern << ": " << (automaton ? "" : automaton.error().message);
  return automaton && matches(*automaton, text);
}

bool glob(std::string_view pattern, std::string_view text) {
  auto automaton = compile_glob(pattern);
  EXPECT_TRUE(automaton) << pattern << ": " << (automaton ? "" : automaton.error().message);
  return automaton && matches(*automaton, text);
}

TEST(Pattern, RegexKnownAnswers) {
  EXPECT_TRUE(regex("bc", "abcd"));
  EXPECT_FALSE(regex("^bc", "abcd"));
  EXPECT_TRUE(regex("^ab", "abcd"));
  EXPECT_FALSE(regex("bc$", "abcd"));
  EXPECT_TRUE(regex("cd$", "abcd"));
  EXPECT_TRUE(regex("^$", ""));
  EXPECT_FALSE(regex("^$", "a"));
  EXPECT_TRUE(regex("^(nginx|apache2?)$", "apache"));
  EXPECT_TRUE(regex("^(nginx|apache2?)$", "apache2"));
  EXPECT_FALSE(regex("^(nginx|apache2?)$", "apache22"));
  EXPECT_TRUE(regex("a.c", "xxabcxx"));
  EXPECT_FALSE(regex("a\\.c", "abc"));
  EXPECT_TRUE(regex("a\\.c", "a.c"));
  EXPECT_TRUE(regex("[0-9]+:[0-9a-f]{4}$", "12:00ff"));
  EXPECT_FALSE(regex("[0-9]+:[0-9a-f]{4}$", "12:00f"));
  EXPECT_TRUE(regex("^a{2,3}$", "aaa"));
  EXPECT_FALSE(regex("^a{2,3}$", "aaaa"));
  EXPECT_TRUE(regex("^a{2,}$", "aaaaaa"));
  EXPECT_FALSE(regex("^a{2,}$", "a"));
  EXPECT_TRUE(regex("[^a-y]", "z"));
  EXPECT_FALSE(regex("^[^a-y]+$", "za"));
  EXPECT_TRUE(regex("[]x]", "]"));
  EXPECT_TRUE(regex("[x-]", "-"));
  EXPECT_TRUE(regex("^[[:alpha:]_][[:alnum:]_]*$", "a_1"));
  EXPECT_FALSE(regex("^[[:alpha:]_][[:alnum:]_]*$", "1a"));
  EXPECT_TRUE(regex("\\d\\w\\s", "1a "));
  EXPECT_FALSE(regex("\\D", "123"));
  EXPECT_TRUE(regex("(?i)^ERROR", "Error: x"));
  EXPECT_TRUE(regex("(?i)[a-c]\\x44", "Bd"));
  EXPECT_TRUE(regex("", ""));
  EXPECT_TRUE(regex("x*", "abc"));
  EXPECT_TRUE(regex("(?:ab)+c", "ababc"));
  EXPECT_TRUE(regex("a|", "zzz"));
  EXPECT_TRUE(regex("{x}", "a{x}"));
  EXPECT_TRUE(regex("\xc3\xa9", "caf\xc3\xa9"));
  EXPECT_TRUE(regex("^caf..$", "caf\xc3\xa9"));  // bytes
}

TEST(Pattern, GlobKnownAnswers) {
  EXPECT_TRUE(glob("*.log", "/var/x.log"));
  EXPECT_FALSE(glob("*.log", "x.log.1"));
  EXPECT_TRUE(glob("kworker/?:*", "kworker/0:1"));
  EXPECT_FALSE(glob("kworker/?:*", "kworker/10:1"));
  EXPECT_TRUE(glob("[a-c]x[!0-9]", "bxy"));
  EXPECT_FALSE(glob("[a-c]x[!0-9]", "bx1"));
  EXPECT_TRUE(glob("\\*", "*"));
  EXPECT_FALSE(glob("\\*", "x"));
  EXPECT_TRUE(glob("", ""));
  EXPECT_FALSE(glob("", "x"));
  EXPECT_TRUE(glob("**a**", "bab"));
  EXPECT_TRUE(glob("a.b", "a.b"));
  EXPECT_FALSE(glob("a.b", "axb"));
}

TEST(Pattern, ContainsSaysWhere) {
  auto automaton = compile_contains("aab");
  ASSERT_TRUE(automaton);
  size_t end = 0;
  EXPECT_TRUE(matches(*automaton, "xaaaab", &end));
  EXPECT_EQ(end, 6U);
  EXPECT_FALSE(matches(*automaton, "aaaa"));
}

TEST(Pattern, SaysWhatIsWrongAndWhere) {
  auto error = [](std::string_view pattern) {
    auto automaton = compile_regex(pattern);
    return automaton ? std::string("none") : std::to_string(automaton.error().offset) + " " + automaton.error().message;
  };
  EXPECT_EQ(error("ab(cd"), "2 `(` is not closed");
  EXPECT_EQ(error("ab)"), "2 `)` without `(`");
  EXPECT_EQ(error("a[bc"), "1 `[` is not closed");
  EXPECT_EQ(error("*a"), "0 there is nothing to repeat before `*`");
  EXPECT_EQ(error("a|+"), "2 there is nothing to repeat before `+`");
  EXPECT_EQ(error("a\\"), "1 `\\` at the end");
  EXPECT_EQ(error("a\\q"), "1 unknown escape `\\q`");
  EXPECT_EQ(error("(a)\\1"), "3 unknown escape `\\1`");
  EXPECT_EQ(error("a{2"), "1 `{` is not closed");
  EXPECT_EQ(error("a{3,2}"), "1 the range is empty");
  EXPECT_EQ(error("a{999}"), "1 repeats more than 255 times");
  EXPECT_EQ(error("[b-a]"), "1 the range is empty");
  EXPECT_EQ(error("[[:foo:]]"), "1 unknown class `[:foo:]`");
  EXPECT_EQ(error("(?<n>a)"), "0 `(?<` is not known");
  EXPECT_EQ(error("(a|b)*a(a|b){20}"), "0 it needs too large a table; make it simpler");
  EXPECT_EQ(error("((a{255}){255}){255}"), "0 it needs too large a table; make it simpler");
  EXPECT_EQ(error(std::string(200, '(')), "50 nested too deeply");
}

// Random patterns over a small alphabet, random strings over the same.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine_); }
  std::string text() {
    std::string out;
    for (size_t n = below(9); n > 0; n--) out += "abc"[below(3)];
    return out;
  }
  std::string regex(int depth) {
    std::string out;
    for (size_t n = below(3) + 1; n > 0; n--) {
      switch (below(depth > 0 ? 6 : 4)) {
        case 0: out += "."; break;
        case 1: out += below(2) ? "[ab]" : "[^b]"; break;
        case 2:
        case 3: out += "abc"[below(3)]; break;
        default: out += "(" + regex(depth - 1) + (below(2) ? "|" + regex(depth - 1) : "") + ")"; break;
      }
      constexpr const char *kRepeats[] = {"", "", "", "*", "+", "?", "{2}", "{1,2}"};
      out += kRepeats[below(8)];
    }
    return out;
  }
  std::string glob() {
    std::string out;
    constexpr const char *kParts[] = {"*", "?", "[ab]", "[!b]", "a", "b", "c"};
    for (size_t n = below(6); n > 0; n--) out += kParts[below(7)];
    return out;
  }

 private:
  std::mt19937 engine_;
};

#ifdef NDEBUG
constexpr int kRegexes = 600;
#else
constexpr int kRegexes =
    40;  // without optimisation and with sanitizers the library's own matcher takes seconds for one
#endif

TEST(Pattern, RegexAgreesWithTheLibrary) {
  Random random(1);
  for (int i = 0; i < kRegexes; i++) {
    std::string pattern = (random.below(4) == 0 ? "^" : "") + random.regex(2) + (random.below(4) == 0 ? "$" : "");
    std::regex library(pattern, std::regex::extended);
    auto automaton = compile_regex(pattern);
    ASSERT_TRUE(automaton) << pattern;
    for (int j = 0; j < 20; j++) {
      std::string text = random.text();
      ASSERT_EQ(matches(*automaton, text), std::regex_search(text, library)) << pattern << " on `" << text << "`";
    }
  }
}

TEST(Pattern, GlobAgreesWithTheLibrary) {
  Random random(2);
  for (int i = 0; i < 2000; i++) {
    std::string pattern = random.glob();
    auto automaton = compile_glob(pattern);
    ASSERT_TRUE(automaton) << pattern;
    for (int j = 0; j < 20; j++) {
      std::string text = random.text();
      ASSERT_EQ(matches(*automaton, text), fnmatch(pattern.c_str(), text.c_str(), 0) == 0)
          << pattern << " on `" << text << "`";
    }
  }
}

}  // namespace
}  // namespace awl::pattern
