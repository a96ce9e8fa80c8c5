#include <gtest/gtest.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "runtime/maps/map_reader.h"
#include "unit/output/values.h"

namespace awl {
namespace {

using test::buckets;
using test::Bytes;

MapInfo info_of(const Type *key, const Type *value, bool per_cpu = false) {
  MapInfo info;
  info.name = "@x";
  info.key = key;
  info.value = value;
  info.value_size = key || value->kind == TypeKind::Aggregate ? value->size : (value->size + 7) / 8 * 8 + 8;
  info.per_cpu = per_cpu;
  info.max_entries = key ? 1024 : 1;
  return info;
}

std::vector<std::byte> number(int64_t n) { return Bytes().put(n); }

class MergeTest : public testing::Test {
 protected:
  std::vector<int64_t> merge(const Type *type, std::vector<int64_t> words) {
    MapInfo info = info_of(types.int64(), type, true);
    Bytes raw;
    for (int64_t word : words) raw.put(word);
    std::vector<std::byte> merged = merge_cpus(info, raw.get());
    std::vector<int64_t> out(merged.size() / 8);
    std::memcpy(out.data(), merged.data(), out.size() * 8);
    return out;
  }
  using Words = std::vector<int64_t>;
  test::Types types;
};

TEST_F(MergeTest, CountSumAvg) {
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Count), {1, 2, 3}), Words({6}));
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Sum), {5, 1, 0, 0, -9, 1}), Words({-4, 1}));
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Sum), {0, 0, 0, 0}), Words({0, 0}));
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Stats), {1, 10, 0, 0, 2, -4}), Words({3, 6}));
}

TEST_F(MergeTest, MinMaxLookAtSetValuesOnly) {
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Min), {0, 0, 5, 1, 7, 1}), Words({5, 1}));
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Min), {3, 1, -5, 1}), Words({-5, 1}));
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Max), {-7, 1, -5, 1, 0, 0}), Words({-5, 1}));
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Max, false), {3, 1, -5, 1}), Words({-5, 1})) << "unsigned";
  EXPECT_EQ(merge(types.aggregate(AggregateKind::Max), {0, 0, 0, 0}), Words({0, 0}));
}

TEST_F(MergeTest, PlainIntegersAreSummed) { EXPECT_EQ(merge(types.int64(), {1, 0, 5}), Words({6})); }

TEST_F(MergeTest, Histograms) {
  const Type *type = types.hist(0);
  MapInfo info = info_of(types.int64(), type, true);
  std::vector<std::byte> raw = buckets(type, {{0, 1}, {3, 5}}), second = buckets(type, {{3, 6}});
  raw.insert(raw.end(), second.begin(), second.end());
  EXPECT_EQ(merge_cpus(info, raw), buckets(type, {{0, 1}, {3, 11}}));
}

class SortTest : public testing::Test {
 protected:
  // Keys 0, 1, ... with these values; the keys in printing order.
  std::vector<int64_t> order(const Type *value, const std::vector<std::vector<std::byte>> &values, uint32_t top = 0) {
    MapInfo info = info_of(types.int64(), value);
    std::vector<MapEntry> entries;
    for (size_t i = 0; i < values.size(); i++) entries.push_back({number(static_cast<int64_t>(i)), values[i]});
    sort_entries(info, entries, top);
    std::vector<int64_t> keys;
    for (const MapEntry &entry : entries) std::memcpy(&keys.emplace_back(), entry.key.data(), 8);
    return keys;
  }
  using Keys = std::vector<int64_t>;
  test::Types types;
};

