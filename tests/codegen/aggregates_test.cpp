#include <unistd.h>

#include <limits>
#include <random>

#include "loaded.h"
#include "runtime/types/histogram.h"

namespace awl::testing {
namespace {

std::vector<int64_t> interesting_values() {
  std::vector<int64_t> values = {0, -1, -1000, std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max()};
  for (int bit = 0; bit < 63; ++bit)
    for (int64_t near : {-1, 0, 1}) values.push_back((int64_t{1} << bit) + near);
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) values.push_back(static_cast<int64_t>(random() >> (random() % 64)));
  return values;
}

TEST(Aggregates, HistBucketsAreTheRuntimes) {
  for (uint32_t bits : {0u, 1u, 3u, 5u}) {
    Script s;
    const Type *type = s.types.hist(s.i64(), bits);
    uint32_t map = s.aggregate_map("h", nullptr, type);
    s.program().body.push_back(s.update(map, nullptr, s.arg(0)));
    LOAD(bpf, s);
    std::vector<uint64_t> wanted(hist_buckets(bits));
    uint64_t sum = 0;
    for (int64_t value : interesting_values()) {
      bpf->run({static_cast<uint64_t>(value)});
      ++wanted[hist_bucket(value, bits)];
      sum += static_cast<uint64_t>(value);
    }
    wanted.push_back(sum);  // stands behind the buckets
    EXPECT_EQ(bpf->words("h", 0), wanted) << bits << " bits";
  }
}

TEST(Aggregates, HistByKey) {
  Script s;
  uint32_t map = s.aggregate_map("h", s.i64(), s.types.hist(s.i64(), 0));
  s.program().body.push_back(s.update(map, s.arg(1), s.arg(0)));
  LOAD(bpf, s);
  for (uint64_t i = 0; i < 10; ++i) bpf->run({100, i & 1});
  auto words = bpf->words("h", 1);
  ASSERT_EQ(words.size(), hist_buckets(0) + 1);
  EXPECT_EQ(words[hist_bucket(100, 0)], 5u);
  EXPECT_EQ(words.back(), 500u);
}

TEST(Aggregates, LinearHistBucketsAreTheRuntimes) {
  struct Range {
    int64_t min, max, step;
  };
  for (Range r : {Range{0, 100, 10}, Range{-50, 50, 5}, Range{1000, 5000, 1000}}) {
    Script s;
    uint32_t map = s.aggregate_map("h", nullptr, s.types.lhist(s.i64(), r.min, r.max, r.step));
    s.program().body.push_back(s.update(map, nullptr, s.arg(0)));
    LOAD(bpf, s);
    std::vector<uint64_t> wanted(lhist_buckets(r.min, r.max, r.step));
    uint64_t sum = 0;
    std::vector<int64_t> values = interesting_values();
    for (int64_t v = r.min - 2 * r.step; v < r.max + 2 * r.step; v += r.step / 5) values.push_back(v);
    for (int64_t value : values) {
      bpf->run({static_cast<uint64_t>(value)});
      ++wanted[lhist_bucket(value, r.min, r.max, r.step)];
      sum += static_cast<uint64_t>(value);
    }
    wanted.push_back(sum);
    EXPECT_EQ(bpf->words("h", 0), wanted);
  }
}

// Every kind is updated with some numbers and read back by a program.
class ReadBack : public ::testing::TestWithParam<std::tuple<AggregateKind, bool, bool>> {};

TEST_P(ReadBack, OverAllCpus) {
  auto [kind, is_signed, keyed] = GetParam();
  Script s;
  const Type *type = s.types.aggregate(kind, is_signed ? s.i64() : s.u64());
  uint32_t map = s.aggregate_map("a", keyed ? s.i64() : nullptr, type);
  uint32_t result = s.plain_map("r", nullptr, s.i64());
  auto key = [&]() -> ValuePtr { return keyed ? s.number(3) : nullptr; };
  s.program("add").body.push_back(s.update(map, key(), kind == AggregateKind::Count ? nullptr : s.arg(0)));
  auto get = make<AggregateGet>(s.i64());
  get->map = map;
  get->key = key();
  s.program("read").body.push_back(s.map_set(result, nullptr, std::move(get)));
  LOAD(bpf, s);
  bpf->run({}, "read");
  EXPECT_EQ(bpf->scalar("r"), 0u);
  for (int64_t value : {20, -4, 5, 0, 30}) bpf->run({static_cast<uint64_t>(value)}, "add");
  bpf->run({}, "read");
  int64_t wanted = 0;
  switch (kind) {
    case AggregateKind::Count: wanted = 5; break;
    case AggregateKind::Sum: wanted = 51; break;
    case AggregateKind::Min: wanted = is_signed ? -4 : 0; break;
    case AggregateKind::Max: wanted = is_signed ? 30 : -4; break;
    default: wanted = 10; break;
  }
  EXPECT_EQ(static_cast<int64_t>(bpf->scalar("r")), wanted);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReadBack,
                         ::testing::Combine(::testing::Values(AggregateKind::Count, AggregateKind::Sum,
                                                              AggregateKind::Min, AggregateKind::Max,
                                                              AggregateKind::Avg),
                                            ::testing::Bool(), ::testing::Bool()));

TEST(Aggregates, ExtremesOfOneSign) {
  for (AggregateKind kind : {AggregateKind::Min, AggregateKind::Max}) {
    for (int64_t sign : {1, -1}) {
      Script s;
      uint32_t map = s.aggregate_map("a", nullptr, s.types.aggregate(kind, s.i64()));
      s.program().body.push_back(s.update(map, nullptr, s.arg(0)));
      LOAD(bpf, s);
      for (int64_t value : {7, 3, 9}) bpf->run({static_cast<uint64_t>(value * sign)});
      bool large = (kind == AggregateKind::Max) == (sign > 0);
      // All runs are on one CPU or their values could be added up: test_run stays on the caller's CPU.
      EXPECT_EQ(static_cast<int64_t>(bpf->scalar("a")), sign * (large ? 9 : 3));
    }
  }
}

TEST(Aggregates, ScalarIsClearedOnAllCpus) {
  Script s;
  uint32_t map = s.aggregate_map("a", nullptr, s.types.aggregate(AggregateKind::Sum, s.i64()));
  s.program("add").body.push_back(s.update(map, nullptr, s.arg(0)));
  auto remove = make<MapRemove>(s.i64());
  remove->map = map;
  s.program("clear").body.push_back(s.evaluate(std::move(remove)));
  LOAD(bpf, s);
  bpf->run({5}, "add");
  bpf->run({}, "clear");
  EXPECT_EQ(bpf->words("a", 0), (std::vector<uint64_t>{0, 0}));
}

}  // namespace
}  // namespace awl::testing
