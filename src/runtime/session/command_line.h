// Splitting the argument of -c into words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

// As a shell splits words: blanks separate, '...' is literal, "..." knows \" \\ \$ \` and backslash-newline, a
// backslash elsewhere takes the next character as it is. Nothing is expanded. Errors: a quote that is not closed, no
// word.
Result<std::vector<std::string>> split_command(std::string_view text);

// The file that `name` runs: itself if it has a slash, else the first executable in PATH.
Result<std::string> find_executable(const std::string &name);

}  // namespace awl
