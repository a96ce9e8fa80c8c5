#include "runtime/symbols/source_frames.h"

#include <dwarf.h>

#include <algorithm>
#include <optional>
#include <utility>

// A stack is a few dozen addresses, a program's DWARF is up to gigabytes: read is what the addresses ask for. First the
// ranges of all compile units, which stand at their heads; of a unit that is met, where each of its functions lies; of
// a function, the blocks around the address.

namespace awl {

namespace {

constexpr int kMaxDepth = 64;

bool holds_functions(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_module;
}

bool is_block(int tag) { return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block; }

// As the linker knows the function, else as its author wrote it.
std::string name_of(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  for (const unsigned int kind : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name})
    if (const char *name = dwarf_formstring(dwarf_attr_integrate(die, kind, &attribute))) return name;
  return "";
}

uint32_t number(Dwarf_Die *die, unsigned int name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0) return 0;
  return static_cast<uint32_t>(value);
}

// Where a function was inlined: the place of the call.
std::pair<std::string, uint32_t> call_place(Dwarf_Die *unit, Dwarf_Die *inlined) {
  Dwarf_Files *files = nullptr;
  size_t count = 0;
  const uint32_t file = number(inlined, DW_AT_call_file);
  const char *path = nullptr;
  if (dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count) path = dwarf_filesrc(files, file, nullptr, nullptr);
  return {path ? path : "", number(inlined, DW_AT_call_line)};
}

}  // namespace

std::unique_ptr<SourceFrames> SourceFrames::open(std::shared_ptr<ElfFile> elf) {
  elf_version(EV_CURRENT);
  char *bytes = elf->changeable_bytes();
  Elf *handle = bytes ? elf_memory(bytes, elf->bytes().size()) : nullptr;
  Dwarf *dwarf = handle ? dwarf_begin_elf(handle, DWARF_C_READ, nullptr) : nullptr;
  if (!dwarf) {
    if (handle) elf_end(handle);
    return nullptr;
  }
  return std::unique_ptr<SourceFrames>(new SourceFrames(std::move(elf), handle, dwarf));
}

SourceFrames::SourceFrames(std::shared_ptr<ElfFile> elf, Elf *handle, Dwarf *dwarf)
    : elf_(std::move(elf)), handle_(handle), dwarf_(dwarf) {}

SourceFrames::~SourceFrames() {
  dwarf_end(dwarf_);
  elf_end(handle_);
}

void SourceFrames::add_ranges(std::vector<Range> &ranges, Dwarf_Die *die, const Dwarf_Die &means) {
  Dwarf_Addr base = 0, begin = 0, end = 0;
  ptrdiff_t at = 0;
  while ((at = dwarf_ranges(die, at, &base, &begin, &end)) > 0)
    // The linker sets functions that it threw away to 0.
    if (begin != 0 && begin < end) ranges.push_back({begin, end, means});
}

void SourceFrames::read_units() {
  if (read_) return;
  read_ = true;
  Dwarf_CU *cu = nullptr;
  Unit unit;
  uint8_t kind = 0;
  Dwarf_Die code;
  std::vector<Range> ranges;
  while (dwarf_get_units(dwarf_, cu, &cu, nullptr, &kind, &unit.lines, &code) == 0) {
    if (kind != DW_UT_compile && kind != DW_UT_skeleton) continue;
    unit.code = kind == DW_UT_skeleton && code.addr ? code : unit.lines;
    ranges.clear();
    add_ranges(ranges, &unit.lines, unit.lines);
    for (const Range &range : ranges) places_.emplace_back(range, units_.size());
    units_.push_back(unit);
  }
  std::ranges::sort(places_, {}, [](const auto &place) { return place.first.begin; });
}

SourceFrames::Unit *SourceFrames::unit_at(uint64_t address) {
  read_units();
  auto after = std::ranges::upper_bound(places_, address, {}, [](const auto &place) { return place.first.begin; });
  if (after == places_.begin() || address >= std::prev(after)->first.end) return nullptr;
  return &units_[std::prev(after)->second];
}

// `nested`: also functions inside of functions, which only few languages have, and which means reading all.
void SourceFrames::index(Unit &unit, Dwarf_Die *scope, bool nested, int depth) {
  Dwarf_Die child;
  if (depth > kMaxDepth || dwarf_child(scope, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    const bool function = tag == DW_TAG_subprogram;
    if (function) add_ranges(unit.functions, &child, child);
    if (holds_functions(tag) || (nested && (function || tag == DW_TAG_lexical_block)))
      index(unit, &child, nested, depth + 1);
  } while (dwarf_siblingof(&child, &child) == 0);
}

const SourceFrames::Range *SourceFrames::function_at(Unit &unit, uint64_t address) {
  while (true) {
    auto after = std::ranges::upper_bound(unit.functions, address, {}, &Range::begin);
    if (after != unit.functions.begin() && address < std::prev(after)->end) return &*std::prev(after);
    if (unit.nested) return nullptr;
    unit.nested = unit.indexed;
    unit.indexed = true;
    unit.functions.clear();
    index(unit, &unit.code, unit.nested, 0);
    // Of those that begin together the last in the file comes last.
    std::ranges::sort(unit.functions, {}, [](const Range &range) { return std::pair(range.begin, range.die.addr); });
  }
}

// The blocks and inlined functions that stand directly in `scope`. A large function has thousands of other entries.
const std::vector<SourceFrames::Range> &SourceFrames::scopes_in(Dwarf_Die *scope) {
  auto [at, fresh] = scopes_.try_emplace(scope->addr);
  Dwarf_Die child;
  if (!fresh || dwarf_child(scope, &child) != 0) return at->second;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_inlined_subroutine || is_block(tag)) add_ranges(at->second, &child, child);
  } while (dwarf_siblingof(&child, &child) == 0);
  return at->second;
}

// The inlined functions around an address inside `scope`, outermost first.
void SourceFrames::find_inlined(Dwarf_Die scope, uint64_t address, std::vector<Dwarf_Die> &out, int depth) {
  if (depth > kMaxDepth) return;
  for (const Range &range : scopes_in(&scope)) {
    if (address < range.begin || address >= range.end) continue;
    Dwarf_Die inner = range.die;
    if (!is_block(dwarf_tag(&inner))) out.push_back(inner);
    return find_inlined(inner, address, out, depth + 1);
  }
}

std::vector<SourceFrame> SourceFrames::frames_at(Unit &unit, uint64_t address) {
  std::vector<Dwarf_Die> inlined;
  if (const Range *function = function_at(unit, address)) find_inlined(function->die, address, inlined, 0);
  std::vector<SourceFrame> out;
  SourceFrame here;
  if (Dwarf_Line *row = dwarf_getsrc_die(&unit.lines, address)) {
    const char *path = dwarf_linesrc(row, nullptr, nullptr);
    int line = 0;
    dwarf_lineno(row, &line);
    here.file = path ? path : "";
    here.line = static_cast<uint32_t>(std::max(line, 0));
  }
  for (auto die = inlined.rbegin(); die != inlined.rend(); ++die) {
    here.function = name_of(&*die);
    out.push_back(std::move(here));
    here = {};
    std::tie(here.file, here.line) = call_place(&unit.code, &*die);
  }
  if (!out.empty() || !here.file.empty()) out.push_back(std::move(here));
  return out;
}

const std::vector<SourceFrame> &SourceFrames::find(uint64_t address) {
  auto [at, fresh] = known_.try_emplace(address);
  if (fresh)
    if (Unit *unit = unit_at(address)) at->second = frames_at(*unit, address);
  return at->second;
}

}  // namespace awl
