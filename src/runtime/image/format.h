// What identifies an Image file; shared by its writer and its reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace awl {

constexpr std::string_view kImageMagic = "AWLIMAGE";
constexpr uint32_t kImageVersion = 12;
constexpr size_t kImageHeaderSize = 24;

uint32_t image_checksum(std::string_view bytes);

}  // namespace awl
