#include "runtime/session/command_line.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

using Words = std::vector<std::string>;

Words words(std::string_view text) {
  auto result = split_command(text);
  return result ? *result : Words{"error: " + result.error().message};
}

TEST(SplitCommand, BlanksSeparate) {
  EXPECT_EQ(words("ls -l /tmp"), (Words{"ls", "-l", "/tmp"}));
  EXPECT_EQ(words("  ls\t-l \n"), (Words{"ls", "-l"}));
}

TEST(SplitCommand, QuotesKeepBlanksAndMayBeEmpty) {
  EXPECT_EQ(words("sh -c 'echo \"a b\"; exit 3'"), (Words{"sh", "-c", "echo \"a b\"; exit 3"}));
  EXPECT_EQ(words("a \"\" ''"), (Words{"a", "", ""}));
  EXPECT_EQ(words("a'b c'\"d e\"f"), (Words{"ab cd ef"}));
}

TEST(SplitCommand, BackslashTakesTheNextCharacter) {
  EXPECT_EQ(words("a\\ b c\\\\d \\'"), (Words{"a b", "c\\d", "'"}));
  EXPECT_EQ(words("'a\\b'"), (Words{"a\\b"}));
  EXPECT_EQ(words("\"a\\\"b\\n\\$\""), (Words{"a\"b\\n$"}));
  EXPECT_EQ(words("a\\\nb"), (Words{"ab"}));
}

TEST(SplitCommand, NothingIsExpanded) { EXPECT_EQ(words("echo $HOME * ~"), (Words{"echo", "$HOME", "*", "~"})); }

TEST(SplitCommand, TellsWhatIsWrong) {
  EXPECT_EQ(words("echo 'a"), (Words{"error: quote ' at column 6 is not closed"}));
  EXPECT_EQ(words("echo \"a\\\""), (Words{"error: quote \" at column 6 is not closed"}));
  EXPECT_EQ(words("echo \\"), (Words{"error: nothing stands behind the last backslash"}));
  EXPECT_EQ(words(" "), (Words{"error: the command is empty"}));
}

TEST(SplitCommand, NoShell) {
  EXPECT_EQ(words("echo a | cat"), (Words{"error: `|` is for a shell"}));
  EXPECT_EQ(words("cd /tmp && ls"), (Words{"error: `&&` is for a shell"}));
  EXPECT_EQ(words("cmd >"), (Words{"error: `>` is for a shell"}));
  EXPECT_EQ(words("grep '|' a'&&' \\> 'x | y'"), (Words{"grep", "|", "a&&", ">", "x | y"}));
  EXPECT_EQ(find_executable("cd").error().hint, "there is no shell here: write `-c \"sh -c '...'\"`");
  EXPECT_EQ(find_executable("A=1").error().hint, "`env A=1 ...` sets a variable of a command");
}

TEST(FindExecutable, LooksInPath) {
  EXPECT_TRUE(find_executable("sh").has_value());
  EXPECT_EQ(find_executable("/bin/sh").value(), "/bin/sh");
  EXPECT_EQ(find_executable("no-such-command-at-all").error().message, "no such command in PATH");
  EXPECT_EQ(find_executable("/no/such/file").error().message, "no such file");
  EXPECT_EQ(find_executable("/etc/passwd").error().message, "not an executable file");
}

}  // namespace
}  // namespace awl
