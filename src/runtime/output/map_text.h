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

// True if a value that was never set can be shown as zero bytes: numbers, strings, sums.
inline bool has_zero(const Type &type) {
  return type.is_scalar() || type.kind == TypeKind::String ||
         (type.kind == TypeKind::Aggregate && !is_histogram(&type));
}

}  // namespace awl
