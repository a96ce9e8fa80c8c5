// Finds and opens the DWARF of a program: in itself, or in a separate file by build id or debug link.
#pragma once

#include <elfutils/libdw.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "runtime/symbols/elf_file.h"

namespace awl {

class DebugFile {
 public:
  // Null if there is no debug information. `folders` are asked before /usr/lib/debug.
  static std::unique_ptr<DebugFile> open(const std::string &binary, const std::vector<std::string> &folders);
  ~DebugFile();
  DebugFile(const DebugFile &) = delete;
  DebugFile &operator=(const DebugFile &) = delete;

  [[nodiscard]] Dwarf *dwarf() const { return dwarf_; }
  [[nodiscard]] const std::string &path() const;
  // The compile unit with code at `address` (of the ELF file); nullopt if none says so.
  std::optional<Dwarf_Die> unit_of(uint64_t address);
  // Rules for unwinding: of the debug file and of the program itself; null where there are none.
  std::array<Dwarf_CFI *, 2> unwind_rules();
  // The function whose first instruction is there, as its out-of-line instance.
  std::optional<Dwarf_Die> function_at(uint64_t address);

 private:
  DebugFile(std::shared_ptr<ElfFile> program, std::shared_ptr<ElfFile> file)
      : program_(std::move(program)), file_(std::move(file)) {}

  // False if there is no debug information.
  bool read();
  void index_functions(Dwarf_Die *scope, int depth);

  std::shared_ptr<ElfFile> program_, file_;  // the second holds the DWARF, and may be the same
  Elf *handle_ = nullptr, *program_handle_ = nullptr;
  Dwarf *dwarf_ = nullptr;
  std::unordered_map<uint64_t, Dwarf_Off> functions_;  // by their first instruction, of the units in indexed_
  std::set<Dwarf_Off> indexed_;
  bool rules_read_ = false;
  Dwarf_CFI *rules_ = nullptr;  // of the program's .eh_frame
};

}  // namespace awl
