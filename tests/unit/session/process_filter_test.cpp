#include "runtime/session/process_filter.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace awl {
namespace {

class Containers : public testing::Test {
 protected:
  void SetUp() override {
    for (const char *folder : {"system.slice/docker-0123abcd.scope/init", "machine.slice/libpod-0123ffff.scope",
                               "kubepods/burstable/pod1/89abcdef01", "lxc.payload.web", "user.slice/0123"})
      std::filesystem::create_directories(root_ + "/" + folder);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  [[nodiscard]] std::vector<std::string> find(std::string_view id) const {
    std::vector<std::string> out = find_container(root_, id);
    for (std::string &path : out) path.erase(0, root_.size() + 1);
    return out;
  }
  std::string root_ = testing::TempDir() + "awl-containers-" + std::to_string(getpid());
};

TEST_F(Containers, ByTheBeginningOfTheId) {
  EXPECT_EQ(find("0123a"), std::vector<std::string>{"system.slice/docker-0123abcd.scope"});
  EXPECT_EQ(find("89abcdef01"), std::vector<std::string>{"kubepods/burstable/pod1/89abcdef01"});
  EXPECT_EQ(find("payload"), std::vector<std::string>{}) << "the middle of a name";
  EXPECT_EQ(find("web"), std::vector<std::string>{}) << "too short";
}

TEST_F(Containers, Several) { EXPECT_EQ(find("0123").size(), 3U); }

TEST(ProcessFilter, OnlyPid) {
  EXPECT_EQ((ProcessFilter{{7}, false, {}, {}, {}}.only_pid()), 7);
  EXPECT_EQ((ProcessFilter{{7}, true, {}, {}, {}}.only_pid()), 0) << "its children, too";
  EXPECT_EQ((ProcessFilter{{7, 8}, false, {}, {}, {}}.only_pid()), 0);
}

}  // namespace
}  // namespace awl
