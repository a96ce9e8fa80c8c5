// Patterns of strings: regular expressions and globs become a table that takes one step a byte, so that a BPF
// program can match a string in bounded time. No tree, no script: text in, table out.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace awl::pattern {

// A deterministic automaton. Byte 0 ends the string; behind it no step changes the answer any more.
struct Automaton {
  static constexpr uint32_t kFails = 0;                // row of the state that never matches
  static constexpr uint32_t kMostEntries = 32 * 1024;  // of `next`: 64 KiB in the object
  std::array<uint8_t, 256> classes{};                  // class of each byte; bytes of one class are never told apart
  uint32_t stride = 1;                                 // entries in a row, a power of two
  uint32_t start = 0;                                  // row to start in
  std::vector<uint16_t> next;                          // next[row + class] is a row: a multiple of `stride`
  [[nodiscard]] uint32_t matched() const { return stride; }  // row of the state that has matched, whatever follows
};

// What is wrong with a pattern, and at which of its bytes.
struct PatternError {
  std::string message;  // "`(` is not closed"
  size_t offset = 0;
};

// Extended regular expression as of POSIX: literals . [] [^] [:alpha:] * + ? {m,n} | () ^ $, also (?:), \d \w \s and
// their opposites, \n \t \r \xNN, and (?i) in front to ignore case. Found anywhere in the string unless ^ and $ say
// otherwise. Works on bytes.
std::expected<Automaton, PatternError> compile_regex(std::string_view pattern);
// * ? [a-z] [!a-z] and \ before a byte that stands for itself; matches the whole string, `/` is like any other byte.
std::expected<Automaton, PatternError> compile_glob(std::string_view pattern);
// Strings that contain `text`.
std::expected<Automaton, PatternError> compile_contains(std::string_view text);

// What the table says of a string; `end`: bytes up to where it was certain of a match.
bool matches(const Automaton &automaton, std::string_view text, size_t *end = nullptr);

}  // namespace awl::pattern
