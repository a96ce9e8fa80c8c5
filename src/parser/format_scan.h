// A script as the formatter sees it: words and comments with the blanks between them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl::syntax {

enum class PieceKind : uint8_t {
  Word,        // names, numbers, variables, maps
  Text,        // string literals
  Operator,    // also `:` and `?`
  Open,        // ( [
  Close,       // ) ]
  OpenBrace,   // {
  CloseBrace,  // }
  Comma,
  Semicolon,
  AttachPoint,
  Predicate,  // the `/` before and behind it
  LineComment,
  BlockComment,
  Directive,  // a `#` line with its continuations
};

struct Piece {
  PieceKind kind;
  std::string_view text;
  uint32_t newlines = 0;     // between the piece before and this one
  uint32_t blanks = 0;       // right before it, on its line
  bool declaration = false;  // in a C type: blanks between words stay as they are
  bool header = false;       // between a probe's first word and its `{`
  bool opens = false;        // Predicate: the first of the two
  size_t match = 0;          // of brackets and braces: the other one
};

Result<std::vector<Piece>> cut(std::string_view text);

}  // namespace awl::syntax
