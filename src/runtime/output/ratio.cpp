// ratio(a, b): two integers that are divided when they are shown, since BPF has no fractions.
#include <fmt/format.h>

#include <cmath>

#include "runtime/output/value_parts.h"

namespace awl {

long double real_of(const Value &value) {
  if (value.type->display == Display::Ratio) {
    auto numerator = load<int64_t>(value.bytes, 0), denominator = load<int64_t>(value.bytes, 8);
    return denominator ? static_cast<long double>(numerator) / static_cast<long double>(denominator) : 0;
  }
  uint64_t number = scalar_of(value);
  bool is_signed = value.type->is_signed && !value.type->is_pointer();
  return is_signed ? static_cast<long double>(static_cast<int64_t>(number)) : static_cast<long double>(number);
}

// Up to six decimals, without zeros at the end: enough for units in thousandths of thousandths. Small numbers keep
// six digits.
void append_ratio(std::string &out, const Value &value) {
  const long double number = real_of(value);
  std::string text = std::fabs(number) < 0.001L ? fmt::format("{:.6g}", number) : fmt::format("{:.6f}", number);
  if (text.find_first_of(".e") != std::string::npos && text.find('e') == std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  out += text;
}

void append_json_ratio(std::string &out, const Value &value) {
  fmt::format_to(std::back_inserter(out), "{}", static_cast<double>(real_of(value)));
}

}  // namespace awl
