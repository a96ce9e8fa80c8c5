#include "runtime/symbols/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/fd.h"
#include "base/file_mapping.h"
#include "runtime/symbols/zip_archive.h"

// Files are read in place, from a mapping, every offset checked: what is read here is whatever the user
// names, so a damaged file must end in an error, and a 500 MB one must not be copied. One that is cut off meanwhile
// reads as zeros.

namespace awl {

namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "which ELF machine is this architecture?"
#endif

std::string_view machine_name(uint16_t machine) {
  switch (machine) {
    case EM_386: return "x86 (32 bit)";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "arm (32 bit)";
    case EM_AARCH64: return "arm64";
    case EM_RISCV: return "RISC-V";
    case EM_BPF: return "BPF";
    default: return "another architecture";
  }
}

// Versioned names of .symtab ("memcpy@@GLIBC_2.14") are known to users without the version.
std::string_view bare_name(std::string_view name) {
  size_t at = name.find('@');
  return at == 0 ? name : name.substr(0, at);
}

uint64_t align4(uint64_t value) { return (value + 3) & ~uint64_t{3}; }

}  // namespace

struct ElfFile::Impl {
  std::string path, name;
  std::string owned;    // from_bytes
  FileMapping mapping;  // open
  uint64_t start = 0;   // of `bytes` in the file that is mapped
  std::string_view bytes;
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;  // PT_LOAD only
  std::vector<Elf64_Shdr> sections;
  std::string_view section_names;
  std::optional<std::vector<ElfSymbol>> symbols;
  std::optional<std::vector<UsdtNote>> notes;

  [[nodiscard]] std::optional<std::string_view> range(uint64_t offset, uint64_t size) const {
    if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
    return bytes.substr(offset, size);
  }
  // Tables may be misaligned in a damaged file: always copied out.
  template <class T>
  static T read(std::string_view data, uint64_t index) {
    T value;
    std::memcpy(&value, data.data() + index * sizeof(T), sizeof(T));
    return value;
  }
  [[nodiscard]] static std::string_view text_at(std::string_view table, uint64_t offset) {
    if (offset >= table.size()) return {};
    std::string_view rest = table.substr(offset);
    size_t end = rest.find('\0');
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
  }
  [[nodiscard]] std::unexpected<Error> damaged(std::string_view what) const {
    return fail("`" + path + "` is damaged: " + std::string(what) + " lies outside the file");
  }

  Result<> parse();
  [[nodiscard]] const Elf64_Shdr *section(std::string_view name) const;
  // Calls visit(Elf64_Sym, name) for .symtab and .dynsym until it returns false.
  template <class Visit>
  Result<> each_symbol(Visit visit) const;
  Result<> parse_notes(std::string_view data, uint64_t base, std::vector<UsdtNote> &out) const;
};

