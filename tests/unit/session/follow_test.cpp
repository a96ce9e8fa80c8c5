#include "runtime/session/follow.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/probes/kernel_types.h"
#include "runtime/session/libbpf_options.h"

namespace awl {
namespace {

TEST(Follow, ChildrenThatFindNoRoomAreCounted) {
  const int pids = bpf_map_create(BPF_MAP_TYPE_HASH, "pids", 4, 4, 2, nullptr);
  const int state = bpf_map_create(BPF_MAP_TYPE_ARRAY, "state", 4, 16, 1, nullptr);
  if (pids < 0 || state < 0) GTEST_SKIP() << "no BPF";
  const auto self = static_cast<uint32_t>(getpid());
  const uint32_t yes = 1, first = 0;
  ASSERT_EQ(bpf_map_update_elem(pids, &self, &yes, BPF_ANY), 0);
  TypeStore types;
  add_kernel_types(types);
  ProbeEnvironment env;
  env.types = &types;
  const auto attached = follow_children(pids, {state, 8}, env);
  ASSERT_TRUE(attached.has_value()) << attached.error().message;
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  for (int i = 0; i < 4; i++) {
    if (fork() != 0) continue;
    close(pipe_ends[1]);
    char byte;
    [[maybe_unused]] const ssize_t n = read(pipe_ends[0], &byte, 1);  // until all were started
    _exit(0);
  }
  close(pipe_ends[1]);
  while (wait(nullptr) > 0) {
  }
  close(pipe_ends[0]);
  uint64_t words[2] = {};
  ASSERT_EQ(bpf_map_lookup_elem(state, &first, words), 0);
  EXPECT_EQ(words[0], 0U);
  EXPECT_EQ(words[1], 3U) << "there was room for one of four";
  close(pids);
  close(state);
}

}  // namespace
}  // namespace awl
