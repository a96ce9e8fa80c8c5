// The table that make_constants.py writes: names in byte order, each NUL-terminated, no pointers to relocate at start.
#pragma once

#include <cstdint>

namespace awl {

extern const char kConstantNames[];
extern const uint32_t kConstantOffsets[];
extern const int64_t kConstantValues[];
extern const uint32_t kConstantCount;

}  // namespace awl
