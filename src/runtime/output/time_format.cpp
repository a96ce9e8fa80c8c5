#include <fmt/format.h>

#include <ctime>

#include "runtime/output/printf.h"

namespace awl {

namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Replaces the conversions that strftime does not have, or has with another meaning.
std::string expand_fractions(std::string_view format, int64_t nanoseconds) {
  std::string out;
  for (size_t i = 0; i < format.size(); i++) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    char letter = format[++i];
    switch (letter) {
      case 'f': out += fmt::format("{:06}", nanoseconds / 1000); break;
      case 'k': out += fmt::format("{:09}", nanoseconds); break;
      case 'l': out += fmt::format("{:03}", nanoseconds / 1'000'000); break;
      default: out.append(1, '%').append(1, letter); break;
    }
  }
  // A single % at the end is undefined for strftime.
  size_t percents = 0;
  while (percents < format.size() && format[format.size() - 1 - percents] == '%') percents++;
  if (percents % 2) out += '%';
  return out;
}

}  // namespace

std::string format_time(std::string_view format, int64_t wall_ns) {
  int64_t seconds = wall_ns / kSecond;
  int64_t nanoseconds = wall_ns % kSecond;
  if (nanoseconds < 0) {
    nanoseconds += kSecond;
    seconds--;
  }
  std::time_t time = seconds;
  std::tm parts{};
  if (!localtime_r(&time, &parts)) return "(?)";
  // strftime returns 0 both for an empty result and for too small a buffer: a byte more keeps them apart.
  std::string pattern = expand_fractions(format, nanoseconds) + ".";
  std::string out(format.size() * 2 + 64, '\0');
  constexpr size_t kLargest = 1 << 20;
  while (true) {
    size_t length = std::strftime(out.data(), out.size(), pattern.c_str(), &parts);
    if (length > 0) {
      out.resize(length - 1);
      return out;
    }
    if (out.size() > kLargest) return "(?)";
    out.resize(out.size() * 2);
  }
}

}  // namespace awl
