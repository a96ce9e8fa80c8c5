// Separate debug files of programs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/symbols/elf_file.h"

namespace awl {

// What a stripped file lacks, from the first of: its debug file by build id and by debug link, in `folders`, below
// `root` and then as we see the file system; for Symbols, its own .gnu_debugdata. Null if there is none of these.
enum class DebugPart : uint8_t { Symbols, Dwarf };
std::shared_ptr<ElfFile> open_debug_file(const ElfFile &elf, DebugPart part, const std::string &root,
                                         const std::vector<std::string> &folders);

}  // namespace awl
