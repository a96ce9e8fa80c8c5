// Where C puts the members of a struct: gcc's rules for x86-64 and arm64.
#pragma once

#include <cstdint>
#include <vector>

#include "ast/nodes.h"

namespace awl::ast {

struct Extent {
  uint64_t size = 0;  // bytes
  uint32_t alignment = 1;
};

// Of a member: its storage unit in bytes from the start of the struct, and a bitfield's first bit in that unit.
struct Place {
  uint32_t offset = 0;
  uint8_t bit_offset = 0;
};
struct Layout {
  Extent extent;
  std::vector<Place> places;  // in the order of the definition, padding included
};

// Places members one after the other.
class Placer {
 public:
  explicit Placer(const CType &definition)
      : is_union_(definition.kind == CTypeKind::Union), attributes_(definition.attributes) {}

  void member(const Extent &type, const CField &field);
  Layout finish();

 private:
  void bitfield(const Extent &type, const CField &field, uint32_t alignment, bool packed);

  bool is_union_;
  CAttributes attributes_;
  uint64_t bit_ = 0, end_ = 0;  // behind the last member; behind the longest one
  Layout layout_;
};

}  // namespace awl::ast
