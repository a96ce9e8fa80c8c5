// What belongs to the operating system: descriptors, clocks, the search path.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "base/fd.h"
#include "base/search_path.h"

namespace awl {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(Fd, ClosesWhatItOwns) {
  int number = -1;
  {
    Fd first(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(first);
    number = first.get();
    Fd second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, CloseAndRelease) {
  Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fd.get();
  fd.close();
  EXPECT_FALSE(fd);
  EXPECT_FALSE(is_open(number));
  Fd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int kept = other.release();
  EXPECT_FALSE(other);
  EXPECT_TRUE(is_open(kept));
  close(kept);
  EXPECT_FALSE(Fd(-ENOENT));
}

TEST(Clock, GoesOn) {
  const int64_t before = clock_ns(CLOCK_MONOTONIC);
  EXPECT_GT(before, 0);
  EXPECT_GE(clock_ns(CLOCK_MONOTONIC), before);
}

TEST(SearchPath, FirstExecutableFile) {
  const std::string old = getenv("PATH") ? getenv("PATH") : "";
  const std::string root = testing::TempDir() + "awl-path-" + std::to_string(getpid());
  for (const char *folder : {"/a/tool", "/b", "/c"}) std::filesystem::create_directories(root + folder);
  std::ofstream(root + "/b/tool") << "no program";
  std::ofstream(root + "/c/tool") << "#!/bin/sh\n";
  chmod((root + "/c/tool").c_str(), 0755);
  setenv("PATH", (root + "/a::" + root + "/b:" + root + "/c").c_str(), 1);
  EXPECT_EQ(search_folders(), (std::vector<std::string>{root + "/a", ".", root + "/b", root + "/c"}));
  EXPECT_EQ(find_in_path("tool"), root + "/c/tool");
  EXPECT_EQ(find_in_path("awl-no-such-tool"), "");
  unsetenv("PATH");
  EXPECT_EQ(find_in_path("sh").substr(0, 1), "/");
  setenv("PATH", old.c_str(), 1);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace awl
