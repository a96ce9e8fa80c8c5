// Values of several CPUs become one; the result has the layout of one CPU's value.
#include <algorithm>
#include <cstring>

#include "runtime/maps/map_reader.h"
#include "runtime/output/aggregate.h"
#include "runtime/output/value_parts.h"

namespace awl {

namespace {

// Sums of 64-bit words. Sums wrap around as the programs' own do.
void add_words(std::vector<std::byte> &merged, std::span<const std::byte> value) {
  for (size_t at = 0; at + 8 <= merged.size(); at += 8) {
    uint64_t sum = load<uint64_t>(merged, at) + load<uint64_t>(value, at);
    std::memcpy(merged.data() + at, &sum, 8);
  }
}

void merge_sum(std::vector<std::byte> &merged, std::span<const std::byte> value) {
  uint64_t total = load<uint64_t>(merged, 0) + load<uint64_t>(value, 0);
  uint64_t set = load<uint64_t>(merged, 8) | load<uint64_t>(value, 8);
  std::memcpy(merged.data(), &total, 8);
  std::memcpy(merged.data() + 8, &set, 8);
}

void merge_extreme(const Type &type, std::vector<std::byte> &merged, std::span<const std::byte> value) {
  if (!load<uint64_t>(value, 8)) return;
  auto mine = load<uint64_t>(merged);
  auto theirs = load<uint64_t>(value);
  bool less = aggregate_is_signed(type) ? static_cast<int64_t>(theirs) < static_cast<int64_t>(mine) : theirs < mine;
  bool better = type.aggregate == AggregateKind::Min ? less : !less;
  if (load<uint64_t>(merged, 8) && !better) return;
  std::copy_n(value.begin(), std::min<size_t>(16, value.size()), merged.begin());
}

// Slots of the same interval are put together, of different ones the later is kept.
void merge_series(const Type &type, std::vector<std::byte> &merged, std::span<const std::byte> value) {
  bool is_signed = aggregate_is_signed(type);
  auto less = [&](uint64_t a, uint64_t b) {
    return is_signed ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
  };
  for (size_t at = 0; at + kSeriesSlotSize <= std::min(merged.size(), value.size()); at += kSeriesSlotSize) {
    uint64_t mine[3], theirs[3];
    std::memcpy(mine, merged.data() + at, sizeof(mine));
    std::memcpy(theirs, value.data() + at, sizeof(theirs));
    auto &[epoch, number, extra] = mine;
    if (theirs[2] == 0 || theirs[0] < epoch) continue;
    if (theirs[0] > epoch || extra == 0) {
      std::memcpy(merged.data() + at, theirs, sizeof(theirs));
      continue;
    }
    bool take = false;
    switch (type.series) {
      case SeriesKind::Last: take = theirs[2] > extra; break;
      case SeriesKind::Max: take = less(number, theirs[1]); break;
      case SeriesKind::Min: take = less(theirs[1], number); break;
      case SeriesKind::Avg: extra += theirs[2]; [[fallthrough]];
      case SeriesKind::Sum: number += theirs[1]; break;
    }
    if (take) std::memcpy(mine, theirs, sizeof(mine));
    std::memcpy(merged.data() + at, mine, sizeof(mine));
  }
}

void merge_integer(const Type &type, std::vector<std::byte> &merged, std::span<const std::byte> value) {
  uint64_t sum = load<uint64_t>(part_of(merged, 0, type.size)) + load<uint64_t>(part_of(value, 0, type.size));
  std::memcpy(merged.data(), &sum, std::min<size_t>(type.size, 8));
}

bool any_byte(std::span<const std::byte> bytes) {
  return std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; });
}

void merge_one(const Type &type, std::vector<std::byte> &merged, std::span<const std::byte> value) {
  if (type.kind == TypeKind::Int && !has_display(type)) return merge_integer(type, merged, value);
  if (type.kind != TypeKind::Aggregate) {
    // A plain value in a per-CPU map: there is no sum of them, so the first one that was set is shown.
    if (!any_byte(merged)) std::ranges::copy(value, merged.begin());
    return;
  }
  switch (type.aggregate) {
    case AggregateKind::Sum: return merge_sum(merged, value);
    case AggregateKind::Min:
    case AggregateKind::Max: return merge_extreme(type, merged, value);
    case AggregateKind::Count:
    case AggregateKind::Avg:
    case AggregateKind::Stats:
    case AggregateKind::Hist:
    case AggregateKind::LHist: return add_words(merged, value);
    case AggregateKind::TSeries: return merge_series(type, merged, value);
  }
}

}  // namespace

std::vector<std::byte> merge_cpus(const MapInfo &info, std::span<const std::byte> raw) {
  std::vector<std::byte> merged(info.value_size);
  if (!info.value || info.value_size == 0) return merged;
  size_t stride = (size_t{info.value_size} + 7) / 8 * 8;
  // The layouts of aggregates need their words even if the map's value were declared smaller.
  if (info.value->kind == TypeKind::Aggregate && merged.size() < info.value->size) merged.resize(info.value->size);
  for (size_t at = 0; at + info.value_size <= raw.size(); at += stride)
    merge_one(*info.value, merged, raw.subspan(at, info.value_size));
  return merged;
}

bool is_set(const MapInfo &info, std::span<const std::byte> value) {
  if (!info.value) return false;
  const Type &type = *info.value;
  if (type.kind != TypeKind::Aggregate) return load<uint64_t>(value, (size_t{type.size} + 7) / 8 * 8) != 0;
  switch (type.aggregate) {
    case AggregateKind::Count:
    case AggregateKind::Avg:
    case AggregateKind::Stats: return load<uint64_t>(value) != 0;
    case AggregateKind::Sum:
    case AggregateKind::Min:
    case AggregateKind::Max: return load<uint64_t>(value, 8) != 0;
    case AggregateKind::Hist:
    case AggregateKind::LHist:
    case AggregateKind::TSeries: break;
  }
  return any_byte(value);
}

}  // namespace awl
