#include "runtime/types/histogram.h"

#include <gtest/gtest.h>

#include <vector>

namespace awl {
namespace {

TEST(Hist, BucketsOfBpftrace) {
  EXPECT_EQ(hist_bucket(-1, 0), 0U);
  EXPECT_EQ(hist_bucket(INT64_MIN, 0), 0U);
  EXPECT_EQ(hist_bucket(0, 0), 1U);
  EXPECT_EQ(hist_bucket(1, 0), 2U);
  EXPECT_EQ(hist_bucket(2, 0), 3U);
  EXPECT_EQ(hist_bucket(3, 0), 3U);
  EXPECT_EQ(hist_bucket(4, 0), 4U);
  EXPECT_EQ(hist_bucket(100000, 0), 18U);
  EXPECT_EQ(hist_bucket(INT64_MAX, 0), 64U);
}

// For bits = 2 buckets are 0 1 2 3 4 5 6 7 [8, 10) [10, 12) [12, 14) [14, 16) [16, 20) ...
TEST(Hist, BitsCutPowersOfTwo) {
  for (int64_t n = 0; n < 8; n++) EXPECT_EQ(hist_bucket(n, 2), 1 + n);
  EXPECT_EQ(hist_bucket(8, 2), 9U);
  EXPECT_EQ(hist_bucket(9, 2), 9U);
  EXPECT_EQ(hist_bucket(10, 2), 10U);
  EXPECT_EQ(hist_bucket(16, 2), 13U);
  EXPECT_EQ(hist_bounds(13, 2).low, 16);
  EXPECT_EQ(hist_bounds(13, 2).high, 20);
}

class HistBits : public testing::TestWithParam<uint32_t> {};

TEST_P(HistBits, BoundsAndBucketsAgree) {
  uint32_t bits = GetParam();
  uint32_t count = hist_buckets(bits);
  EXPECT_EQ(hist_bucket(INT64_MAX, bits), count - 1) << "the last bucket is used, and none behind it";
  EXPECT_TRUE(hist_bounds(0, bits).open_low);
  EXPECT_EQ(hist_bounds(0, bits).high, 0);
  for (uint32_t bucket = 1; bucket < count; bucket++) {
    BucketBounds bounds = hist_bounds(bucket, bits);
    EXPECT_FALSE(bounds.open_low);
    EXPECT_EQ(hist_bucket(bounds.low, bits), bucket);
    EXPECT_EQ(hist_bucket(bounds.low - 1, bits), bucket - 1);
    EXPECT_EQ(bounds.open_high, bucket + 1 == count);
    if (bounds.open_high) continue;
    EXPECT_GT(bounds.high, bounds.low);
    EXPECT_EQ(hist_bucket(bounds.high - 1, bits), bucket);
    EXPECT_EQ(hist_bucket(bounds.high, bits), bucket + 1);
    EXPECT_EQ(bounds.single(), bounds.low + 1 == bounds.high);
  }
}

// The index as bpftrace's documentation computes it: leading bit, then the next `bits` bits.
TEST_P(HistBits, MantissaAndShift) {
  uint32_t bits = GetParam();
  for (uint32_t power = bits; power < 63; power++)
    for (uint64_t part = 0; part < (1U << bits); part++) {
      uint64_t n = ((1ULL << bits) + part) << (power - bits);
      uint64_t index = ((power - bits + 1) << bits) + part;
      ASSERT_EQ(hist_bucket(static_cast<int64_t>(n), bits), index + 1) << n;
    }
}

INSTANTIATE_TEST_SUITE_P(All, HistBits, testing::Values(0, 1, 2, 3, 4, 5));

TEST(LHist, Buckets) {
  EXPECT_EQ(lhist_bucket(-5, 0, 100, 10), 0U);
  EXPECT_EQ(lhist_bucket(0, 0, 100, 10), 1U);
  EXPECT_EQ(lhist_bucket(9, 0, 100, 10), 1U);
  EXPECT_EQ(lhist_bucket(10, 0, 100, 10), 2U);
  EXPECT_EQ(lhist_bucket(99, 0, 100, 10), 10U);
  EXPECT_EQ(lhist_bucket(100, 0, 100, 10), 11U);
  EXPECT_EQ(lhist_bucket(INT64_MAX, 0, 100, 10), 11U);
  EXPECT_EQ(lhist_bucket(INT64_MIN, 0, 100, 10), 0U);
}

// A step that does not divide the range leaves a shorter last interval, which is open.
TEST(LHist, UnevenStep) {
  EXPECT_EQ(lhist_buckets(0, 10, 3), 5U);
  EXPECT_EQ(lhist_bucket(8, 0, 10, 3), 3U);
  EXPECT_EQ(lhist_bucket(9, 0, 10, 3), 4U);
  EXPECT_EQ(lhist_bucket(1000, 0, 10, 3), 4U);
  EXPECT_TRUE(lhist_bounds(4, 0, 10, 3).open_high);
  EXPECT_EQ(lhist_bounds(4, 0, 10, 3).low, 9);
}

TEST(LHist, BoundsAndBucketsAgree) {
  for (int64_t min : {0, 7, 1000})
    for (int64_t range : {1, 10, 999})
      for (int64_t step : {1, 3, 10}) {
        if (step > range) continue;
        int64_t max = min + range;
        uint32_t count = lhist_buckets(min, max, step);
        for (uint32_t bucket = 1; bucket < count; bucket++) {
          BucketBounds bounds = lhist_bounds(bucket, min, max, step);
          ASSERT_EQ(lhist_bucket(bounds.low, min, max, step), bucket);
          ASSERT_EQ(lhist_bucket(bounds.low - 1, min, max, step), bucket - 1);
          if (bucket + 1 == count)
            ASSERT_TRUE(bounds.open_high);
          else
            ASSERT_EQ(lhist_bucket(bounds.high - 1, min, max, step), bucket);
        }
      }
}

}  // namespace
}  // namespace awl
