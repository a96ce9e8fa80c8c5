// Where an attach point ends in a script's text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace awl::syntax {

struct AttachText {
  std::string text;   // without the blanks around its colons
  size_t length = 0;  // in the script
};

// The attach point at the start of `text`, which has no comma or brace outside quotes, and blanks only beside colons,
// as bpftrace took them up to 0.23: `interval : s : 1`. Only a `/` is left to decide: it belongs to the path of a
// user-space probe or begins the predicate.
AttachText take_attach_point(std::string_view text);

// Whether the byte at `at` is a blank in front of a `:` of an attach point, or behind one that something follows.
bool blank_beside_colon(std::string_view text, size_t at);

// Length of `name=` in front of an attach point, 0 if there is none.
size_t probe_name_length(std::string_view text);

}  // namespace awl::syntax
