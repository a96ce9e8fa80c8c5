// Walks the kernel's lists of objects for iter probes.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"

namespace awl {

// Runs the program of each link over all objects. `between` is called after every `at_once` of them, and the walk ends
// when it gives false.
Result<> run_iterators(const std::vector<int> &links, size_t at_once, const std::function<bool()> &between);

// Gives the link a name in the BPF file system, which keeps it and its program. Errors: the path exists, or is none
// there.
Result<> pin_link(int link, const std::string &path);

}  // namespace awl
