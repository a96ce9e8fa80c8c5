// Lines of source to addresses.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/dwarf/debug_file.h"
#include "runtime/probes/user_types.h"

namespace awl {

// UserTypes::line() of one program.
Result<std::vector<SourcePlace>> line_places(DebugFile &debug, std::string_view file, uint64_t line, uint64_t column);

}  // namespace awl
