// Laying out a script and making sure that it still means the same.
#pragma once

#include <optional>
#include <string>

#include "base/diagnostic.h"
#include "base/source.h"

namespace awl {

// nullopt after diagnostics: a script with syntax errors stays as it is.
std::optional<std::string> format_checked(const Source &source, Diagnostics &diagnostics);

}  // namespace awl