Result<> ElfFile::Impl::parse() {
  if (bytes.starts_with("#!"))
    return fail("`" + path + "` is not an ELF file but a script",
                "probe its interpreter: " + std::string(bytes.substr(2, std::min<size_t>(bytes.find('\n'), 100) - 2)));
  if (bytes.size() < EI_NIDENT || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    return fail("`" + path + "` is not an ELF file");
  if (bytes[EI_CLASS] != ELFCLASS64) return fail("`" + path + "` is a 32-bit program: only 64-bit ones can be traced");
  if (bytes[EI_DATA] != ELFDATA2LSB) return fail("`" + path + "` is for a big-endian architecture");
  if (bytes.size() < sizeof(header)) return damaged("its header");
  header = read<Elf64_Ehdr>(bytes, 0);
  if (header.e_machine != kMachine)
    return fail("`" + path + "` is for " + std::string(machine_name(header.e_machine)) + ", this machine is " +
                std::string(machine_name(kMachine)));

  if (header.e_phnum > 0) {
    auto table = range(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr));
    if (!table || header.e_phentsize != sizeof(Elf64_Phdr)) return damaged("its program header table");
    for (uint64_t i = 0; i < header.e_phnum; i++) {
      auto segment = read<Elf64_Phdr>(*table, i);
      if (segment.p_type == PT_LOAD) segments.push_back(segment);
    }
  }
  if (header.e_shoff == 0) return {};  // fully stripped: legal
  auto first = range(header.e_shoff, sizeof(Elf64_Shdr));
  if (!first || header.e_shentsize != sizeof(Elf64_Shdr)) return damaged("its section header table");
  // With 0xff00 sections and more, count and index of the names stand in section 0.
  auto zero = read<Elf64_Shdr>(*first, 0);
  uint64_t count = header.e_shnum != 0 ? header.e_shnum : zero.sh_size;
  uint64_t names = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : zero.sh_link;
  if (count > bytes.size() / sizeof(Elf64_Shdr)) return damaged("its section header table");
  auto table = range(header.e_shoff, count * sizeof(Elf64_Shdr));
  if (!table) return damaged("its section header table");
  sections.reserve(count);
  for (uint64_t i = 0; i < count; i++) sections.push_back(read<Elf64_Shdr>(*table, i));
  if (names < count && sections[names].sh_type == SHT_STRTAB) {
    auto text = range(sections[names].sh_offset, sections[names].sh_size);
    if (!text) return damaged("its table of section names");
    section_names = *text;
  }
  return {};
}

const Elf64_Shdr *ElfFile::Impl::section(std::string_view name) const {
  for (const Elf64_Shdr &candidate : sections)
    if (text_at(section_names, candidate.sh_name) == name) return &candidate;
  return nullptr;
}

template <class Visit>
Result<> ElfFile::Impl::each_symbol(Visit visit) const {
  for (const Elf64_Shdr &table : sections) {
    if (table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) continue;
    auto data = range(table.sh_offset, table.sh_size);
    if (!data) return damaged("its symbol table");
    if (table.sh_link >= sections.size()) return damaged("its table of symbol names");
    auto names = range(sections[table.sh_link].sh_offset, sections[table.sh_link].sh_size);
    if (!names) return damaged("its table of symbol names");
    for (uint64_t i = 0, count = data->size() / sizeof(Elf64_Sym); i < count; i++) {
      auto symbol = read<Elf64_Sym>(*data, i);
      std::string_view name = text_at(*names, symbol.st_name);
      if (!name.empty() && !visit(symbol, name)) return {};
    }
  }
  return {};
}

namespace {

bool is_code_or_data(const Elf64_Sym &symbol) {
  unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS &&
         (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT || type == STT_NOTYPE);
}

ElfSymbol make_symbol(const Elf64_Sym &symbol, std::string_view name) {
  unsigned type = ELF64_ST_TYPE(symbol.st_info);
  ElfSymbol out;
  out.name = bare_name(name);
  out.address = symbol.st_value;
  out.size = symbol.st_size;
  out.is_function = type == STT_FUNC || type == STT_GNU_IFUNC;
  out.is_indirect = type == STT_GNU_IFUNC;
  return out;
}

}  // namespace

ElfFile::ElfFile() : impl_(std::make_unique<Impl>()) {}
ElfFile::~ElfFile() = default;

