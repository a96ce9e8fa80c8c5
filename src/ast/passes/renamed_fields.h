// What fields of the kernel's structs are called now that scripts know by another name.
#pragma once

#include <string_view>
#include <vector>

namespace awl::ast {

// Where kernels have what the field `name` of `owner` ("struct bio") held before: "bi_bdev->bd_disk". The newest first;
// none if it is not known to have moved.
std::vector<std::string_view> renamed_field(std::string_view owner, std::string_view name);

}  // namespace awl::ast
