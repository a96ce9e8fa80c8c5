// DWARF's description of where a value is, at one address of the code, as steps that a program can follow there.
#pragma once

#include <elfutils/libdw.h>

#include <span>
#include <vector>

#include "runtime/dwarf/debug_file.h"
#include "runtime/probes/user_types.h"

namespace awl {

// What a location may refer to.
struct LocationContext {
  DebugFile &debug;
  Dwarf_Die function;    // the one that has a frame of its own
  uint64_t address = 0;  // of the code, in the file
};

// The place that `operations` describe; Nowhere, with a reason, if it cannot be read.
VariablePlace read_location(const LocationContext &context, Dwarf_Attribute *attribute,
                            std::span<const Dwarf_Op> operations);

}  // namespace awl
