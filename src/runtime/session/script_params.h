// Parameters of the script, given to a written program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/image/manifest.h"

namespace awl {

// Puts what is given, or else what the program was written with, into the words behind those of awl itself (ParamWord).
// What is given for a parameter that the program was made for must be the same as then.
void set_script_params(const Manifest &manifest, const std::vector<std::string> &positional,
                       const std::vector<std::string> &options, std::vector<uint64_t> &words, Diagnostics &diagnostics);

}  // namespace awl
