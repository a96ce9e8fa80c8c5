// Looking ahead in a script's text before it has become tokens.
#pragma once

#include <string_view>

namespace awl::syntax {

// `text` without the blanks and comments at its start.
std::string_view skip_blanks(std::string_view text);

// True if `between` holds one line end and no more: what follows stands on the next line.
bool continues_line(std::string_view between);

// True if `text`, the start of a line, looks like a probe (`kprobe:f`, `BEGIN {`); inside a body that
// is never the beginning of a statement.
bool looks_like_probe(std::string_view text);

}  // namespace awl::syntax
