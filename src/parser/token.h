// One token of a script as the grammar gets it. Kinds are the grammar's own (Grammar::token::T_...).
#pragma once

#include <cstdint>
#include <string>

#include "base/source.h"

namespace awl::syntax {

struct Token {
  int kind = 0;
  Span span;
  std::string text;          // name, decoded string, spelling of a number, raw attach point
  uint64_t value = 0;        // of a number or positional parameter
  bool is_unsigned = false;  // of a number
  bool synthetic = false;    // not in the text: put in so that the grammar can go on after an error
  bool unclosed = false;     // a string that was reported; where it should end is a guess
};

// An integer as the grammar hands it on: the spelling tells `.0` of a tuple from other numbers.
struct Number {
  uint64_t value = 0;
  bool is_unsigned = false;
  std::string text;
};

}  // namespace awl::syntax
