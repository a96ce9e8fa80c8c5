// Lines of source behind addresses of code, with the functions that were inlined there; private to this folder.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/symbols/elf_file.h"
#include "runtime/symbols/symbols.h"

namespace awl {

// What the DWARF of one file says. Compile units are read when an address in them is first asked for.
class SourceFrames {
 public:
  // Null if the file has no DWARF. It is kept open.
  static std::unique_ptr<SourceFrames> open(std::shared_ptr<ElfFile> elf);
  ~SourceFrames();
  SourceFrames(const SourceFrames &) = delete;
  SourceFrames &operator=(const SourceFrames &) = delete;

  // The frames at a virtual address of the file, innermost first: those of inlined functions, then the function that
  // was called, without a name. Empty if nothing is known.
  const std::vector<SourceFrame> &find(uint64_t address);

 private:
  struct Range {
    uint64_t begin = 0, end = 0;
    Dwarf_Die die = {};
  };
  struct Unit {
    Dwarf_Die lines = {};          // has the line table and the names of files
    Dwarf_Die code = {};           // has the functions: another DIE where they are in a .dwo
    std::vector<Range> functions;  // by begin
    bool indexed = false, nested = false;
  };

  SourceFrames(std::shared_ptr<ElfFile> elf, Elf *handle, Dwarf *dwarf);
  static void add_ranges(std::vector<Range> &ranges, Dwarf_Die *die, const Dwarf_Die &means);
  static void index(Unit &unit, Dwarf_Die *scope, bool nested, int depth);
  void read_units();
  Unit *unit_at(uint64_t address);
  static const Range *function_at(Unit &unit, uint64_t address);
  const std::vector<Range> &scopes_in(Dwarf_Die *scope);
  void find_inlined(Dwarf_Die scope, uint64_t address, std::vector<Dwarf_Die> &out, int depth);
  std::vector<SourceFrame> frames_at(Unit &unit, uint64_t address);

  std::shared_ptr<ElfFile> elf_;
  Elf *handle_;
  Dwarf *dwarf_;
  bool read_ = false;
  std::vector<Unit> units_;
  std::vector<std::pair<Range, size_t>> places_;                 // ranges of units, by begin; index of the unit
  std::unordered_map<const void *, std::vector<Range>> scopes_;  // by the DIE around them
  std::unordered_map<uint64_t, std::vector<SourceFrame>> known_;
};

}  // namespace awl
