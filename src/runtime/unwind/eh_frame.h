// .eh_frame of x86-64 code to rows of the unwinder (DWARF 5, section 6.4; LSB 5.0 Core, "Exception Frames").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/unwind/tables.h"

namespace awl::runtime::unwind {

struct EhFrame {
  std::string_view bytes;
  uint64_t address = 0;  // virtual address of the bytes in the file
  uint64_t base = 0;     // of the lowest segment: what Row::address is counted from
};

// Sorted by address, neighbours differ, no two of one address. What is damaged, or comes in a form that compilers do
// not use, is left out: rows say Unknown there. Nullopt if there are more than `limit`. Any bytes will do, and take
// time in proportion to their number.
std::optional<std::vector<Row>> read_eh_frame(const EhFrame &section, size_t limit);

// The row that holds at an address, Unknown before the first.
Row row_at(const std::vector<Row> &rows, uint32_t address);

}  // namespace awl::runtime::unwind
