#include "parser/literals.h"

#include <array>
#include <limits>
#include <optional>

#include "base/strings.h"

namespace awl::syntax {

namespace {

struct CSuffix {
  std::string_view suffix;
  uint64_t max;
  bool is_unsigned;
};
constexpr uint64_t kMaxSigned = std::numeric_limits<int64_t>::max();
constexpr uint64_t kMaxUnsigned = std::numeric_limits<uint64_t>::max();
constexpr std::array<CSuffix, 7> kCSuffixes{{{"u", std::numeric_limits<uint32_t>::max(), true},
                                             {"l", kMaxSigned, false},
                                             {"ul", kMaxUnsigned, true},
                                             {"lu", kMaxUnsigned, true},
                                             {"ll", kMaxSigned, false},
                                             {"ull", kMaxUnsigned, true},
                                             {"llu", kMaxUnsigned, true}}};

unsigned base_of(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return 10;
  if (text[1] == 'x' || text[1] == 'X') return 16;
  if (text[1] == 'b' || text[1] == 'B') return 2;
  return text[1] == '_' || (text[1] >= '0' && text[1] <= '9') ? 8 : 10;
}

bool is_digit(char c, unsigned base) {
  if (c >= '0' && c <= '9') return true;  // a digit too large for its base is reported, not cut off
  return base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
}

ParsedNumber wrong(std::string why) { return {0, false, std::move(why)}; }

ParsedNumber digits_of(std::string_view digits, unsigned base) {
  size_t prefix = base == 16 || base == 2 ? 2 : 0;
  if (digits.size() == prefix) return wrong("there are no digits after its prefix");
  if (digits.back() == '_') return wrong("it ends with `_`");
  if (auto value = parse_unsigned(digits)) return {*value, *value > kMaxSigned, ""};
  for (char c : digits.substr(prefix))
    if (c >= '0' && c <= '9' && static_cast<unsigned>(c - '0') >= base)
      return wrong(base == 8 ? "digits of an octal number go from 0 to 7" : "digits of a binary number are 0 and 1");
  if (digits.substr(prefix).front() == '_') return wrong("digits must follow the prefix");
  return wrong("it does not fit into 64 bits");
}

// `NeM`, a whole number.
ParsedNumber scientific(std::string_view coefficient, std::string_view exponent) {
  ParsedNumber number = digits_of(coefficient, 10);
  if (!number.error.empty()) return number;
  std::optional<uint64_t> power = parse_unsigned(exponent.size() > 1 && exponent[0] == '0' ? "" : exponent);
  if (!power) return wrong("its exponent is not a decimal number");
  for (uint64_t i = 0; i < *power && number.value != 0; i++)
    if (__builtin_mul_overflow(number.value, 10U, &number.value)) return wrong("it does not fit into 64 bits");
  number.is_unsigned = number.value > kMaxSigned;
  return number;
}

bool all_digits(std::string_view text) {
  for (char c : text)
    if ((c < '0' || c > '9') && c != '_') return false;
  return !text.empty();
}

}  // namespace

ParsedNumber parse_number(std::string_view text) {
  unsigned base = base_of(text);
  size_t end = base == 16 || base == 2 ? 2 : 0;
  while (end < text.size() && (text[end] == '_' || is_digit(text[end], base))) end++;
  std::string_view digits = text.substr(0, end);
  std::string_view suffix = text.substr(end);
  if (base == 10 && !suffix.empty() && (suffix[0] == 'e' || suffix[0] == 'E') && all_digits(suffix.substr(1)))
    return scientific(digits, suffix.substr(1));
  ParsedNumber number = digits_of(digits, base);
  if (!number.error.empty() || suffix.empty()) return number;
  for (const DurationUnit &unit : duration_units()) {
    if (suffix != unit.suffix) continue;
    if (__builtin_mul_overflow(number.value, unit.nanoseconds, &number.value))
      return wrong("in nanoseconds it does not fit into 64 bits");
    number.is_unsigned = true;
    return number;
  }
  std::string small = lower(suffix);
  for (const CSuffix &c : kCSuffixes) {
    if (small != c.suffix) continue;
    if (number.value > c.max) return wrong("it is too large for its suffix");
    number.is_unsigned = c.is_unsigned;
    return number;
  }
  return wrong("unknown suffix `" + std::string(suffix) + "`");
}

Escape parse_escape(std::string_view text) {
  constexpr std::string_view kNames = "ntr\"\\";
  constexpr std::string_view kValues = "\n\t\r\"\\";
  char c = text[1];
  if (size_t i = kNames.find(c); i != std::string_view::npos) return {kValues[i], 2, true};
  auto digits = [&](size_t from, size_t most, unsigned base) {
    unsigned value = 0;
    size_t i = from;
    for (; i < text.size() && i < from + most; i++) {
      auto digit = parse_unsigned((base == 16 ? "0x" : "") + std::string(1, text[i]));
      if (!digit || *digit >= base) break;
      value = value * base + static_cast<unsigned>(*digit);
    }
    return Escape{static_cast<char>(value), i, i > from && value <= 255};
  };
  if (c >= '0' && c <= '7') return digits(1, 3, 8);
  if (c == 'x') return digits(2, 2, 16);
  return {c, 2, false};
}

}  // namespace awl::syntax
