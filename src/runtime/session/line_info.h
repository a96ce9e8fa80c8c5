// Which line of the script an instruction of the object came from: .BTF.ext of the ELF object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace awl {

struct InsnPlace {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;  // from 1, 0 if unknown
};

// `insn` counts from the start of the program. nullopt for instructions behind the program's own end (functions that
// libbpf appended) and where the object has no line information.
Result<std::optional<InsnPlace>> insn_place(std::string_view object, std::string_view program, uint32_t insn);

}  // namespace awl