TEST_F(SortTest, ByValue) {
  EXPECT_EQ(order(types.int64(), {number(1), number(5), number(-2)}), Keys({2, 0, 1}));
  EXPECT_EQ(order(types.uint64(), {number(1), number(5), number(-2)}), Keys({0, 1, 2}));
  EXPECT_EQ(order(types.aggregate(AggregateKind::Count), {number(3), number(1)}), Keys({1, 0}));
  const Type *sum = types.aggregate(AggregateKind::Sum);
  EXPECT_EQ(order(sum, {Bytes().put<int64_t>(3).put<int64_t>(1), Bytes().put<int64_t>(-3).put<int64_t>(1)}),
            Keys({1, 0}));
}

TEST_F(SortTest, MinMaxBySign) {
  std::vector<std::vector<std::byte>> values = {Bytes().put<int64_t>(3).put<int64_t>(1),
                                                Bytes().put<int64_t>(-3).put<int64_t>(1)};
  EXPECT_EQ(order(types.aggregate(AggregateKind::Max), values), Keys({1, 0}));
  EXPECT_EQ(order(types.aggregate(AggregateKind::Min, false), values), Keys({0, 1}));
}

TEST_F(SortTest, ByAverageAndTotal) {
  const Type *avg = types.aggregate(AggregateKind::Avg);
  EXPECT_EQ(order(avg, {Bytes().put<int64_t>(10).put<int64_t>(20), Bytes().put<int64_t>(1).put<int64_t>(1)}),
            Keys({1, 0}));
  const Type *hist = types.hist(0);
  EXPECT_EQ(order(hist, {buckets(hist, {{1, 5}, {2, 5}}), buckets(hist, {{1, 9}}), buckets(hist, {{60, 20}})}),
            Keys({1, 0, 2}));
}

TEST_F(SortTest, TopKeepsTheLast) {
  EXPECT_EQ(order(types.int64(), {number(1), number(5), number(2)}, 2), Keys({2, 1}));
  EXPECT_EQ(order(types.int64(), {number(1), number(5)}, 7), Keys({0, 1}));
}

TEST_F(SortTest, EqualValuesByKey) {
  EXPECT_EQ(order(types.int64(), {number(1), number(1), number(1)}), Keys({0, 1, 2}));
}

TEST_F(SortTest, OthersByKey) {
  MapInfo info = info_of(types.tuple({types.integer(4, true), types.string(8)}), types.string(8));
  auto key = [](int32_t n, std::string_view text) { return Bytes().put(n).align(8).text(text, 8).get(); };
  std::vector<MapEntry> entries = {{key(1, "b"), {}}, {key(1, "a"), {}}, {key(-1, "z"), {}}};
  sort_entries(info, entries, 0);
  EXPECT_EQ(entries[0].key, key(-1, "z"));
  EXPECT_EQ(entries[1].key, key(1, "a"));
  EXPECT_EQ(entries[2].key, key(1, "b"));
}

TEST_F(SortTest, CompareByType) {
  EXPECT_GT(compare_values(types.uint64(), number(-1), number(1)), 0);
  EXPECT_LT(compare_values(types.int64(), number(-1), number(1)), 0);
  EXPECT_LT(compare_values(types.string(8), Bytes().text("ab\0zz", 8).get(), Bytes().text("b", 8).get()), 0);
  EXPECT_EQ(
      compare_values(types.string(8), Bytes().text(std::string_view("a\0x", 3), 8).get(), Bytes().text("a", 8).get()),
      0);
  EXPECT_GT(compare_values(types.string(8), Bytes().text("\xff", 8).get(), Bytes().text("a", 8).get()), 0);
}

