// Small string functions shared by all folders.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

// Pieces between separators; "a::b" gives {"a", "", "b"}, "" gives {""}.
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
// "1 event", "2 events"
std::string counted(uint64_t count, std::string_view noun);

// True if `text` matches the glob `pattern` (`*` any run, `?` one byte, `[...]` a set).
bool glob_match(std::string_view pattern, std::string_view text);
bool has_wildcard(std::string_view pattern);

// A whole number as the language writes it: decimal, 0x, 0b, octal, `_` separators; nullopt if not one.
std::optional<uint64_t> parse_unsigned(std::string_view text);
struct DurationUnit {
  std::string_view suffix;
  uint64_t nanoseconds;
};
// ns, us, ms, s, m, h, d.
const std::array<DurationUnit, 7> &duration_units();
// Such a number, or one of a unit of time in nanoseconds: "10s". As words on the command line are read.
std::optional<uint64_t> parse_amount(std::string_view text);

// JSON string literal with quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);
// The text with `\xNN` for bytes that are not UTF-8: different texts stay different.
std::string escape_non_utf8(std::string_view text);

// Whole content of a file, also of /proc and /sys files that give no size; EFBIG above 256 MiB.
Result<std::string> read_file(const std::string &path);

}  // namespace awl
