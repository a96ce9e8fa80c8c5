// Where programs are looked for that are given by name alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace awl {

// Folders of PATH in their order, "." for empty ones; the usual ones if it is not set.
std::vector<std::string> search_folders();

bool is_executable_file(const std::string &path);
// The first of these folders' executable files with this name, "" if there is none.
std::string find_in_path(std::string_view name);

}  // namespace awl
