#include "runtime/types/constants.h"

#include "runtime/types/constants_table.h"

namespace awl {

std::optional<int64_t> uapi_constant(std::string_view name) {
  uint32_t low = 0, high = kConstantCount;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    std::string_view here = kConstantNames + kConstantOffsets[middle];
    if (here == name) return kConstantValues[middle];
    if (here < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

std::vector<std::string> uapi_constant_names() {
  std::vector<std::string> out;
  out.reserve(kConstantCount);
  for (uint32_t i = 0; i < kConstantCount; ++i) out.emplace_back(kConstantNames + kConstantOffsets[i]);
  return out;
}

}  // namespace awl
