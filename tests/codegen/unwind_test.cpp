// The walk of user stacks: over functions in assembly, whose frames are known, and tables written by hand.
#if defined(__x86_64__)
#include <bpf/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "loaded.h"
#include "runtime/unwind/walk.h"

// Each function passes its arguments on to the next one, the last one makes a system call of them: bpf(rdi, rsi, rdx).
// *_return is where the call of it returns to.
asm(R"(
  .text
  .globl walk_top, walk_top_return, walk_by_rsp, walk_by_rsp_return, walk_pushed, walk_pushed_return
  .globl walk_by_rbp, walk_by_rbp_return, walk_aligned, walk_aligned_return, walk_leaf, walk_leaf_return, walk_end
  .globl walk_plt, walk_plt_pushed, walk_plt_early, walk_plt_unpushed, walk_caller, walk_caller_return
walk_top:
  sub $8, %rsp
  call walk_by_rsp
walk_top_return:
  add $8, %rsp
  ret
walk_by_rsp:
  sub $168, %rsp
  call walk_pushed
walk_by_rsp_return:
  add $168, %rsp
  ret
walk_pushed:            # rbp is a register like any other
  push %rbp
  mov $12345, %ebp
  call walk_by_rbp
walk_pushed_return:
  pop %rbp
  ret
walk_by_rbp:
  push %rbp
  mov %rsp, %rbp
  sub $48, %rsp
  sub %rdx, %rsp
  sub %rdx, %rsp
  call walk_aligned
walk_by_rbp_return:
  leave
  ret
walk_aligned:           # its frame begins at a multiple of 256
  lea 8(%rsp), %r10
  and $-256, %rsp
  push -8(%r10)
  push %rbp
  mov %rsp, %rbp
  push %r10
  sub $24, %rsp
  call walk_leaf
walk_aligned_return:
  add $24, %rsp
  pop %r10
  pop %rbp
  lea -8(%r10), %rsp
  ret
walk_leaf:
  mov $321, %eax
  syscall
walk_leaf_return:
  ret
  .p2align 4
walk_plt:               # as an entry of .plt that has pushed its number, eleven bytes into it
  push $7
  mov $321, %eax
  nop
  nop
  syscall
walk_plt_pushed:
  add $8, %rsp
  ret
  .p2align 4
walk_plt_early:         # and as one that has not
  mov $321, %eax
  syscall
walk_plt_unpushed:
  ret
walk_caller:            # of its fourth argument
  sub $8, %rsp
  call *%rcx
walk_caller_return:
  add $8, %rsp
  ret
walk_end:
)");
extern "C" {
long walk_top(long command, void *attributes, unsigned long size);
long walk_caller(long command, void *attributes, unsigned long size, const void *function);
extern const char walk_plt, walk_plt_early, walk_caller_return;
extern const char walk_plt_pushed, walk_plt_unpushed;
extern const char walk_top_return, walk_by_rsp, walk_by_rsp_return, walk_pushed, walk_pushed_return, walk_by_rbp,
    walk_by_rbp_return, walk_aligned, walk_aligned_return, walk_leaf, walk_leaf_return, walk_end;
}

namespace awl::testing {
namespace {

namespace unwind = runtime::unwind;
using unwind::Cfa;

uint64_t address(const void *place) { return reinterpret_cast<uint64_t>(place); }

// Where the functions are said to begin in their file.
constexpr uint64_t kFileAddress = 0x1000;

class Walk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "loading programs needs root";
  }

  // A program that keeps a stack in @r, or with `keep` false counts its frames.
  void load(bool keep, uint32_t frames = unwind::max_frames) {
    const Type *stack = script_.types.stack(true, StackMode::Bpftrace, frames);
    uint32_t map = script_.plain_map("r", nullptr, keep ? stack : script_.i64());
    const Type *memory = script_.types.pointer(script_.types.void_type());
    script_.module.c_functions.push_back(
        {"awl_unwind", {memory, script_.i64(), script_.i64(), script_.i64()}, script_.i64()});
    script_.manifest.unwinds = true;
    auto walk = make<Unwind>(script_.i64());
    walk->frames = frames;
    walk->keep = keep;
    ValuePtr value = std::move(walk);
    if (keep) {
      auto trace = make<StackTrace>(stack);
      trace->unwound = std::move(value);
      value = std::move(trace);
    }
    script_.program().body.push_back(script_.map_set(map, nullptr, std::move(value)));
    bpf_ = Loaded::load(script_);
    ASSERT_TRUE(bpf_);
  }