Result<std::shared_ptr<ElfFile>> ElfFile::open(const std::string &path) {
  const BinaryPath place = split_binary_path(path);
  const Fd opened(::open(place.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened) return fail_errno("cannot open `" + path + "`");
  struct stat info{};
  int failed = fstat(opened.get(), &info) < 0 ? errno : 0;
  bool regular = failed == 0 && S_ISREG(info.st_mode);
  std::shared_ptr<ElfFile> file(new ElfFile());
  file->impl_->path = path;
  if (regular && info.st_size > 0) {
    if (auto mapped = FileMapping::map(opened.get(), static_cast<size_t>(info.st_size))) {
      file->impl_->mapping = *std::move(mapped);
      file->impl_->bytes = {file->impl_->mapping.data(), file->impl_->mapping.size()};
    } else {
      failed = mapped.error().sys_errno;
    }
  }
  if (failed != 0) return fail_errno("cannot read `" + path + "`", failed);
  if (!regular) return fail("`" + path + "` is not an ELF file" + (S_ISDIR(info.st_mode) ? " but a directory" : ""));
  if (!place.member.empty()) {
    auto member = find_archive_member(file->impl_->bytes, place.member);
    if (!member) return fail("cannot open `" + path + "`: " + member.error().message, member.error().hint);
    file->impl_->start = member->offset;
    file->impl_->bytes = file->impl_->bytes.substr(member->offset, member->size);
  }
  TRY(file->impl_->parse());
  return file;
}

Result<std::shared_ptr<ElfFile>> ElfFile::from_bytes(std::string bytes, const std::string &path) {
  std::shared_ptr<ElfFile> file(new ElfFile());
  file->impl_->path = path;
  file->impl_->owned = std::move(bytes);
  file->impl_->bytes = file->impl_->owned;
  TRY(file->impl_->parse());
  return file;
}

std::shared_ptr<ElfFile> ElfFile::vdso() {
  auto *base = reinterpret_cast<const char *>(getauxval(AT_SYSINFO_EHDR));
  if (!base) return nullptr;
  Elf64_Ehdr header;
  std::memcpy(&header, base, sizeof(header));
  const size_t size = header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
  constexpr size_t kLargest = 64 * 1024;
  if (size > kLargest) return nullptr;
  Result<std::shared_ptr<ElfFile>> elf = from_bytes(std::string(base, size), "[vdso]");
  return elf ? *elf : nullptr;
}

const std::string &ElfFile::path() const { return impl_->path; }
const std::string &ElfFile::name() const { return impl_->name.empty() ? impl_->path : impl_->name; }
void ElfFile::set_name(std::string name) { impl_->name = std::move(name); }
std::string_view ElfFile::bytes() const { return impl_->bytes; }

char *ElfFile::changeable_bytes() {
  const FileMapping &mapping = impl_->mapping;
  if (!mapping.data()) return impl_->owned.data();
  if (mprotect(mapping.data(), mapping.size(), PROT_READ | PROT_WRITE) != 0) return nullptr;
  return mapping.data() + impl_->start;
}

std::optional<std::string_view> ElfFile::section(std::string_view name) const {
  const Elf64_Shdr *found = impl_->section(name);
  if (!found || found->sh_type == SHT_NOBITS) return std::nullopt;
  return impl_->range(found->sh_offset, found->sh_size);
}

std::optional<uint64_t> ElfFile::section_address(std::string_view name) const {
  const Elf64_Shdr *found = impl_->section(name);
  return found ? std::optional(found->sh_addr) : std::nullopt;
}

std::vector<std::string> ElfFile::needed_libraries() const {
  const std::optional<std::string_view> entries = section(".dynamic"), names = section(".dynstr");
  std::vector<std::string> out;
  if (!entries || !names) return out;
  for (size_t i = 0; i < entries->size() / sizeof(Elf64_Dyn); i++) {
    const auto entry = Impl::read<Elf64_Dyn>(*entries, i);
    if (entry.d_tag != DT_NEEDED || entry.d_un.d_val >= names->size()) continue;
    const std::string_view name = names->substr(entry.d_un.d_val);
    out.emplace_back(name.substr(0, name.find('\0')));
  }
  return out;
}

std::string ElfFile::build_id() const {
  for (const Elf64_Shdr &section : impl_->sections) {
    if (section.sh_type != SHT_NOTE) continue;
    std::optional<std::string_view> data = impl_->range(section.sh_offset, section.sh_size);
    while (data && data->size() >= sizeof(Elf64_Nhdr)) {
      auto note = Impl::read<Elf64_Nhdr>(*data, 0);
      uint64_t at = sizeof(note) + align4(note.n_namesz), end = at + align4(note.n_descsz);
      if (at + note.n_descsz > data->size()) break;
      if (note.n_type == NT_GNU_BUILD_ID && data->substr(sizeof(note), note.n_namesz) == std::string_view("GNU", 4))
        return std::string(data->substr(at, note.n_descsz));
      data->remove_prefix(std::min<uint64_t>(end, data->size()));
    }
  }
  return "";
}

std::string_view ElfFile::library_name() const {
  for (const Elf64_Shdr &section : impl_->sections) {
    if (section.sh_type != SHT_DYNAMIC || section.sh_link >= impl_->sections.size()) continue;
    const Elf64_Shdr &table = impl_->sections[section.sh_link];
    const auto entries = impl_->range(section.sh_offset, section.sh_size);
    const auto names = impl_->range(table.sh_offset, table.sh_size);
    for (uint64_t i = 0; entries && names && i < entries->size() / sizeof(Elf64_Dyn); i++)
      if (const auto entry = Impl::read<Elf64_Dyn>(*entries, i); entry.d_tag == DT_SONAME)
        return Impl::text_at(*names, entry.d_un.d_val);
  }
  return {};
}

bool ElfFile::position_independent() const { return impl_->header.e_type == ET_DYN; }

bool ElfFile::stripped() const {
  return std::ranges::none_of(impl_->sections, [](const Elf64_Shdr &s) { return s.sh_type == SHT_SYMTAB; });
}

Result<const std::vector<ElfSymbol> *> ElfFile::symbols() {
  if (impl_->symbols) return &*impl_->symbols;
  std::vector<ElfSymbol> list;
  TRY(impl_->each_symbol([&](const Elf64_Sym &symbol, std::string_view name) {
    if (is_code_or_data(symbol)) list.push_back(make_symbol(symbol, name));
    return true;
  }));
  std::ranges::sort(list, [](const ElfSymbol &a, const ElfSymbol &b) {
    return std::tie(a.address, a.name) < std::tie(b.address, b.name);
  });
  // .symtab repeats .dynsym
  auto same = [](const ElfSymbol &a, const ElfSymbol &b) { return a.address == b.address && a.name == b.name; };
  list.erase(std::ranges::unique(list, same).begin(), list.end());
  impl_->symbols = std::move(list);
  return &*impl_->symbols;
}

Result<std::optional<ElfSymbol>> ElfFile::symbol(std::string_view wanted) {
  std::optional<ElfSymbol> found;
  TRY(impl_->each_symbol([&](const Elf64_Sym &symbol, std::string_view name) {
    if (!name.starts_with(wanted) || bare_name(name) != wanted || !is_code_or_data(symbol)) return true;
    ElfSymbol candidate = make_symbol(symbol, name);
    if (!found || candidate.is_function) found = std::move(candidate);
    return !found->is_function;
  }));
  return found;
}

Result<bool> ElfFile::imports(std::string_view wanted) {
  bool imported = false;
  TRY(impl_->each_symbol([&](const Elf64_Sym &symbol, std::string_view name) {
    imported = symbol.st_shndx == SHN_UNDEF && bare_name(name) == wanted;
    return !imported;
  }));
  return imported;
}

// A note of .note.stapsdt: header {namesz, descsz, type}, name "stapsdt", then the description
//   u64 address of the marker, u64 address of .stapsdt.base when linked, u64 address of the semaphore,
//   provider\0 name\0 arguments\0
// A prelinked file has moved since; how far tells .stapsdt.base's present address.
Result<> ElfFile::Impl::parse_notes(std::string_view data, uint64_t base, std::vector<UsdtNote> &out) const {
  constexpr uint32_t kStapsdt = 3;
  uint64_t at = 0;
  while (data.size() - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, data.data() + at, sizeof(note));
    uint64_t name_at = at + sizeof(note);
    uint64_t desc_at = name_at + align4(note.n_namesz);
    uint64_t next = desc_at + align4(note.n_descsz);
    if (desc_at + note.n_descsz > data.size()) return fail("`" + path + "` is damaged: a USDT note is cut off");
    std::string_view name = data.substr(name_at, note.n_namesz);
    std::string_view desc = data.substr(desc_at, note.n_descsz);
    at = std::min<uint64_t>(next, data.size());
    if (note.n_type != kStapsdt || name != std::string_view("stapsdt\0", 8)) continue;
    uint64_t addresses[3];
    if (desc.size() < sizeof(addresses)) return fail("`" + path + "` is damaged: a USDT note is too short");
    std::memcpy(addresses, desc.data(), sizeof(addresses));
    desc.remove_prefix(sizeof(addresses));
    std::string_view texts[3];
    for (std::string_view &text : texts) {
      size_t end = desc.find('\0');
      if (end == std::string_view::npos) return fail("`" + path + "` is damaged: a USDT note has no end");
      text = desc.substr(0, end);
      desc.remove_prefix(end + 1);
    }
    uint64_t moved = base != 0 && addresses[1] != 0 ? base - addresses[1] : 0;
    UsdtNote found;
    found.provider = texts[0];
    found.name = texts[1];
    found.args = texts[2];
    found.address = addresses[0] + moved;
    found.semaphore = addresses[2] != 0 ? addresses[2] + moved : 0;
    out.push_back(std::move(found));
  }
  return {};
}

