// Clocks, addresses and ids of the machine that a program runs on.
#pragma once

#include <cstdint>
#include <ctime>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/image/manifest.h"
#include "runtime/symbols/symbols.h"

namespace awl {

// Puts the clocks and what the program asks for into its words of awl_params; E0619 or E0620 for what is not there.
void set_machine_facts(const Manifest &manifest, KernelSymbols &symbols, std::vector<uint64_t> &words,
                       Diagnostics &diagnostics);

}  // namespace awl
