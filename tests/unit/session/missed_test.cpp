#include "runtime/session/missed.h"

#include <gtest/gtest.h>

#include <cstring>

namespace awl {
namespace {

class Info {
 public:
  explicit Info(size_t size) : bytes_(size) {}
  template <class T>
  Info &put(size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof(value));
    return *this;
  }
  [[nodiscard]] LinkMisses misses() const { return link_misses(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

TEST(LinkMisses, ByTypeOfLink) {
  const LinkMisses multi = Info(64).put<uint32_t>(0, 8).put<uint32_t>(8, 77).put<uint64_t>(32, 5).misses();
  EXPECT_EQ(multi.program, 77U);
  EXPECT_EQ(multi.count, 5U);
  EXPECT_EQ(Info(64).put<uint32_t>(0, 7).put<uint32_t>(16, 3).put<uint64_t>(48, 6).misses().count, 6U) << "kprobe";
  EXPECT_EQ(Info(64).put<uint32_t>(0, 7).put<uint32_t>(16, 5).put<uint64_t>(48, 6).misses().count, 0U) << "tracepoint";
  EXPECT_EQ(Info(64).put<uint32_t>(0, 12).put<uint64_t>(32, 6).misses().count, 0U) << "uprobe_multi";
}

// For these the kernel has room for a number of calls that are under way.
TEST(LinkMisses, Returns) {
  EXPECT_FALSE(Info(64).put<uint32_t>(0, 8).put<uint32_t>(28, 0).misses().returns);
  EXPECT_TRUE(Info(64).put<uint32_t>(0, 8).put<uint32_t>(28, 1).misses().returns);
  EXPECT_FALSE(Info(64).put<uint32_t>(0, 7).put<uint32_t>(16, 3).misses().returns);
  EXPECT_TRUE(Info(64).put<uint32_t>(0, 7).put<uint32_t>(16, 4).misses().returns);
}

TEST(LinkMisses, OlderKernel) {
  EXPECT_EQ(Info(32).put<uint32_t>(0, 8).misses().count, 0U);
  EXPECT_EQ(Info(0).misses().program, 0U);
}

}  // namespace
}  // namespace awl
