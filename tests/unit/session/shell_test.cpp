#include "runtime/session/shell.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "runtime/session/actions.h"
#include "runtime/session/child.h"
#include "runtime/session/file_limit.h"

namespace awl {
namespace {

std::string output_of(const std::string &command) {
  std::string out;
  EXPECT_TRUE(run_shell(command, [&](std::string_view piece) { out += piece; }).has_value());
  return out;
}

TEST(RunShell, TakesStandardOutput) {
  EXPECT_EQ(output_of("echo a; echo b"), "a\nb\n");
  EXPECT_EQ(output_of("echo a >&2; exit 3"), "");
  EXPECT_EQ(output_of("head -c 200000 /dev/zero | tr '\\0' x").size(), 200000u);
}

TEST(RunShell, DoesNotWaitForWhatStaysInTheBackground) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(output_of("sleep 5 & echo done"), "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(RunShell, WhatStaysInTheBackgroundIsReadLater) {
  BackgroundOutput background;
  std::string out;
  const auto take = [&](std::string_view piece) { out += piece; };
  Result<Fd> open = run_shell("(sleep 0.3; echo later; sleep 0.3; echo last) & echo done", take);
  ASSERT_TRUE(open.has_value());
  ASSERT_TRUE(*open);
  background.add(*std::move(open));
  EXPECT_EQ(out, "done\n");
  for (int waits = 0; waits < 2; waits++) {
    pollfd wait{background.descriptor(), POLLIN, 0};
    ASSERT_EQ(poll(&wait, 1, 10000), 1);
    background.pass_on(take);
  }
  EXPECT_EQ(out, "done\nlater\nlast\n");
}

TEST(RunShell, EndlessOutputOfTheBackgroundDoesNotHoldIt) {
  BackgroundOutput background;
  size_t bytes = 0;
  Result<Fd> open = run_shell("yes & echo $!", [&](std::string_view piece) { bytes += piece.size(); });
  ASSERT_TRUE(open.has_value());
  ASSERT_TRUE(*open);
  background.add(*std::move(open));
  background.pass_on([&](std::string_view piece) { bytes += piece.size(); });
  EXPECT_GT(bytes, 0U);
}

TEST(RunShell, HasTheLimitOfFilesThatAwlWasStartedWith) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const std::string limit = std::to_string(before.rlim_cur) + "\n";
  raise_file_limit();
  EXPECT_EQ(output_of("ulimit -Sn"), limit);
  rlimit now{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, now.rlim_max) << "that of awl stays raised";
}

TEST(ReadForCat, StopsAtTheLimit) {
  const std::string path = testing::TempDir() + "awl_cat_" + std::to_string(getpid());
  std::ofstream(path) << std::string(100000, 'x');
  EXPECT_EQ(read_for_cat(path, 1000).value().size(), 1000u);
  EXPECT_EQ(read_for_cat(path, 1 << 20).value().size(), 100000u);
  unlink(path.c_str());
  EXPECT_EQ(read_for_cat(path, 10).error().message, "No such file or directory");
  EXPECT_EQ(read_for_cat("/", 10).error().message, "Is a directory");
  EXPECT_FALSE(read_for_cat("/proc/self/status", 10240).value().empty());
}

Child::Ending wait_for(Child &child) {
  for (int i = 0; i < 500; i++) {
    if (Child::Ending ending = child.ending(); ending.ended) return ending;
    usleep(10000);
  }
  return {};
}

TEST(ChildProcess, RunsOnlyWhenToldAndSaysHowItEnded) {
  auto child = Child::start("sh -c 'exit 3'");
  ASSERT_TRUE(child.has_value()) << child.error().message;
  usleep(20000);
  EXPECT_FALSE((*child)->ending().ended);
  EXPECT_TRUE((*child)->go().has_value());
  const Child::Ending ending = wait_for(**child);
  EXPECT_TRUE(ending.ended);
  EXPECT_FALSE(ending.success);
  EXPECT_EQ(ending.text, "exited with status 3");
}

TEST(ChildProcess, NamesTheSignalThatKilledIt) {
  auto child = Child::start("sh -c 'kill -SEGV $$'");
  ASSERT_TRUE(child.has_value());
  EXPECT_TRUE((*child)->go().has_value());
  EXPECT_EQ(wait_for(**child).text, "was killed by SIGSEGV");
}

TEST(ChildProcess, WhatCannotRunIsAnError) {
  EXPECT_EQ(Child::start("/no/such/command").error().message, "no such file");
  EXPECT_EQ(Child::start("sh -c 'x").error().message, "quote ' at column 7 is not closed");
  const std::string path = testing::TempDir() + "awl_noexec_" + std::to_string(getpid());
  std::ofstream(path) << "\x7f"
                      << "not a program";
  chmod(path.c_str(), 0755);
  auto child = Child::start(path);
  ASSERT_TRUE(child.has_value());
  EXPECT_EQ((*child)->go().error().message, "Exec format error");
  unlink(path.c_str());
}

}  // namespace
}  // namespace awl