  static std::vector<unwind::Row> rows() {
    const auto at = [](const char &place) {
      return static_cast<uint32_t>(address(&place) - address(reinterpret_cast<const void *>(&walk_top)) + kFileAddress);
    };
    return {{kFileAddress, Cfa::End, 0, 0},
            {at(walk_by_rsp), Cfa::Rsp, 0, 22},
            {at(walk_pushed), Cfa::Rsp, -2, 2},
            {at(walk_by_rbp), Cfa::Rbp, -2, 2},
            {at(walk_aligned), Cfa::RbpIndirect, 0, -1},
            {at(walk_leaf), Cfa::Rsp, 0, 1},
            {at(walk_plt), Cfa::Plt, 0, 0},
            {at(*reinterpret_cast<const char *>(&walk_caller)), Cfa::End, 0, 0},
            {at(walk_end), Cfa::Unknown, 0, 0}};
  }

  // As UnwindTables does it: block 0 is the index.
  void fill(std::vector<unwind::Row> rows, uint32_t rows_in_block = unwind::rows_per_block,
            uint64_t end = address(&walk_end)) {
    std::vector<std::array<char, unwind::block_size>> blocks(1);
    memset(blocks[0].data(), 0xff, unwind::block_size);
    for (size_t from = 0; from < rows.size(); from += rows_in_block) {
      const size_t count = std::min<size_t>(rows_in_block, rows.size() - from);
      memcpy(blocks[0].data() + 4 * (blocks.size() - 1), &rows[from].address, 4);
      blocks.emplace_back();
      memset(blocks.back().data(), 0xff, unwind::block_size);
      memcpy(blocks.back().data(), &rows[from], count * sizeof(unwind::Row));
    }
    bpf_map_create_opts options = {};
    options.sz = sizeof options;
    options.map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE;
    int file = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rows", 4, unwind::block_size, static_cast<uint32_t>(blocks.size()),
                              &options);
    ASSERT_GE(file, 0);
    for (uint32_t i = 0; i < blocks.size(); i++) ASSERT_EQ(bpf_map_update_elem(file, &i, blocks[i].data(), BPF_ANY), 0);
    const uint32_t number = 7;
    ASSERT_EQ(bpf_map_update_elem(bpf_->own_map_fd("awl_unwind_files"), &number, &file, BPF_ANY), 0);
    close(file);
    const uint64_t begin = address(reinterpret_cast<const void *>(&walk_top));
    const unwind::Mapping mapping{begin, end, begin - kFileAddress, number, 0};
    // The only mapping of the process needs no bit of its address.
    const unwind::MappingKey key{32, __builtin_bswap32(static_cast<uint32_t>(getpid())), 0};
    ASSERT_EQ(bpf_map_update_elem(bpf_->own_map_fd("awl_unwind_maps"), &key, &mapping, BPF_ANY), 0);
  }

  void walk() {
    bpf_attr attributes = {};
    attributes.test.prog_fd = static_cast<uint32_t>(bpf_->program_fd());
    ASSERT_EQ(walk_top(BPF_PROG_TEST_RUN, &attributes, sizeof attributes), 0);
  }

  std::vector<uint64_t> frames() {
    const auto key = static_cast<uint32_t>(bpf_->scalar("r"));
    unwind::KeptStack stack;
    if (bpf_map_lookup_elem(bpf_->own_map_fd("awl_unwind_stacks"), &key, &stack) != 0) return {};
    return {stack.frames, stack.frames + stack.count};
  }

  static std::vector<uint64_t> all() {
    return {address(&walk_leaf_return),   address(&walk_aligned_return), address(&walk_by_rbp_return),
            address(&walk_pushed_return), address(&walk_by_rsp_return),  address(&walk_top_return)};
  }

  Script script_;
  std::unique_ptr<Loaded> bpf_;
};

TEST_F(Walk, FollowsEveryRule) {
  load(true);
  fill(rows());
  walk();
  EXPECT_EQ(frames(), all());
  EXPECT_EQ(bpf_->state(kStateCutStacks), 0);
  EXPECT_EQ(bpf_->state(kStateLostStacks), 0);
}

