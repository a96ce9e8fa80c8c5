// Clocks of the kernel in nanoseconds.
#pragma once

#include <cstdint>
#include <ctime>

namespace awl {

inline int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

}  // namespace awl
