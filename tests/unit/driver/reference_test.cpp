#include "cli/reference.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

TEST(Reference, KnowsEachOfItsTopics) {
  for (const std::string &topic : topics()) EXPECT_TRUE(about(topic)) << topic;
  EXPECT_FALSE(about("no_such_thing"));
  EXPECT_FALSE(about("__pid_tgid"));
}

TEST(Reference, Functions) {
  EXPECT_TRUE(about("has_key")->starts_with("has_key(")) << *about("has_key");
  EXPECT_NE(about("system")->find("Needs --unsafe."), std::string::npos);
  EXPECT_NE(about("count")->find("@[key] = count(...)"), std::string::npos);
  EXPECT_NE(about("retval")->find("Needs a probe at a return."), std::string::npos);
}

TEST(Reference, ProbesConfigOptionsAndCodes) {
  EXPECT_NE(about("kprobe")->find("Short: k"), std::string::npos);
  EXPECT_NE(about("BPFTRACE_MAX_STRLEN")->find("max_strlen"), std::string::npos);
  EXPECT_NE(about("--probe-filter")->find("REGEX"), std::string::npos);
  EXPECT_NE(about("e0204")->find("awl -lv PROBE"), std::string::npos);
}

}  // namespace
}  // namespace awl
