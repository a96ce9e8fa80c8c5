#include <cxxabi.h>
#include <llvm/Demangle/Demangle.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/strings.h"
#include "runtime/symbols/symbols.h"

namespace awl {

namespace {

std::string owned(char *text, std::string_view otherwise) {
  std::string result = text ? std::string(text) : std::string(otherwise);
  std::free(text);
  return result;
}

// What stands between two `$` in Rust's older names.
std::string_view unescaped(std::string_view word) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"SP", "@"}, {"BP", "*"}, {"RF", "&"}, {"LT", "<"}, {"GT", ">"}, {"LP", "("}, {"RP", ")"}, {"C", ","}};
  for (auto [escaped, plain] : kWords)
    if (word == escaped) return plain;
  return {};
}

// `u7b`: the character with that number, ASCII only.
std::optional<char> unescaped_number(std::string_view word) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (word.size() != 3 || word[0] != 'u') return std::nullopt;
  const size_t high = kDigits.find(word[1]), low = kDigits.find(word[2]);
  if (high > 7 || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

std::string rust_part(std::string_view part) {
  if (part.starts_with("_$")) part.remove_prefix(1);
  std::string out;
  while (!part.empty()) {
    if (part.starts_with("..")) {
      out += "::";
      part.remove_prefix(2);
      continue;
    }
    const size_t end = part[0] == '$' ? part.find('$', 1) : std::string_view::npos;
    if (end != std::string_view::npos) {
      const std::string_view word = part.substr(1, end - 1);
      const std::string_view plain = unescaped(word);
      const std::optional<char> number = unescaped_number(word);
      if (!plain.empty() || number) {
        out += plain;
        if (number) out += *number;
        part.remove_prefix(end + 1);
        continue;
      }
    }
    out += part[0];
    part.remove_prefix(1);
  }
  return out;
}

// Rust's older names look like those of C++ and end in a hash: _ZN4core3fmt5write17h0123456789abcdefE. Nullopt for all
// others.
std::optional<std::string> demangle_old_rust(std::string_view name) {
  constexpr size_t kHash = 17;  // 'h' and 16 digits
  if (!name.starts_with("_ZN")) return std::nullopt;
  name.remove_prefix(3);
  std::string out;
  while (true) {
    size_t digits = 0, length = 0;
    while (digits < name.size() && digits < 4 && name[digits] >= '0' && name[digits] <= '9')
      length = length * 10 + static_cast<size_t>(name[digits++] - '0');
    if (digits == 0 || length == 0 || length > name.size() - digits) return std::nullopt;
    const std::string_view part = name.substr(digits, length);
    name.remove_prefix(digits + length);
    const bool last = name.starts_with('E');
    const bool hash = part.size() == kHash && part[0] == 'h' &&
                      part.substr(1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (last) return hash && !out.empty() ? std::optional(out) : std::nullopt;
    out += (out.empty() ? "" : "::") + rust_part(part);
  }
}

// What LLVM puts behind a name when it moves the function to another unit.
std::string_view without_suffix(std::string_view name) { return name.substr(0, name.find(".llvm.")); }

}  // namespace

bool is_mangled(std::string_view name) { return name.starts_with("_Z") || name.starts_with("_R"); }

std::string demangle(std::string_view name) {
  if (name.starts_with("_R")) {
    const std::string_view bare = without_suffix(name);
    return owned(llvm::rustDemangle(bare), name);
  }
  if (!name.starts_with("_Z")) return std::string(name);
  if (std::optional<std::string> rust = demangle_old_rust(name)) return *rust;
  int status = 0;
  return owned(abi::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &status), name);
}

}  // namespace awl
