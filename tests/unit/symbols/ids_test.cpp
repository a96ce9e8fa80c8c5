#include "runtime/symbols/ids.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace awl {
namespace {

class IdsTest : public testing::Test {
 protected:
  IdsTest() {
    char name[] = "/tmp/awl-ids-XXXXXX";
    if (!mkdtemp(name)) abort();
    dir = name;
  }
  ~IdsTest() override { std::filesystem::remove_all(dir); }
  static uint64_t inode(const std::string &path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
  }

  std::string dir;
};

TEST_F(IdsTest, Users) {
  std::string path = dir + "/passwd";
  std::ofstream(path)
      << "root:x:0:0:root:/root:/bin/bash\nbad line\nx:y:notanumber:\nann:x:1000:1000::/home/ann:/bin/sh\n";
  UserTable table(path);
  EXPECT_EQ(table.find(0), "root");
  EXPECT_EQ(table.find(1000), "ann");
  EXPECT_FALSE(table.find(1001));
  std::ofstream(path, std::ios::app) << "bob:x:1001:1001::/:/bin/sh\n";
  timeval times[2] = {{1, 0}, {1, 0}};  // a change within the clock's resolution must not hide
  utimes(path.c_str(), times);
  EXPECT_EQ(table.find(1001), "bob") << "a changed file is read again";
  EXPECT_FALSE(UserTable("/nonexistent").find(0));
}

TEST_F(IdsTest, CgroupsAreDirectories) {
  std::filesystem::create_directories(dir + "/user.slice/user-0.slice");
  std::filesystem::create_directories(dir + "/system.slice");
  CgroupTable table(dir);
  EXPECT_EQ(table.find(inode(dir)), "/");
  EXPECT_EQ(table.find(inode(dir + "/user.slice/user-0.slice")), "/user.slice/user-0.slice");
  EXPECT_EQ(table.find(inode(dir + "/system.slice")), "/system.slice");
  EXPECT_FALSE(table.find(1));
}

TEST(Ids, Filter) {
  struct stat info{};
  if (stat(cgroup2_mount().c_str(), &info) != 0) GTEST_SKIP() << "no cgroups";
  EXPECT_EQ(cgroup_path(info.st_ino, ""), "/");
  EXPECT_EQ(cgroup_path(info.st_ino, "uni*"), "/");
  EXPECT_FALSE(cgroup_path(info.st_ino, "cpu"));
}

}  // namespace
}  // namespace awl
