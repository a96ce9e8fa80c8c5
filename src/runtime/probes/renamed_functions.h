// What the kernel calls a function now that scripts know by another name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace awl {

// Advice for a kernel function that does not exist. First the same function as compilers and newer
// kernels spell it (`x.isra.0`, `x_noprof`, `__x64_sys_x`), then what took its place, then the most similar name.
std::string kernel_function_hint(std::string_view name, const std::vector<std::string> &functions);

}  // namespace awl
