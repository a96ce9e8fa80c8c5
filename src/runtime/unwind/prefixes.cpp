#include "runtime/unwind/prefixes.h"

namespace awl::runtime::unwind {

namespace {

constexpr uint32_t kBits = 64;

// Halves the addresses that begin with a prefix until each part meets one range only.
class Splitter {
 public:
  explicit Splitter(const std::vector<AddressRange> &ranges) : ranges_(ranges) {}

  // Of the ranges [first, last) all meet the prefix.
  void split(uint64_t address, uint32_t length, size_t first, size_t last) {
    if (first == last) return;
    if (last - first == 1) return out.push_back({address, length, first});
    const uint64_t middle = address | uint64_t{1} << (kBits - 1 - length);
    size_t above = first;
    while (above < last && ranges_[above].end - 1 < middle) above++;
    size_t below = above;
    while (below < last && ranges_[below].start < middle) below++;
    split(address, length + 1, first, below);
    split(middle, length + 1, above, last);
  }

  std::vector<Prefix> out;

 private:
  const std::vector<AddressRange> &ranges_;
};

}  // namespace

std::vector<Prefix> prefixes_of(const std::vector<AddressRange> &ranges) {
  Splitter splitter(ranges);
  splitter.split(0, 0, 0, ranges.size());
  return std::move(splitter.out);
}

}  // namespace awl::runtime::unwind
