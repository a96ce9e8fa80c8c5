// Reading BPF maps from user space: in batches, merged over CPUs, sorted for printing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/image/manifest.h"
#include "runtime/output/output.h"

namespace awl {

// A loaded map.
struct LoadedMap {
  const MapInfo *info = nullptr;
  int fd = -1;
  int other_fd = -1;               // of a map with a twin: the side that programs do not use
  const MapInfo *parts = nullptr;  // MapInfo::parts
  int parts_fd = -1;
  int other_parts_fd = -1;
};

// All entries, each key once even while programs go on changing the map (batch lookups where the kernel has
// them for this type of map, get_next_key with a seen-set otherwise); per-CPU values merged. Entries of a scalar
// map that was never set are left out.
Result<std::vector<MapEntry>> read_map(const LoadedMap &map);
// One entry, nullopt if there is none. The key of a scalar map is ignored.
Result<std::optional<MapEntry>> read_entry(const LoadedMap &map, std::span<const std::byte> key);

// Deletes all entries (scalar: marks unset). Zero keeps the keys.
Result<void> clear_map(const LoadedMap &map);
Result<void> zero_map(const LoadedMap &map);
// Inserts the keys of one map into another with zeros as values, unless they are there.
Result<void> copy_keys(const LoadedMap &from, const LoadedMap &to);

// Printing order, that of bpftrace: counts and integers ascending by value, min/max by value, avg and stats by average,
// histograms by total, everything else by key. `top` keeps the last entries only. Equal ones stand in key order.
void sort_entries(const MapInfo &info, std::vector<MapEntry> &entries, uint32_t top);

// Merges the values of all CPUs (`raw`: per CPU value_size rounded up to 8) into one of value_size.
std::vector<std::byte> merge_cpus(const MapInfo &info, std::span<const std::byte> raw);

// Order of two keys or values by their type: numbers by their signedness, strings bytewise, tuples field by field.
// < 0, 0, > 0.
int compare_values(const Type *type, std::span<const std::byte> a, std::span<const std::byte> b);

// True if the (merged) value of a scalar map was ever set.
bool is_set(const MapInfo &info, std::span<const std::byte> value);

}  // namespace awl
