#include "runtime/unwind/prefixes.h"

#include <gtest/gtest.h>

#include <random>

namespace awl::runtime::unwind {
namespace {

bool begins_with(uint64_t address, const Prefix &prefix) {
  return prefix.length == 0 || ((address ^ prefix.address) >> (64 - prefix.length)) == 0;
}

// The range of the longest prefix, as the trie finds it.
size_t found(const std::vector<Prefix> &prefixes, uint64_t address) {
  const Prefix *best = nullptr;
  for (const Prefix &prefix : prefixes)
    if (begins_with(address, prefix) && (!best || prefix.length > best->length)) best = &prefix;
  return best ? best->range : SIZE_MAX;
}

void expect_found(const std::vector<AddressRange> &ranges, const std::vector<Prefix> &prefixes) {
  for (size_t i = 0; i < ranges.size(); i++)
    for (const uint64_t address :
         {ranges[i].start, ranges[i].start + (ranges[i].end - ranges[i].start) / 2, ranges[i].end - 1})
      EXPECT_EQ(found(prefixes, address), i) << std::hex << address;
}

TEST(Prefixes, OneRangeHasTheWholeProcess) {
  const auto prefixes = prefixes_of({{0x400000, 0x401000}});
  ASSERT_EQ(prefixes.size(), 1U);
  EXPECT_EQ(prefixes[0].length, 0U);
}

TEST(Prefixes, NeighboursAreToldApart) {
  const std::vector<AddressRange> ranges = {{0x1000, 0x2000}, {0x2000, 0x7000}, {0x7000, 0x8000}};
  const auto prefixes = prefixes_of(ranges);
  expect_found(ranges, prefixes);
  EXPECT_EQ(prefixes.size(), 5U);  // 0-1fff, 2000-3fff, 4000-5fff, 6000-6fff, 7000-
}

TEST(Prefixes, EndsOfTheAddressSpace) {
  const std::vector<AddressRange> ranges = {{0, 1}, {1, 2}, {0xfffffffffffffffe, 0xffffffffffffffff}};
  expect_found(ranges, prefixes_of(ranges));
}

TEST(Prefixes, AnyRanges) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; round++) {
    std::vector<AddressRange> ranges;
    uint64_t at = 0x7f0000000000;
    for (int i = 0; i < 50; i++) {
      at += random() % 4 * 0x1000;
      const uint64_t end = at + (1 + random() % 300) * 0x1000;
      ranges.push_back({at, end});
      at = end;
    }
    expect_found(ranges, prefixes_of(ranges));
  }
}

TEST(Prefixes, AreFew) {
  // as the loader places libraries: code between read-only data and data
  std::vector<AddressRange> ranges;
  std::mt19937_64 random(1);
  for (uint64_t at = 0x7f0000000000; ranges.size() < 100;) {
    at += (1 + random() % 100) * 0x1000;
    ranges.push_back({at, at + (1 + random() % 300) * 0x1000});
    at = ranges.back().end + (1 + random() % 60) * 0x1000;
  }
  EXPECT_LT(prefixes_of(ranges).size(), 350U);
}

}  // namespace
}  // namespace awl::runtime::unwind
