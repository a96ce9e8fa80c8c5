// The tree of a pattern, between its parsers and the automaton.
#pragma once

#include <bitset>
#include <memory>
#include <vector>

#include "ast/pattern/pattern.h"

namespace awl::pattern {

using ByteSet = std::bitset<256>;  // never holds 0, the end of the string

enum class PartKind : uint8_t { Empty, Bytes, Sequence, Choice, Repeat, Begin, End };

struct Part {
  PartKind kind = PartKind::Empty;
  ByteSet bytes;                             // Bytes: one of these
  std::vector<std::unique_ptr<Part>> parts;  // Sequence, Choice; Repeat: one
  int least = 0, most = -1;                  // Repeat; -1: any number
};
using PartPtr = std::unique_ptr<Part>;

std::expected<PartPtr, PatternError> parse_regex(std::string_view pattern);
std::expected<PartPtr, PatternError> parse_glob(std::string_view pattern);

PartPtr make_part(PartKind kind);
PartPtr make_bytes(ByteSet bytes);
ByteSet all_bytes();
// Names inside [: :]; empty if there is none of that name.
ByteSet named_class(std::string_view name);

// `anywhere`: the match may begin at any byte.
std::expected<Automaton, PatternError> build_automaton(const Part &pattern, bool anywhere);

}  // namespace awl::pattern
