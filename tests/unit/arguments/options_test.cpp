#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "arguments/option_table.h"
#include "base/strings.h"

namespace awl {
namespace {

Result<Options> try_parse(std::vector<std::string> words) {
  words.insert(words.begin(), "awl");
  std::vector<char *> argv;
  for (std::string &w : words) argv.push_back(w.data());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

Options parse(std::vector<std::string> words) {
  Result<Options> options = try_parse(std::move(words));
  if (!options) ADD_FAILURE() << options.error().message;
  return options.value_or(Options{});
}

using Words = std::vector<std::string>;

TEST(Options, TakesAProgramAndItsParameters) {
  Options o = parse({"-e", "BEGIN { }", "10", "word", "-p", "5"});
  EXPECT_EQ(o.command, Command::Run);
  EXPECT_EQ(o.program, "BEGIN { }");
  EXPECT_EQ(o.words, (Words{"10", "word"}));
  EXPECT_EQ(o.pids, std::vector<int>{5});
}

TEST(Options, WhatStandsBehindTheDashesBelongsToTheScript) {
  Options o = parse({"x.bt", "1", "--", "--count=5", "2", "--verbose"});
  EXPECT_EQ(o.words, (Words{"x.bt", "1", "2"}));
  EXPECT_EQ(o.script_options, (Words{"--count=5", "--verbose"}));
  EXPECT_FALSE(o.verbose);
  o = parse({"check", "a.bt", "b.bt", "--", "1"});
  EXPECT_EQ(o.words, (Words{"a.bt", "b.bt"}));
  EXPECT_EQ(o.behind, (Words{"1"}));
}

TEST(Options, KnowsCommandsByTheFirstWord) {
  EXPECT_EQ(parse({"build", "-o", "x.img", "tool.bt"}).command, Command::Build);
  EXPECT_EQ(parse({"run", "x.img"}).command, Command::RunImage);
  EXPECT_EQ(parse({"x.bt", "run"}).command, Command::Run);
  EXPECT_EQ(parse({"--version"}).command, Command::Version);
  EXPECT_EQ(parse({"--info"}).command, Command::Info);
  EXPECT_EQ(parse({"--fmt", "x.bt"}).command, Command::Format);
  EXPECT_EQ(parse({"--mode", "format", "x.bt"}).command, Command::Format);
  EXPECT_EQ(parse({}).command, Command::Help);
  for (const CommandRow &row : command_table()) EXPECT_EQ(parse({std::string(row.name)}).command, row.command);
}

TEST(Options, HelpAboutAName) {
  Options o = parse({"--help", "printf"});
  EXPECT_EQ(o.command, Command::Help);
  EXPECT_EQ(o.words, Words{"printf"});
}

TEST(Options, ListsWithAndWithoutArguments) {
  Options o = parse({"-lv", "tracepoint:*"});
  EXPECT_TRUE(o.list);
  EXPECT_TRUE(o.verbose);
  EXPECT_EQ(o.words[0], "tracepoint:*");
}

TEST(Options, TestsAndBenchmarksAreModes) {
  EXPECT_EQ(parse({"--test", "x.bt"}).mode, "test");
  EXPECT_EQ(parse({"--bench", "x.bt"}).mode, "bench");
  EXPECT_EQ(parse({"--mode", "bench", "x.bt"}).mode, "bench");
}

TEST(Options, ListsInOneValue) {
  EXPECT_EQ(parse({"-d", "ast,typed", "x.bt"}).debug, (Words{"ast", "typed"}));
  EXPECT_EQ(parse({"--debuginfo", "/a:/b", "x.bt"}).debuginfo_dirs, (Words{"/a", "/b"}));
  EXPECT_EQ(parse({"-I", "/a", "-I", "/b", "x.bt"}).include_dirs, (Words{"/a", "/b"}));
  EXPECT_EQ(parse({"--no-feature", "uprobe_multi,kprobe_multi", "x.bt"}).without_features,
            (Words{"uprobe_multi", "kprobe_multi"}));
}

TEST(Options, AheadOfTimeIsBuild) {
  Options o = parse({"--aot", "x.img", "x.bt"});
  EXPECT_EQ(o.command, Command::Build);
  EXPECT_EQ(o.output, "x.img");
}

// Whatever scripts and aliases for bpftrace pass.
TEST(Options, AcceptsAllOfBpftraces) {
  const std::vector<Words> lines = {{"-b"},
                                    {"--btf"},
                                    {"-k"},
                                    {"-kk"},
                                    {"--usdt-file-activation"},
                                    {"-q"},
                                    {"--quiet"},
                                    {"-v"},
                                    {"--verbose"},
                                    {"--unsafe"},
                                    {"--no-warnings"},
                                    {"--dry-run"},
                                    {"--test"},
                                    {"--bench"},
                                    {"--verify-llvm-ir"},
                                    {"-I", "d"},
                                    {"--include", "f"},
                                    {"--debuginfo", "d"},
                                    {"--traceable-functions", "f"},
                                    {"--no-feature", "uprobe_multi"},
                                    {"--mode", "codegen"},
                                    {"--probe-filter", "a.*"},
                                    {"--emit-elf", "f"},
                                    {"--emit-llvm", "f"},
                                    {"-d", "all"},
                                    {"--debug", "codegen-opt"},
                                    {"--dwarf-pid", "1"},
                                    {"-o", "f"},
                                    {"--output", "f"},
                                    {"-f", "json"},
                                    {"--format", "text"},
                                    {"-B", "none"},
                                    {"-p", "1"},
                                    {"--pid", "1"},
                                    {"-c", "true"},
                                    {"--cmd", "true"}};
  for (Words line : lines) {
    const std::string name = line[0];
    line.insert(line.end(), {"-e", "BEGIN { }"});
    Result<Options> o = try_parse(line);
    EXPECT_TRUE(o) << name << ": " << o.error().message;
    EXPECT_EQ(o ? o->program : std::nullopt, "BEGIN { }") << name;
  }
}

TEST(Options, SaysWhatDoesNothing) {
  EXPECT_EQ(parse({"--dwarf-pid", "1", "-e", "BEGIN{}"}).notes.size(), 1U);
  EXPECT_EQ(parse({"-b", "-e", "BEGIN{}"}).notes.size(), 0U);
  EXPECT_EQ(parse({"-kk", "-e", "BEGIN{}"}).warnings, 2);
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(try_parse({"--no-such-option"}));
  EXPECT_FALSE(try_parse({"-f", "xml", "-e", "BEGIN{}"}));
  EXPECT_FALSE(try_parse({"-p", "abc", "-e", "BEGIN{}"}));
  EXPECT_FALSE(try_parse({"-p", "1", "-c", "true", "-e", "BEGIN{}"}));
  EXPECT_FALSE(try_parse({"-k", "--no-warnings", "-e", "BEGIN{}"}));
  EXPECT_EQ(try_parse({"--dry-rum", "-e", "BEGIN{}"}).error().hint, "did you mean `--dry-run`?");
  EXPECT_NE(try_parse({"-d", "nope", "-e", "BEGIN{}"}).error().hint.find("codegen-opt"), std::string::npos);
  EXPECT_FALSE(try_parse({"--probe-filter", "(", "-e", "BEGIN{}"}));
}

Result<Options> try_parse_run(std::vector<std::string> words) {
  words.insert(words.begin(), "awl-run");
  std::vector<char *> argv;
  for (std::string &w : words) argv.push_back(w.data());
  return parse_options(static_cast<int>(argv.size()), argv.data(), Tool::Runner);
}

TEST(Options, OfTheRunner) {
  Result<Options> o = try_parse_run(
      {"x.img", "10", "-p", "5,6", "--follow", "-f", "json", "-o", "out", "-q", "--unsafe", "--", "--n=7"});
  ASSERT_TRUE(o) << o.error().message;
  EXPECT_EQ(o->command, Command::RunImage);
  EXPECT_EQ(o->words, (Words{"x.img", "10"}));
  EXPECT_EQ(o->script_options, (Words{"--n=7"}));
  EXPECT_EQ(o->pids, (std::vector<int>{5, 6}));
  EXPECT_TRUE(o->follow && o->quiet && o->unsafe);
  EXPECT_EQ(o->format, "json");
  EXPECT_EQ(o->output, "out");
  EXPECT_EQ(try_parse_run({"build"})->command, Command::RunImage);  // a file of that name
  EXPECT_EQ(try_parse_run({})->command, Command::Help);
  EXPECT_EQ(try_parse_run({"-V"})->command, Command::Version);
}

TEST(Options, TheRunnerHasNoneOfTheCompiler) {
  for (const char *option : {"-e", "-I", "-l", "-k", "--emit-elf", "--mode", "--n=7"})
    EXPECT_FALSE(try_parse_run({"x.img", option})) << option;
  EXPECT_EQ(try_parse_run({"x.img", "--cgruop", "x"}).error().hint, "did you mean `--cgroup`?");
  EXPECT_NE(try_parse_run({"x.img", "--emit-elf", "x"}).error().hint.find("behind `--`"), std::string::npos);
  EXPECT_FALSE(try_parse_run({"x.img", "-d", "ast"}));
  EXPECT_TRUE(try_parse_run({"x.img", "-d", "libbpf,verifier"}));
}

TEST(Options, HelpFitsATerminalAndNamesAll) {
  const std::string help = general_help();
  for (const std::string &line : split(help, '\n')) EXPECT_LE(line.size(), 80U) << line;
  for (const OptionRow &row : option_table())
    EXPECT_EQ(row.group.empty(), help.find(split(row.names, ',').back()) == std::string::npos) << row.names;
}

TEST(Options, HelpOfTheRunner) {
  const std::string help = runner_help();
  for (const std::string &line : split(help, '\n')) EXPECT_LE(line.size(), 80U) << line;
  for (const OptionRow &row : option_table())
    EXPECT_EQ(row.of_run, help.find(split(row.names, ',').back() + (row.value.empty() ? "" : " ")) != std::string::npos)
        << row.names;
}

}  // namespace
}  // namespace awl
