// Integer constants of the kernel's UAPI headers, from a table made at build time: what `#include
// <linux/fs.h>` gives a script without headers at run time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace awl {

std::optional<int64_t> uapi_constant(std::string_view name);
std::vector<std::string> uapi_constant_names();  // for did-you-mean

}  // namespace awl
