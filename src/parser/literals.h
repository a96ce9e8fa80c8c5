// Numbers and escapes as the language writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace awl::syntax {

struct ParsedNumber {
  uint64_t value = 0;
  bool is_unsigned = false;
  std::string error;  // what is wrong, empty if nothing
};

// `12`, `012`, `0x1f`, `0b101`, `1_000`, `1e6`, with `u l ul ll ull` or `ns us ms s m h d` behind it.
ParsedNumber parse_number(std::string_view text);

struct Escape {
  char value = 0;
  size_t length = 0;  // with the backslash
  bool known = true;
};
// The escape at the start of `text`, which begins with a backslash and one byte more.
Escape parse_escape(std::string_view text);

}  // namespace awl::syntax
