#include "runtime/dwarf/debug_file.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <unistd.h>

#include <filesystem>

namespace awl {

namespace {

constexpr const char *kSystemFolder = "/usr/lib/debug";

struct Opened {
  int fd = -1;
  Dwarf *dwarf = nullptr;
};

void close(Opened &opened) {
  if (opened.dwarf) dwarf_end(opened.dwarf);
  if (opened.fd >= 0) ::close(opened.fd);
  opened = {};
}

bool has_units(Dwarf *dwarf) {
  Dwarf_Off next = 0;
  size_t header = 0;
  return dwarf && dwarf_nextcu(dwarf, 0, &next, &header, nullptr, nullptr, nullptr) == 0;
}

Opened open_with_units(const std::string &path) {
  Opened out;
  out.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (out.fd >= 0) out.dwarf = dwarf_begin(out.fd, DWARF_C_READ);
  if (!has_units(out.dwarf)) close(out);
  return out;
}

// The build id that the linker noted, empty if none. (libdwelf's own pulls in libdwfl with all its decompressors.)
std::string build_id(Elf *elf) {
  GElf_Shdr header;
  for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf, section));) {
    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE) continue;
    Elf_Data *data = elf_getdata(section, nullptr);
    GElf_Nhdr note;
    size_t name = 0, content = 0, next = 0;
    for (size_t at = 0; data && (next = gelf_getnote(data, at, &note, &name, &content)) > 0; at = next) {
      const char *bytes = static_cast<const char *>(data->d_buf);
      if (note.n_type == NT_GNU_BUILD_ID && std::string_view(bytes + name, note.n_namesz) == std::string_view("GNU", 4))
        return {bytes + content, note.n_descsz};
    }
  }
  return "";
}

// Where the separate debug information of a program may be.
std::vector<std::string> candidates(const std::string &binary, const std::vector<std::string> &folders) {
  std::vector<std::string> out;
  int fd = ::open(binary.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  elf_version(EV_CURRENT);
  Elf *elf = elf_begin(fd, ELF_C_READ, nullptr);
  std::vector<std::string> roots = folders;
  roots.emplace_back(kSystemFolder);
  std::string id = elf ? build_id(elf) : "";
  if (id.size() > 1) {
    std::string name = ".build-id/";
    for (size_t i = 0; i < id.size(); i++)
      name += fmt::format("{:02x}{}", static_cast<unsigned char>(id[i]), i == 0 ? "/" : "");
    for (const std::string &root : roots) out.push_back(root + "/" + name + ".debug");
  }
  GElf_Word checksum = 0;
  const char *link = elf ? dwelf_elf_gnu_debuglink(elf, &checksum) : nullptr;
  if (link) {
    std::error_code ignored;
    std::filesystem::path real = std::filesystem::canonical(binary, ignored);
    std::string folder = ignored ? std::filesystem::path(binary).parent_path() : real.parent_path();
    out.push_back(folder + "/.debug/" + link);
    out.push_back(folder + "/" + link);
    for (const std::string &root : roots) {
      out.push_back(root + folder + "/" + link);
      out.push_back(root + "/" + link);
    }
  }
  if (elf) elf_end(elf);
  ::close(fd);
  return out;
}

bool holds_functions(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_module;
}

}  // namespace

std::unique_ptr<DebugFile> DebugFile::open(const std::string &binary, const std::vector<std::string> &folders) {
  Opened found = open_with_units(binary);
  std::string path = binary;
  if (!found.dwarf) {
    for (const std::string &candidate : candidates(binary, folders)) {
      found = open_with_units(candidate);
      path = candidate;
      if (found.dwarf) break;
    }
  }
  if (!found.dwarf) return nullptr;
  return std::unique_ptr<DebugFile>(new DebugFile(binary, path, found.fd, found.dwarf));
}

std::array<Dwarf_CFI *, 2> DebugFile::unwind_rules() {
  if (!rules_read_) {
    rules_read_ = true;
    binary_fd_ = ::open(binary_.c_str(), O_RDONLY | O_CLOEXEC);
    binary_elf_ = binary_fd_ >= 0 ? elf_begin(binary_fd_, ELF_C_READ, nullptr) : nullptr;
    rules_ = binary_elf_ ? dwarf_getcfi_elf(binary_elf_) : nullptr;
  }
  return {dwarf_getcfi(dwarf_), rules_};
}

DebugFile::~DebugFile() {
  if (rules_) dwarf_cfi_end(rules_);
  if (binary_elf_) elf_end(binary_elf_);
  if (binary_fd_ >= 0) ::close(binary_fd_);
  dwarf_end(dwarf_);
  ::close(fd_);
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

void DebugFile::index_functions(Dwarf_Die *scope, int depth) {
  Dwarf_Die child;
  if (depth > 32 || dwarf_child(scope, &child) != 0) return;
  do {
    int tag = dwarf_tag(&child);
    Dwarf_Addr low = 0;
    if (tag == DW_TAG_subprogram && dwarf_entrypc(&child, &low) == 0) functions_.emplace(low, dwarf_dieoffset(&child));
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
