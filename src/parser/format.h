// Lays a script out: two blanks for each level, one statement a line, comments kept. Works on words, not on the tree,
// so it never changes one.
//
// Blocks that stand on one line and fit there stay; where the author broke a line inside a statement or between the
// attach points of a probe, it stays broken; one empty line between statements stays. Long lines are not broken.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace awl {

// An error if brackets do not match or a probe's predicate does not end: such a script has syntax errors. The result
// laid out again is the same.
Result<std::string> format_script(std::string_view text);

}  // namespace awl