// A map of the running kernel; tests are skipped where that is not allowed.
class KernelMapTest : public testing::Test {
 protected:
  ~KernelMapTest() override {
    for (int fd : fds_) close(fd);
  }
  LoadedMap create(bpf_map_type type, const MapInfo &info) {
    bpf_map_create_opts options{};
    options.sz = sizeof(options);
    uint32_t key_size = info.key ? info.key->size : 4;
    int fd = bpf_map_create(type, "awl_test", key_size, info.value_size, info.max_entries, &options);
    if (fd >= 0) fds_.push_back(fd);
    return {&info, fd};
  }
  static std::vector<std::byte> all_cpus(const MapInfo &info, const std::vector<std::vector<std::byte>> &values) {
    size_t stride = (info.value_size + 7) / 8 * 8;
    std::vector<std::byte> raw(stride * static_cast<size_t>(libbpf_num_possible_cpus()));
    for (size_t i = 0; i < values.size() && (i + 1) * stride <= raw.size(); i++)
      std::ranges::copy(values[i], raw.begin() + static_cast<ptrdiff_t>(i * stride));
    return raw;
  }
  static void set(const LoadedMap &map, const std::vector<std::byte> &key, const std::vector<std::byte> &value) {
    ASSERT_EQ(bpf_map_update_elem(map.fd, key.data(), value.data(), BPF_ANY), 0) << strerror(errno);
  }
  static int64_t word(const std::vector<std::byte> &bytes, size_t index = 0) {
    int64_t value = 0;
    std::memcpy(&value, bytes.data() + index * 8, 8);
    return value;
  }

  test::Types types;
  const std::vector<std::byte> zero_key = Bytes().put<uint32_t>(0);

 private:
  std::vector<int> fds_;
};

#define CREATE_OR_SKIP(map, type, info) \
  LoadedMap map = create(type, info);   \
  if (map.fd < 0) GTEST_SKIP() << "no maps here: " << strerror(errno)

TEST_F(KernelMapTest, Hash) {
  MapInfo info = info_of(types.int64(), types.int64());
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_HASH, info);
  EXPECT_TRUE(read_map(map)->empty());
  for (int64_t i = 0; i < 1000; i++) set(map, number(i), number(i * 2));
  Result<std::vector<MapEntry>> entries = read_map(map);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 1000U);
  sort_entries(info, *entries, 0);
  for (int64_t i = 0; i < 1000; i++) {
    EXPECT_EQ(word((*entries)[static_cast<size_t>(i)].key), i);
    EXPECT_EQ(word((*entries)[static_cast<size_t>(i)].value), i * 2);
  }
  EXPECT_EQ(word((*read_entry(map, number(7)))->value), 14);
  EXPECT_FALSE(read_entry(map, number(7000))->has_value());
  ASSERT_TRUE(zero_map(map));
  EXPECT_EQ(read_map(map)->size(), 1000U);
  EXPECT_EQ(word((*read_entry(map, number(7)))->value), 0);
  ASSERT_TRUE(clear_map(map));
  EXPECT_TRUE(read_map(map)->empty());
}

TEST_F(KernelMapTest, PerCpuHash) {
  MapInfo info = info_of(types.string(5), types.aggregate(AggregateKind::Stats), true);
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_PERCPU_HASH, info);
  set(map, Bytes().text("ab", 5),
      all_cpus(info, {Bytes().put<int64_t>(2).put<int64_t>(5), Bytes().put<int64_t>(1).put<int64_t>(6)}));
  Result<std::vector<MapEntry>> entries = read_map(map);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 1U);
  bool several = libbpf_num_possible_cpus() > 1;
  EXPECT_EQ(word((*entries)[0].value, 0), several ? 3 : 2);
  EXPECT_EQ(word((*entries)[0].value, 1), several ? 11 : 5);
  EXPECT_EQ((*entries)[0].key, Bytes().text("ab", 5).get());
  ASSERT_TRUE(zero_map(map));
  EXPECT_EQ(word((*read_map(map))[0].value, 0), 0);
  ASSERT_TRUE(clear_map(map));
  EXPECT_TRUE(read_map(map)->empty());
}

TEST_F(KernelMapTest, LruHash) {
  MapInfo info = info_of(types.int64(), types.int64());
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_LRU_HASH, info);
  set(map, number(1), number(2));
  EXPECT_EQ(read_map(map)->size(), 1U);
  ASSERT_TRUE(clear_map(map));
  EXPECT_TRUE(read_map(map)->empty());
}

