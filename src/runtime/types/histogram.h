// Buckets of hist() and lhist(): which bucket a value falls into, and the bounds of a bucket. The
// programs compute the same in BPF (codegen); tests hold one against the other.
#pragma once

#include <bit>
#include <cstdint>

#include "runtime/types/type.h"

namespace awl {

// hist(n, bits): bucket 0 holds n < 0, then come values below 2^(bits + 1) one by one (bucket 1 + n), then each
// power of two is cut into 2^bits buckets. With bits = 0: [0] [1] [2, 4) [4, 8) ...
//
// Bucket 1 + i starts at hist_start(i): i itself while that is exact, else the leading bit and the `bits`
// bits behind it, which are the low bits of i, shifted to their place.
constexpr uint64_t hist_start(uint32_t i, uint32_t bits) {
  if (i < (1U << bits)) return i;
  uint32_t shift = (i >> bits) - 1;
  uint64_t mantissa = (1ULL << bits) | (i & ((1U << bits) - 1));
  return mantissa << shift;
}

constexpr uint32_t hist_bucket(int64_t value, uint32_t bits) {
  if (value < 0) return 0;
  auto n = static_cast<uint64_t>(value);
  if (n < (1ULL << bits)) return 1 + static_cast<uint32_t>(n);
  uint32_t shift = static_cast<uint32_t>(std::bit_width(n)) - 1 - bits;
  return 1 + (shift << bits) + static_cast<uint32_t>(n >> shift);
}

struct BucketBounds {
  bool open_low = false;  // from minus infinity
  bool open_high = false;
  int64_t low = 0;   // inclusive
  int64_t high = 0;  // exclusive; low + 1 for a single value

  [[nodiscard]] constexpr bool single() const { return !open_low && !open_high && high == low + 1; }
};

constexpr BucketBounds hist_bounds(uint32_t bucket, uint32_t bits) {
  if (bucket == 0) return {true, false, 0, 0};
  BucketBounds bounds;
  bounds.low = static_cast<int64_t>(hist_start(bucket - 1, bits));
  // The last bucket ends at 2^63, which is no int64.
  bounds.open_high = bucket + 1 >= hist_buckets(bits);
  bounds.high = bounds.open_high ? INT64_MAX : static_cast<int64_t>(hist_start(bucket, bits));
  return bounds;
}

// lhist(n, min, max, step): bucket 0 holds n < min, the last n >= min + step * ((max - min) / step).
constexpr uint32_t lhist_bucket(int64_t value, int64_t min, int64_t max, int64_t step) {
  if (value < min) return 0;
  if (value > max) value = max;
  return 1 + static_cast<uint32_t>((value - min) / step);
}

constexpr BucketBounds lhist_bounds(uint32_t bucket, int64_t min, int64_t max, int64_t step) {
  if (bucket == 0) return {true, false, 0, min};
  int64_t low = min + static_cast<int64_t>(bucket - 1) * step;
  if (bucket + 1 >= lhist_buckets(min, max, step)) return {false, true, low, 0};
  return {false, false, low, low + step};
}

}  // namespace awl
