// Variables of a user program in scope at an address, and where their values are there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/dwarf/debug_file.h"
#include "runtime/dwarf/location.h"
#include "runtime/probes/user_types.h"

namespace awl {

// A variable or parameter as DWARF has it; its type is behind `die`.
struct FoundVariable {
  Dwarf_Die die = {};
  UserVariable variable;  // without type
};

// Where `variable` is at the context's address.
VariablePlace place_at(const LocationContext &context, Dwarf_Die *variable);

// Those of the innermost function around `address`, inlined or not; of several with one name the innermost.
std::vector<FoundVariable> variables_at(DebugFile &debug, uint64_t address);

}  // namespace awl
