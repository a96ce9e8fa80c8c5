#include "ast/passes/c_layout.h"

#include <algorithm>

namespace awl::ast {

namespace {

uint64_t round_up(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

}  // namespace

void Placer::member(const Extent &type, const CField &field) {
  bool packed = attributes_.packed || field.attributes.packed;
  uint32_t alignment = std::max(packed ? 1 : type.alignment, field.attributes.aligned);
  if (attributes_.max_alignment) alignment = std::min(alignment, attributes_.max_alignment);
  if (is_union_) bit_ = 0;
  bool aligns = true;
  if (field.ends_unit) {
    bit_ = round_up(bit_, uint64_t{type.alignment} * 8);
    layout_.places.emplace_back();
    aligns = false;
  } else if (field.bits) {
    bitfield(type, field, alignment, packed);
    aligns = !field.name.empty();  // padding does not align the struct
  } else {
    bit_ = round_up(bit_, uint64_t{alignment} * 8);
    layout_.places.push_back({static_cast<uint32_t>(bit_ / 8), 0});
    bit_ += type.size * 8;
  }
  if (aligns) layout_.extent.alignment = std::max(layout_.extent.alignment, alignment);
  end_ = std::max(end_, bit_);
}

// A bitfield spans no more units of its alignment than its type does, unless it is packed.
void Placer::bitfield(const Extent &type, const CField &field, uint32_t alignment, bool packed) {
  uint64_t unit = type.size * 8, boundary = uint64_t{alignment} * 8;
  bool spans = (bit_ % boundary + field.bits + boundary - 1) / boundary > unit / boundary;
  if ((!packed && spans) || field.attributes.aligned) bit_ = round_up(bit_, boundary);
  uint64_t offset = bit_ / unit * type.size;
  if (bit_ - offset * 8 + field.bits > unit) offset = bit_ / 8;
  layout_.places.push_back({static_cast<uint32_t>(offset), static_cast<uint8_t>(bit_ - offset * 8)});
  bit_ += field.bits;
}

Layout Placer::finish() {
  layout_.extent.alignment = std::max(layout_.extent.alignment, attributes_.aligned);
  layout_.extent.size = round_up(round_up(end_, 8) / 8, layout_.extent.alignment);
  return std::move(layout_);
}

}  // namespace awl::ast
