#include <gtest/gtest.h>

#include "cli/options.h"

namespace awl {
namespace {

Result<Options> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "awl");
  std::vector<char *> argv;
  for (std::string &w : words) argv.push_back(w.data());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

TEST(Options, TakesAProgramAndItsParameters) {
  Options o = parse({"-e", "BEGIN { }", "10", "word", "-p", "5"}).value();
  EXPECT_EQ(o.command, Command::Run);
  EXPECT_EQ(o.program, "BEGIN { }");
  EXPECT_EQ(o.words, (std::vector<std::string>{"10", "word"}));
  EXPECT_EQ(o.pid, 5);
}

TEST(Options, KnowsCommandsByTheFirstWord) {
  EXPECT_EQ(parse({"build", "-o", "x.img", "tool.bt"})->command, Command::Build);
  EXPECT_EQ(parse({"run", "x.img"})->command, Command::RunImage);
  EXPECT_EQ(parse({"check", "x.bt"})->command, Command::Check);
  EXPECT_EQ(parse({"x.bt", "run"})->command, Command::Run);
  EXPECT_EQ(parse({"--version"})->command, Command::Version);
  EXPECT_EQ(parse({})->command, Command::Help);
}

TEST(Options, ListsWithAndWithoutArguments) {
  Options o = parse({"-lv", "tracepoint:*"}).value();
  EXPECT_TRUE(o.list);
  EXPECT_TRUE(o.verbose);
  EXPECT_EQ(o.words[0], "tracepoint:*");
}

TEST(Options, AcceptsFlagsThatMeanNothingHere) {
  EXPECT_TRUE(parse({"-b", "-k", "-I", "/usr/include", "--no-feature", "uprobe_multi", "-e", "BEGIN{}"}));
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(parse({"--no-such-option"}));
  EXPECT_FALSE(parse({"-f", "xml", "-e", "BEGIN{}"}));
  EXPECT_FALSE(parse({"-p", "abc", "-e", "BEGIN{}"}));
  EXPECT_FALSE(parse({"-p", "1", "-c", "true", "-e", "BEGIN{}"}));
}

}  // namespace
}  // namespace awl
