#include "runtime/types/constants.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/if_ether.h>
#include <linux/input-event-codes.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <climits>
#include <cstdint>

namespace awl {
namespace {

// The compiler's value of a constant against the table's.
#define SAME(name) EXPECT_EQ(uapi_constant(#name), std::optional<int64_t>(static_cast<int64_t>(name)))

TEST(Constants, AgreeWithTheCompiler) {
  SAME(AF_INET6);
  SAME(S_IFMT);
  SAME(O_CREAT);
  SAME(O_LARGEFILE);
  SAME(SIGKILL);
  SAME(ENOENT);
  SAME(MAP_SHARED);
  SAME(CLONE_NEWNS);
  SAME(INT_MIN);
  SAME(LONG_MAX);
  SAME(LONG_MIN);
  SAME(UINT_MAX);
  SAME(ULONG_MAX);
  SAME(INT64_MIN);
  SAME(FS_IOC_GETFLAGS);
  SAME(BLKGETSIZE64);
  SAME(FIONREAD);
  SAME(ETH_P_IP);
  SAME(KEY_ENTER);
  SAME(BPF_MAP_TYPE_RINGBUF);
  SAME(BPF_F_CURRENT_CPU);
  SAME(PERF_SAMPLE_IP);
  SAME(IPPROTO_TCP);
  SAME(INADDR_LOOPBACK);
  SAME(MSG_PEEK);
  SAME(PATH_MAX);
  SAME(__NR_openat);
}

TEST(Constants, OfTheKernelItself) {
  EXPECT_EQ(uapi_constant("MINORBITS"), 20);
  EXPECT_EQ(uapi_constant("PAGE_MASK"), -4096);
  EXPECT_EQ(uapi_constant("PF_KTHREAD"), 0x200000);
  EXPECT_EQ(uapi_constant("NSEC_PER_SEC"), 1000000000);
  EXPECT_EQ(uapi_constant("TCP_ESTABLISHED"), 1);
}

TEST(Constants, NoIntegersNoConstants) {
  EXPECT_FALSE(uapi_constant("no_such_constant"));
  EXPECT_FALSE(uapi_constant(""));
  EXPECT_FALSE(uapi_constant("linux"));  // predefined by compilers
  EXPECT_FALSE(uapi_constant("HZ_UNKNOWN"));
  EXPECT_FALSE(uapi_constant("stdin"));
}

TEST(Constants, SortedNames) {
  std::vector<std::string> names = uapi_constant_names();
  EXPECT_GT(names.size(), 5000u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (size_t i = 0; i < names.size(); i += 97) EXPECT_TRUE(uapi_constant(names[i])) << names[i];
}

}  // namespace
}  // namespace awl
