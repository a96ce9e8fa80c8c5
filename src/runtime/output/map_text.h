// What text and JSON share in showing maps; private to this folder.
#pragma once

#include <algorithm>
#include <span>

#include "runtime/output/aggregate.h"
#include "runtime/output/output.h"

namespace awl {

inline Value value_of(const MapInfo &info, const MapEntry &entry) {
  return {info.value, std::span(entry.value).first(std::min<size_t>(entry.value.size(), info.value->size))};
}

// The interval up to which all series of a map are shown, so that their ends can be compared; 0 for other maps.
inline uint64_t last_interval(const MapView &view) {
  uint64_t end = 0;
  for (const MapEntry &entry : view.entries)
    if (is_series(view.info->value)) end = std::max(end, series_end(value_of(*view.info, entry)));
  return end;
}

// True for a stack, and for a tuple with one.
inline bool has_stack(const Type &type) {
  if (type.kind == TypeKind::Stack) return true;
  if (type.kind != TypeKind::Tuple) return false;
  return std::ranges::any_of(type.fields, [](const Field &field) { return field.type && has_stack(*field.type); });
}

// True if a value that was never set can be shown as zero bytes: numbers, strings, sums.
inline bool has_zero(const Type &type) {
  return type.is_scalar() || type.kind == TypeKind::String || (type.kind == TypeKind::Aggregate && !is_graph(&type));
}

}  // namespace awl
