// Ranges of addresses as prefixes of an LPM trie; private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace awl::runtime::unwind {

struct AddressRange {
  uint64_t start = 0, end = 0;  // [start, end), not empty
};

struct Prefix {
  uint64_t address = 0;  // the bits behind the prefix are 0
  uint32_t length = 0;   // bits, 0 to 64
  size_t range = 0;      // index of the range whose addresses have this as their longest prefix
};

// `ranges`: sorted, without overlaps. The longest prefix of each address in a range is one of that range. Prefixes
// reach beyond their ranges where nothing else is, which makes them few: two or three for a range.
std::vector<Prefix> prefixes_of(const std::vector<AddressRange> &ranges);

}  // namespace awl::runtime::unwind