TEST_F(Walk, FindsRowsInManyBlocks) {
  load(true);
  fill(rows(), 1);
  walk();
  EXPECT_EQ(frames(), all());
}

// Every row of a full block can be found, and so can every block of a full index.
TEST_F(Walk, FindsEveryRow) {
  load(true);
  std::vector<unwind::Row> many;
  for (uint32_t i = 0; i < kFileAddress; i++) many.push_back({i, Cfa::Unknown, 0, static_cast<int16_t>(i)});
  for (const unwind::Row &row : rows()) many.push_back(row);
  for (uint32_t rows_in_block : {3u, 1023u, 1024u}) {
    fill(many, rows_in_block);
    walk();
    EXPECT_EQ(frames(), all()) << rows_in_block;
  }
}

TEST_F(Walk, StopsAtTheLimit) {
  load(true, 3);
  fill(rows());
  walk();
  std::vector<uint64_t> expected = all();
  expected.resize(3);
  EXPECT_EQ(frames(), expected);
  EXPECT_EQ(bpf_->state(kStateCutStacks), 0);
}

TEST_F(Walk, FollowsEntriesOfThePlt) {
  load(true);
  fill(rows());
  bpf_attr attributes = {};
  attributes.test.prog_fd = static_cast<uint32_t>(bpf_->program_fd());
  for (auto [entry, place] : {std::pair{&walk_plt, &walk_plt_pushed}, std::pair{&walk_plt_early, &walk_plt_unpushed}}) {
    ASSERT_EQ(walk_caller(BPF_PROG_TEST_RUN, &attributes, sizeof attributes, entry), 0);
    EXPECT_EQ(frames(), (std::vector{address(place), address(&walk_caller_return)}));
  }
  EXPECT_EQ(bpf_->state(kStateCutStacks), 0);
}

TEST_F(Walk, CountsFrames) {
  load(false);
  fill(rows());
  walk();
  EXPECT_EQ(bpf_->scalar("r"), 6);
}

// From walk_by_rbp on there is no rule: its own frame pointer is right, and leads over the frame of walk_pushed, where
// rbp holds something else.
TEST_F(Walk, FollowsFramePointersWhereNothingIsKnown) {
  load(true);
  std::vector<unwind::Row> known = rows();
  known[3].cfa = Cfa::Unknown;
  fill(known);
  walk();
  std::vector<uint64_t> expected = all();
  EXPECT_EQ(frames(), expected);
  known[2].cfa = Cfa::Unknown;
  fill(known);
  walk();
  expected.resize(4);
  EXPECT_EQ(frames(), expected);
  EXPECT_EQ(bpf_->state(kStateCutStacks), 1);
}

// The prefix of a mapping may reach beyond it: what is there has no rows. So the frame pointer is followed from
// walk_leaf, whose caller's it is.
TEST_F(Walk, KnowsWhereAMappingEnds) {
  load(true);
  fill(rows(), unwind::rows_per_block, address(&walk_aligned));
  walk();
  std::vector<uint64_t> expected = all();
  expected.erase(expected.begin() + 1);
  EXPECT_EQ(frames(), expected);
}

TEST_F(Walk, HasOneFrameWithoutTables) {
  load(true);
  walk();
  ASSERT_FALSE(frames().empty());
  EXPECT_EQ(frames().front(), address(&walk_leaf_return));
}

// A rule that leads downwards ends the stack.
TEST_F(Walk, DoesNotTurnInCircles) {
  load(true);
  for (int16_t offset : {int16_t{0}, int16_t{-5}}) {
    std::vector<unwind::Row> wrong = rows();
    wrong[1].offset = offset;
    fill(wrong);
    walk();
    std::vector<uint64_t> expected = all();
    expected.resize(5);
    EXPECT_EQ(frames(), expected);
  }
  EXPECT_EQ(bpf_->state(kStateCutStacks), 2);
}

TEST_F(Walk, KeepsEqualStacksOnce) {
  load(true);
  fill(rows());
  for (int i = 0; i < 3; i++) walk();
  uint32_t key = 0, stacks = 0;
  const int map = bpf_->own_map_fd("awl_unwind_stacks");
  for (bool more = bpf_map_get_next_key(map, nullptr, &key) == 0; more;
       more = bpf_map_get_next_key(map, &key, &key) == 0)
    stacks++;
  EXPECT_EQ(stacks, 1);
}

}  // namespace
}  // namespace awl::testing
#endif
