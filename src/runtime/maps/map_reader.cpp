#include "runtime/maps/map_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "runtime/output/value_parts.h"

namespace awl {

namespace {

size_t round_up8(size_t size) { return (size + 7) / 8 * 8; }

// Sizes of a map's entry as the system calls take them.
struct Shape {
  size_t key = 0;
  size_t value = 0;  // all CPUs'
};

Result<Shape> shape_of(const MapInfo &info) {
  Shape shape{info.key ? info.key->size : sizeof(uint32_t), info.value_size};
  if (info.per_cpu) {
    int cpus = libbpf_num_possible_cpus();
    if (cpus <= 0) return fail_errno("number of CPUs", -cpus);
    shape.value = round_up8(info.value_size) * static_cast<size_t>(cpus);
  }
  return shape;
}

MapEntry entry_of(const MapInfo &info, std::span<const std::byte> key, std::span<const std::byte> raw) {
  MapEntry entry;
  if (info.key) entry.key.assign(key.begin(), key.end());
  if (info.per_cpu)
    entry.value = merge_cpus(info, raw);
  else
    entry.value.assign(raw.begin(), raw.end());
  return entry;
}

Error map_error(const MapInfo &info, const char *what, int err) {
  return Error{std::string(what) + " " + info.name + ": " + std::strerror(err), {}, err};
}

// Entries of a hash come bucket by bucket, each bucket under its lock: no key is seen twice, and none is missed
// that was there all the time. `visit(key, raw value)` is called for each. ENOTSUP (or EINVAL on old kernels)
// means that the map's type cannot do this.
enum class BatchMode { Lookup, LookupAndDelete };

template <class Visit>
int for_each_batch(int fd, const Shape &shape, size_t max_entries, BatchMode mode, Visit &&visit) {
  // Large enough for most maps at once, small enough for per-CPU histograms not to take all memory.
  constexpr size_t kBytes = 4 << 20;
  size_t capacity = std::clamp<size_t>(kBytes / (shape.key + shape.value), 16, 65536);
  capacity = std::min(capacity, std::max<size_t>(max_entries, 16));
  std::vector<std::byte> keys(capacity * shape.key), values(capacity * shape.value);
  // The kernel keeps a bucket's number or a key here.
  std::vector<std::byte> position(std::max<size_t>(shape.key, 8)), next(position.size());
  bpf_map_batch_opts options{};
  options.sz = sizeof(options);
  bool first = true;
  while (true) {
    auto count = static_cast<uint32_t>(capacity);
    auto call = mode == BatchMode::Lookup ? bpf_map_lookup_batch : bpf_map_lookup_and_delete_batch;
    int result = call(fd, first ? nullptr : position.data(), next.data(), keys.data(), values.data(), &count, &options);
    int err = result < 0 ? errno : 0;
    if (err == ENOSPC) {  // one bucket holds more than fits
      capacity *= 2;
      keys.resize(capacity * shape.key);
      values.resize(capacity * shape.value);
      continue;
    }
    if (err == EINTR || err == EAGAIN) continue;
    if (err && err != ENOENT) return err;
    for (uint32_t i = 0; i < count; i++)
      visit(std::span(keys).subspan(i * shape.key, shape.key), std::span(values).subspan(i * shape.value, shape.value));
    if (err == ENOENT) return 0;
    position.swap(next);
    first = false;
  }
}

// Keys one by one. When the current key is deleted meanwhile the kernel starts again from the first one: keys
// seen before are skipped, and the number of steps is bounded.
std::vector<std::vector<std::byte>> all_keys(int fd, const Shape &shape, size_t max_entries) {
  std::vector<std::vector<std::byte>> keys;
  std::unordered_set<std::string> seen;
  std::vector<std::byte> current(shape.key), next(shape.key);
  bool first = true;
  for (size_t steps = 0; steps < 4 * max_entries + 1024; steps++) {
    if (bpf_map_get_next_key(fd, first ? nullptr : current.data(), next.data()) < 0) break;
    first = false;
    if (seen.emplace(reinterpret_cast<const char *>(next.data()), next.size()).second) keys.push_back(next);
    current.swap(next);
  }
  return keys;
}

bool batch_unsupported(int err) { return err == 524 /* ENOTSUPP */ || err == ENOTSUP || err == EINVAL; }

Result<std::optional<std::vector<std::byte>>> lookup(const LoadedMap &map, const Shape &shape, const void *key) {
  std::vector<std::byte> raw(shape.value);
  if (bpf_map_lookup_elem(map.fd, key, raw.data()) == 0) return raw;
  if (errno == ENOENT) return std::nullopt;
  return std::unexpected(map_error(*map.info, "read", errno));
}

Result<std::optional<MapEntry>> read_scalar(const LoadedMap &map, const Shape &shape) {
  uint32_t zero = 0;
  auto raw = TRY(lookup(map, shape, &zero));
  if (!raw) return std::nullopt;
  MapEntry entry = entry_of(*map.info, {}, *raw);
  if (!is_set(*map.info, entry.value)) return std::nullopt;
  return entry;
}

// --- Series in parts (MapInfo::parts). Their values hold the intervals that have values, in no order.

void append_used(std::vector<std::byte> &to, const MapInfo &parts, std::span<const std::byte> raw) {
  constexpr size_t kExtra = 16;
  const std::vector<std::byte> merged = merge_cpus(parts, raw);
  for (size_t at = 0; at + kSeriesSlotSize <= merged.size(); at += kSeriesSlotSize)
    if (load<uint64_t>(merged, at + kExtra) != 0)
      to.insert(to.end(), merged.begin() + static_cast<ptrdiff_t>(at),
                merged.begin() + static_cast<ptrdiff_t>(at + kSeriesSlotSize));
}

// Without keys no value means that nothing was set; a key is shown also if it has none.
std::optional<MapEntry> series_entry(const MapInfo &info, std::span<const std::byte> key,
                                     std::vector<std::byte> value) {
  if (value.empty() && !info.key) return std::nullopt;
  if (value.empty()) value.resize(kSeriesSlotSize);
  return MapEntry{{key.begin(), key.end()}, std::move(value)};
}

Result<std::vector<std::vector<std::byte>>> keys_of(const LoadedMap &map, const Shape &shape) {
  std::vector<std::vector<std::byte>> keys;
  int err = for_each_batch(map.fd, shape, map.info->max_entries, BatchMode::Lookup,
                           [&](auto key, auto) { keys.emplace_back(key.begin(), key.end()); });
  if (err && !batch_unsupported(err)) return std::unexpected(map_error(*map.info, "read", err));
  if (err) keys = all_keys(map.fd, shape, map.info->max_entries);
  return keys;
}

LoadedMap parts_of(const LoadedMap &map) { return {map.parts, map.parts_fd}; }

Result<std::vector<MapEntry>> read_series(const LoadedMap &map) {
  const LoadedMap parts = parts_of(map);
  const Shape shape = TRY(shape_of(*parts.info));
  const size_t key_size = map.info->key ? map.info->key->size : 0;
  std::unordered_map<std::string, std::vector<std::byte>> values;
  auto add = [&](std::span<const std::byte> key, std::span<const std::byte> raw) {
    append_used(values[std::string(reinterpret_cast<const char *>(key.data()), key_size)], *parts.info, raw);
  };
  int err = for_each_batch(parts.fd, shape, parts.info->max_entries, BatchMode::Lookup, add);
  if (err && !batch_unsupported(err)) return std::unexpected(map_error(*map.info, "read", err));
  if (err) {
    values.clear();
    for (const std::vector<std::byte> &key : all_keys(parts.fd, shape, parts.info->max_entries))
      if (auto raw = TRY(lookup(parts, shape, key.data()))) add(key, *raw);
  }
  std::vector<std::vector<std::byte>> keys(1);
  if (map.info->key) keys = TRY(keys_of(map, TRY(shape_of(*map.info))));
  std::vector<MapEntry> entries;
  for (const std::vector<std::byte> &key : keys) {
    std::vector<std::byte> &value = values[std::string(reinterpret_cast<const char *>(key.data()), key.size())];
    if (auto entry = series_entry(*map.info, key, std::move(value))) entries.push_back(*std::move(entry));
  }
  return entries;
}

// `key` has the size of the map's keys, and is empty if there are none.
Result<std::optional<MapEntry>> read_series_entry(const LoadedMap &map, std::span<const std::byte> key) {
  if (map.info->key && !TRY(lookup(map, TRY(shape_of(*map.info)), key.data()))) return std::nullopt;
  const LoadedMap parts = parts_of(map);
  const Shape shape = TRY(shape_of(*parts.info));
  std::vector<std::byte> part_key(shape.key), value;
  std::ranges::copy(key, part_key.begin());
  const size_t number = map.info->key ? parts.info->key->fields[1].offset : 0;
  for (uint64_t part = 0; part < series_parts(map.info->value->series_length); part++) {
    std::memcpy(part_key.data() + number, &part, sizeof(part));
    if (auto raw = TRY(lookup(parts, shape, part_key.data()))) append_used(value, *parts.info, *raw);
  }
  return series_entry(*map.info, key, std::move(value));
}

}  // namespace

Result<std::vector<MapEntry>> read_map(const LoadedMap &map) {
  const MapInfo &info = *map.info;
  if (map.parts) return read_series(map);
  Shape shape = TRY(shape_of(info));
  std::vector<MapEntry> entries;
  if (!info.key) {
    auto entry = TRY(read_scalar(map, shape));
    if (entry) entries.push_back(std::move(*entry));
    return entries;
  }
  int err = for_each_batch(map.fd, shape, info.max_entries, BatchMode::Lookup,
                           [&](auto key, auto raw) { entries.push_back(entry_of(info, key, raw)); });
  if (err == 0) return entries;
  if (!batch_unsupported(err)) return std::unexpected(map_error(info, "read", err));
  entries.clear();
  for (const std::vector<std::byte> &key : all_keys(map.fd, shape, info.max_entries)) {
    auto raw = TRY(lookup(map, shape, key.data()));
    if (raw) entries.push_back(entry_of(info, key, *raw));
  }
  return entries;
}

Result<std::optional<MapEntry>> read_entry(const LoadedMap &map, std::span<const std::byte> key) {
  const MapInfo &info = *map.info;
  Shape shape = TRY(shape_of(info));
  std::vector<std::byte> padded(key.begin(), key.end());
  padded.resize(info.key ? shape.key : 0);
  if (map.parts) return read_series_entry(map, padded);
  if (!info.key) return read_scalar(map, shape);
  auto raw = TRY(lookup(map, shape, padded.data()));
  if (!raw) return std::nullopt;
  return entry_of(info, padded, *raw);
}

Result<void> clear_map(const LoadedMap &map) {
  const MapInfo &info = *map.info;
  if (map.parts) TRY(clear_map(parts_of(map)));
  Shape shape = TRY(shape_of(info));
  if (!info.key) {
    uint32_t zero = 0;
    std::vector<std::byte> empty(shape.value);
    if (bpf_map_update_elem(map.fd, &zero, empty.data(), BPF_ANY) < 0)
      return std::unexpected(map_error(info, "clear", errno));
    return {};
  }
  int err = for_each_batch(map.fd, shape, info.max_entries, BatchMode::LookupAndDelete, [](auto, auto) {});
  if (err == 0) return {};
  if (!batch_unsupported(err)) return std::unexpected(map_error(info, "clear", err));
  for (const std::vector<std::byte> &key : all_keys(map.fd, shape, info.max_entries))
    if (bpf_map_delete_elem(map.fd, key.data()) < 0 && errno != ENOENT)
      return std::unexpected(map_error(info, "clear", errno));
  return {};
}

namespace {

// Bytes of a value after zero(): 0, but set where the layout can tell.
std::vector<std::byte> zero_value(const MapInfo &info, const Shape &shape) {
  std::vector<std::byte> zero(shape.value);
  auto mark = [&](size_t at) {
    uint64_t set = 1;
    if (at + 8 <= zero.size()) std::memcpy(zero.data() + at, &set, 8);
  };
  if (!info.value || info.key) return zero;
  if (info.value->kind != TypeKind::Aggregate) mark(round_up8(info.value->size));
  // The first CPU's is enough. A set word of min or max would make 0 a value like others.
  if (info.value->kind == TypeKind::Aggregate && info.value->aggregate == AggregateKind::Sum) mark(8);
  return zero;
}

}  // namespace

Result<void> zero_map(const LoadedMap &map) {
  const MapInfo &info = *map.info;
  if (map.parts) return clear_map(parts_of(map));
  Shape shape = TRY(shape_of(info));
  std::vector<std::byte> zero = zero_value(info, shape);
  if (!info.key) {
    uint32_t key = 0;
    auto entry = TRY(read_scalar(map, shape));
    if (entry && bpf_map_update_elem(map.fd, &key, zero.data(), BPF_ANY) < 0)
      return std::unexpected(map_error(info, "zero", errno));
    return {};
  }
  std::vector<std::vector<std::byte>> keys = TRY(keys_of(map, shape));
  for (const std::vector<std::byte> &key : keys)
    if (bpf_map_update_elem(map.fd, key.data(), zero.data(), BPF_EXIST) < 0 && errno != ENOENT)
      return std::unexpected(map_error(info, "zero", errno));
  return {};
}

Result<void> copy_keys(const LoadedMap &from, const LoadedMap &to) {
  if (!from.info->key) return {};
  Shape shape = TRY(shape_of(*from.info));
  std::vector<std::byte> zero = zero_value(*from.info, shape);
  std::vector<std::vector<std::byte>> keys = TRY(keys_of(from, shape));
  for (const std::vector<std::byte> &key : keys)
    if (bpf_map_update_elem(to.fd, key.data(), zero.data(), BPF_NOEXIST) < 0 && errno != EEXIST)
      return std::unexpected(map_error(*to.info, "zero", errno));
  return {};
}

}  // namespace awl
