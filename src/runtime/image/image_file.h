// Writing an Image to a file and reading it back.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "runtime/image/manifest.h"
#include "runtime/types/type_store.h"

namespace awl {

// Bytes of the Image: magic, format version, checksum, types (once each), manifest, object. Structs that are shown must
// have been completed (TypeStore::complete); those behind pointers are written by name only.
std::string serialize_image(const Image &image);

// Types are interned in `store`. Anything malformed (truncated, wrong version, bad index, bad checksum) is an
// error that says so; never a crash.
Result<Image> parse_image(std::string_view bytes, TypeStore &store);

// True if a file starts as an Image does.
bool is_image(std::string_view bytes);

Result<void> write_image(const Image &image, const std::string &path);
Result<Image> read_image(const std::string &path, TypeStore &store);

}  // namespace awl
