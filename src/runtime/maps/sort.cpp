#include <algorithm>
#include <cstring>

#include "runtime/maps/map_reader.h"
#include "runtime/output/aggregate.h"
#include "runtime/output/value_parts.h"

namespace awl {

namespace {

template <class T>
int order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int order_numbers(uint64_t a, uint64_t b, bool is_signed) {
  return is_signed ? order(static_cast<int64_t>(a), static_cast<int64_t>(b)) : order(a, b);
}

int order_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  size_t common = std::min(a.size(), b.size());
  int result = common ? std::memcmp(a.data(), b.data(), common) : 0;
  return result ? result : order(a.size(), b.size());
}

}  // namespace

int compare_values(const Type *type, std::span<const std::byte> a, std::span<const std::byte> b) {
  switch (type->kind) {
    case TypeKind::Bool:
    case TypeKind::Int:
    case TypeKind::Enum:
    case TypeKind::Pointer: {
      bool is_signed = type->is_signed && type->kind != TypeKind::Pointer;
      return order_numbers(scalar_of({type, a}), scalar_of({type, b}), is_signed);
    }
    case TypeKind::String: return string_of({type, a}).compare(string_of({type, b}));
    case TypeKind::Tuple:
      for (const Field &field : type->fields) {
        int result = compare_values(field.type, part_of(a, field.offset, field.type->size),
                                    part_of(b, field.offset, field.type->size));
        if (result) return result;
      }
      return 0;
    case TypeKind::Array:
      for (uint32_t i = 0; type->target && i < type->count; i++) {
        size_t at = size_t{i} * type->target->size;
        int result =
            compare_values(type->target, part_of(a, at, type->target->size), part_of(b, at, type->target->size));
        if (result) return result;
      }
      return 0;
    default: return order_bytes(part_of(a, 0, type->size), part_of(b, 0, type->size));
  }
}

namespace {

// What an entry is sorted by, computed once.
struct Rank {
  uint64_t number = 0;
  size_t index = 0;
};

bool sorted_by_value(const Type &type) {
  return !has_display(type) && (type.kind == TypeKind::Int || type.kind == TypeKind::Enum ||
                                (type.kind == TypeKind::Aggregate && !is_series(&type)));
}

}  // namespace

void sort_entries(const MapInfo &info, std::vector<MapEntry> &entries, uint32_t top) {
  if (!info.value) return;
  const Type &type = *info.value;
  bool by_value = sorted_by_value(type);
  bool is_signed =
      type.kind == TypeKind::Aggregate ? !is_histogram(&type) && aggregate_is_signed(type) : type.is_signed;
  std::vector<Rank> ranks(entries.size());
  for (size_t i = 0; i < entries.size(); i++) {
    ranks[i].index = i;
    if (!by_value) continue;
    Value value{&type, part_of(entries[i].value, 0, type.size)};
    ranks[i].number = type.kind == TypeKind::Aggregate ? aggregate_number(value) : scalar_of(value);
  }
  auto before = [&](const Rank &a, const Rank &b) {
    if (int result = order_numbers(a.number, b.number, is_signed)) return result < 0;
    int keys = info.key ? compare_values(info.key, entries[a.index].key, entries[b.index].key) : 0;
    return keys ? keys < 0 : a.index < b.index;
  };
  const size_t skip = top && entries.size() > top ? entries.size() - top : 0;
  const auto shown = ranks.begin() + static_cast<ptrdiff_t>(skip);
  if (skip > 0) std::nth_element(ranks.begin(), shown, ranks.end(), before);
  std::sort(shown, ranks.end(), before);
  std::vector<MapEntry> sorted;
  sorted.reserve(entries.size() - skip);
  for (auto rank = shown; rank != ranks.end(); ++rank) sorted.push_back(std::move(entries[rank->index]));
  entries = std::move(sorted);
}

}  // namespace awl
