// Reading an Image whose checksum is right.
#include <cstring>

#include "runtime/image/format.h"
#include "runtime/image/image_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  using namespace awl;
  std::string bytes(kImageHeaderSize, '\0');
  bytes.append(reinterpret_cast<const char *>(data), size);
  memcpy(bytes.data(), kImageMagic.data(), kImageMagic.size());
  uint32_t version = kImageVersion, checksum = image_checksum(std::string_view(bytes).substr(kImageHeaderSize));
  uint64_t length = size;
  memcpy(bytes.data() + 8, &version, 4);
  memcpy(bytes.data() + 12, &checksum, 4);
  memcpy(bytes.data() + 16, &length, 8);
  TypeStore store;
  auto image = parse_image(bytes, store);
  if (!image) return 0;
  // What was read can be written and read again.
  TypeStore other;
  if (!parse_image(serialize_image(*image), other)) __builtin_trap();
  return 0;
}