TEST_F(KernelMapTest, Scalar) {
  MapInfo info = info_of(nullptr, types.integer(4, true));
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_ARRAY, info);
  EXPECT_TRUE(read_map(map)->empty()) << "never set";
  EXPECT_FALSE(read_entry(map, {})->has_value());
  set(map, zero_key, Bytes().put<int64_t>(-3).put<uint64_t>(1));
  ASSERT_EQ(read_map(map)->size(), 1U);
  EXPECT_TRUE((*read_map(map))[0].key.empty());
  ASSERT_TRUE(zero_map(map));
  ASSERT_EQ(read_map(map)->size(), 1U) << "0 but set";
  EXPECT_EQ(word((*read_map(map))[0].value), 0);
  ASSERT_TRUE(clear_map(map));
  EXPECT_TRUE(read_map(map)->empty());
  ASSERT_TRUE(zero_map(map));
  EXPECT_TRUE(read_map(map)->empty()) << "zero() does not set what was not set";
}

TEST_F(KernelMapTest, ScalarAggregate) {
  MapInfo info = info_of(nullptr, types.aggregate(AggregateKind::Sum), true);
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_PERCPU_ARRAY, info);
  EXPECT_TRUE(read_map(map)->empty());
  set(map, zero_key,
      all_cpus(info, {Bytes().put<int64_t>(5).put<int64_t>(1), Bytes().put<int64_t>(-5).put<int64_t>(1)}));
  ASSERT_EQ(read_map(map)->size(), 1U) << "a sum of 0 is set";
  ASSERT_TRUE(zero_map(map));
  ASSERT_EQ(read_map(map)->size(), 1U);
  EXPECT_EQ(word((*read_map(map))[0].value), 0);
  ASSERT_TRUE(clear_map(map));
  EXPECT_TRUE(read_map(map)->empty());
}

TEST_F(KernelMapTest, LargeValuesAndManyEntries) {
  MapInfo info = info_of(types.int64(), types.hist(5), true);
  info.max_entries = 200;
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_PERCPU_HASH, info);
  for (int64_t i = 0; i < 200; i++)
    set(map, number(i), all_cpus(info, {buckets(info.value, {{static_cast<uint32_t>(i), 1}})}));
  Result<std::vector<MapEntry>> entries = read_map(map);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 200U);
  for (const MapEntry &entry : *entries) EXPECT_EQ(word(entry.value, static_cast<size_t>(word(entry.key))), 1);
}

// While another thread keeps deleting and adding, each key comes once at most and the permanent ones come all.
TEST_F(KernelMapTest, ChangedWhileRead) {
  MapInfo info = info_of(types.int64(), types.int64());
  info.max_entries = 4096;
  CREATE_OR_SKIP(map, BPF_MAP_TYPE_HASH, info);
  for (int64_t i = 0; i < 500; i++) set(map, number(i), number(1));
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    for (int64_t i = 0; !stop; i = (i + 1) % 2000) {
      set(map, number(1000 + i), number(1));
      bpf_map_delete_elem(map.fd, number(1000 + (i + 1000) % 2000).data());
    }
  });
  for (int round = 0; round < 50; round++) {
    Result<std::vector<MapEntry>> entries = read_map(map);
    ASSERT_TRUE(entries);
    std::set<int64_t> keys;
    for (const MapEntry &entry : *entries) EXPECT_TRUE(keys.insert(word(entry.key)).second) << "twice";
    for (int64_t i = 0; i < 500; i++) EXPECT_TRUE(keys.contains(i)) << i;
  }
  stop = true;
  changer.join();
}

TEST_F(KernelMapTest, BadDescriptor) {
  MapInfo info = info_of(types.int64(), types.int64());
  Result<std::vector<MapEntry>> entries = read_map({&info, -1});
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().message, "read @x: Bad file descriptor");
}

}  // namespace
}  // namespace awl
