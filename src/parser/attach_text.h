// Where an attach point ends in a script's text.
#pragma once

#include <cstddef>
#include <string_view>

namespace awl::syntax {

// Length of the attach point at the start of `text`, which has no blank, comma or brace outside quotes.
// Only a `/` is left to decide: it belongs to the path of a user-space probe or begins the predicate.
size_t attach_point_length(std::string_view text);

// Length of `name=` in front of an attach point, 0 if there is none.
size_t probe_name_length(std::string_view text);

}  // namespace awl::syntax
