// The providers, one file each. To add one: its file and a line in providers.def.
#pragma once

#include "runtime/probes/provider.h"

namespace awl {

#define AWL_PROVIDER(name) const Provider &name##_provider();
#include "runtime/probes/providers.def"
#undef AWL_PROVIDER

}  // namespace awl
