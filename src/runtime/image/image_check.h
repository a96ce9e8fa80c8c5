// Whether what was read from an Image makes sense: the runtime decodes values by these types and offsets without
// looking twice.
#pragma once

#include "base/result.h"
#include "runtime/image/manifest.h"

namespace awl {

// `type` refers only to types that passed.
Result<void> check_type(const Type &type);
Result<void> check_action(const Action &action, const Manifest &manifest);
Result<void> check_manifest(const Manifest &manifest);

}  // namespace awl