Result<const std::vector<UsdtNote> *> ElfFile::usdt_notes() {
  if (impl_->notes) return &*impl_->notes;
  std::vector<UsdtNote> list;
  const Elf64_Shdr *base = impl_->section(".stapsdt.base");
  for (const Elf64_Shdr &section : impl_->sections) {
    if (section.sh_type != SHT_NOTE || impl_->text_at(impl_->section_names, section.sh_name) != ".note.stapsdt")
      continue;
    auto data = impl_->range(section.sh_offset, section.sh_size);
    if (!data) return impl_->damaged("its section of USDT notes");
    TRY(impl_->parse_notes(*data, base ? base->sh_addr : 0, list));
  }
  impl_->notes = std::move(list);
  return &*impl_->notes;
}

std::optional<uint64_t> ElfFile::file_offset(uint64_t address) const {
  for (const Elf64_Phdr &segment : impl_->segments)
    if (address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
      return address - segment.p_vaddr + segment.p_offset + impl_->start;
  return std::nullopt;
}

std::optional<uint64_t> ElfFile::address_of_offset(uint64_t offset) const {
  if (offset < impl_->start) return std::nullopt;
  offset -= impl_->start;
  for (const Elf64_Phdr &segment : impl_->segments)
    if ((segment.p_flags & PF_X) != 0 && offset >= segment.p_offset && offset - segment.p_offset < segment.p_filesz)
      return offset - segment.p_offset + segment.p_vaddr;
  return std::nullopt;
}

std::vector<CodeSegment> ElfFile::code_segments() const {
  std::vector<CodeSegment> out;
  for (const Elf64_Phdr &segment : impl_->segments)
    if ((segment.p_flags & PF_X) != 0)
      out.push_back({segment.p_offset + impl_->start, segment.p_filesz, segment.p_vaddr});
  return out;
}

uint64_t ElfFile::entry_point() const { return impl_->header.e_entry; }

uint64_t ElfFile::lowest_address() const {
  const auto lowest = std::ranges::min_element(impl_->segments, {}, &Elf64_Phdr::p_vaddr);
  return lowest == impl_->segments.end() ? 0 : lowest->p_vaddr;
}

std::string ElfFile::bytes_at(uint64_t address, size_t size) const {
  for (const Elf64_Phdr &segment : impl_->segments) {
    if (address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz) continue;
    uint64_t skip = address - segment.p_vaddr;
    if (segment.p_offset > impl_->bytes.size() || skip > impl_->bytes.size() - segment.p_offset) return {};
    return std::string(impl_->bytes.substr(segment.p_offset + skip, std::min<uint64_t>(size, segment.p_filesz - skip)));
  }
  return {};
}

}  // namespace awl
