#include "runtime/dwarf/debug_file.h"

#include <dwarf.h>

#include "runtime/symbols/debug_part.h"

namespace awl {

namespace {

bool has_units(Dwarf *dwarf) {
  Dwarf_Off next = 0;
  size_t header = 0;
  return dwarf && dwarf_nextcu(dwarf, 0, &next, &header, nullptr, nullptr, nullptr) == 0;
}

// libelf's view of a file that is open already; null if that cannot be.
Elf *handle_of(ElfFile &file) {
  elf_version(EV_CURRENT);
  char *bytes = file.changeable_bytes();
  return bytes ? elf_memory(bytes, file.bytes().size()) : nullptr;
}

// "/proc/7/root" of a path in the file system of a process, else "".
std::string root_of(std::string_view path) {
  constexpr std::string_view kProc = "/proc/", kRoot = "/root/";
  const size_t end = path.find('/', kProc.size());
  const bool inside = path.starts_with(kProc) && end != std::string_view::npos && path.substr(end).starts_with(kRoot);
  return inside ? std::string(path.substr(0, end + kRoot.size() - 1)) : "";
}

bool holds_functions(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_module;
}

}  // namespace

std::unique_ptr<DebugFile> DebugFile::open(const std::string &binary, const std::vector<std::string> &folders) {
  Result<std::shared_ptr<ElfFile>> program = ElfFile::open(binary);
  if (!program) return nullptr;
  const std::string root = root_of(binary);
  (*program)->set_name(binary.substr(root.size()));
  std::unique_ptr<DebugFile> out(new DebugFile(*program, *program));
  if (out->read()) return out;
  std::shared_ptr<ElfFile> separate = open_debug_file(**program, DebugPart::Dwarf, root, folders);
  if (!separate) return nullptr;
  out.reset(new DebugFile(*program, std::move(separate)));
  return out->read() ? std::move(out) : nullptr;
}

bool DebugFile::read() {
  handle_ = handle_of(*file_);
  dwarf_ = handle_ ? dwarf_begin_elf(handle_, DWARF_C_READ, nullptr) : nullptr;
  return has_units(dwarf_);
}

const std::string &DebugFile::path() const { return file_->path(); }

std::array<Dwarf_CFI *, 2> DebugFile::unwind_rules() {
  if (!rules_read_) {
    rules_read_ = true;
    if (program_ != file_) program_handle_ = handle_of(*program_);
    Elf *program = program_ == file_ ? handle_ : program_handle_;
    rules_ = program ? dwarf_getcfi_elf(program) : nullptr;
  }
  return {dwarf_getcfi(dwarf_), rules_};
}

DebugFile::~DebugFile() {
  if (rules_) dwarf_cfi_end(rules_);
  if (dwarf_) dwarf_end(dwarf_);
  for (Elf *handle : {handle_, program_handle_})
    if (handle) elf_end(handle);
}

std::optional<Dwarf_Die> DebugFile::unit_of(uint64_t address) {
  Dwarf_Die unit;
  if (dwarf_addrdie(dwarf_, address, &unit)) return unit;
  // Clang writes no .debug_aranges: the units say themselves what they cover.
  Dwarf_CU *cu = nullptr;
  while (dwarf_get_units(dwarf_, cu, &cu, nullptr, nullptr, &unit, nullptr) == 0)
    if (dwarf_haspc(&unit, address) == 1) return unit;
  return std::nullopt;
}

namespace {

// Of a function in several parts the compiler puts the one that is entered first.
std::optional<uint64_t> entry_of(Dwarf_Die *function) {
  Dwarf_Addr entry = 0, base = 0, end = 0;
  if (dwarf_entrypc(function, &entry) == 0 || dwarf_ranges(function, 0, &base, &entry, &end) > 0) return entry;
  return std::nullopt;
}

}  // namespace

void DebugFile::index_functions(Dwarf_Die *scope, int depth) {
  Dwarf_Die child;
  if (depth > 32 || dwarf_child(scope, &child) != 0) return;
  do {
    int tag = dwarf_tag(&child);
    std::optional<uint64_t> entry = tag == DW_TAG_subprogram ? entry_of(&child) : std::nullopt;
    if (entry) functions_.emplace(*entry, dwarf_dieoffset(&child));
    if (holds_functions(tag)) index_functions(&child, depth + 1);
  } while (dwarf_siblingof(&child, &child) == 0);
}

std::optional<Dwarf_Die> DebugFile::function_at(uint64_t address) {
  auto it = functions_.find(address);
  if (it == functions_.end()) {
    std::optional<Dwarf_Die> unit = unit_of(address);
    if (!unit || !indexed_.insert(dwarf_dieoffset(&*unit)).second) return std::nullopt;
    index_functions(&*unit, 0);
    it = functions_.find(address);
  }
  Dwarf_Die die;
  if (it == functions_.end() || !dwarf_offdie(dwarf_, it->second, &die)) return std::nullopt;
  return die;
}

}  // namespace awl
