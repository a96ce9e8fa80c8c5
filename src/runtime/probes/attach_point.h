// The text of attach points: cutting it into parts and putting parts together again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/probes/provider.h"

namespace awl {

// Parts between ':' outside of quotes, quotes and their backslashes removed:
// `u:/bin/x:cpp:"ns::f"` gives {"u", "/bin/x", "cpp", "ns::f"}.
Result<std::vector<std::string>> split_attach_point(std::string_view text);
// A part as it must be written, in quotes if it holds ':', blanks or the like.
std::string quote_part(std::string_view part);

// "NAME+OFFSET" or a number into name and offset, or address. `what` is "function" in messages.
Result<> parse_place(std::string_view text, ProbeTarget &target);

// "`uprobe` takes 2 or 3 parts, not 4", with the provider's syntax as hint.
std::unexpected<Error> wrong_parts(const Provider &provider, size_t given);
// "no KIND `name`", with the nearest of `candidates` as hint.
std::unexpected<Error> unknown_name(std::string_view kind, std::string_view name,
                                    const std::vector<std::string> &candidates);

}  // namespace awl
