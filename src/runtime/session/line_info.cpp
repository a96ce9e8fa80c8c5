#include "runtime/session/line_info.h"

#include <elf.h>
#include <linux/bpf.h>
#include <linux/btf.h>

#include <cstring>
#include <vector>

namespace awl {
namespace {

constexpr uint32_t kInsnSize = 8;

// As much of .BTF.ext's header as line information needs (the UAPI headers do not have it).
struct BtfExtHeader {
  uint16_t magic;
  uint8_t version;
  uint8_t flags;
  uint32_t header_size;
  uint32_t func_info_offset;
  uint32_t func_info_size;
  uint32_t line_info_offset;
  uint32_t line_info_size;
};

// Copies of things at offsets of the bytes, each checked.
class Bytes {
 public:
  explicit Bytes(std::string_view data) : data_(data) {}

  template <class T>
  [[nodiscard]] std::optional<T> at(uint64_t offset) const {
    if (offset > data_.size() || data_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, data_.data() + offset, sizeof(T));
    return value;
  }
  [[nodiscard]] std::string_view part(uint64_t offset, uint64_t size) const {
    if (offset > data_.size() || data_.size() - offset < size) return {};
    return data_.substr(offset, size);
  }
  [[nodiscard]] std::string_view string(uint64_t offset) const {
    if (offset >= data_.size()) return {};
    const std::string_view rest = data_.substr(offset);
    return rest.substr(0, rest.find('\0'));
  }
  [[nodiscard]] uint64_t size() const { return data_.size(); }

 private:
  std::string_view data_;
};

struct Sections {
  struct Section {
    std::string_view name;
    Elf64_Shdr header;
    std::string_view bytes;
  };
  std::vector<Section> list;

  [[nodiscard]] const Section *find(std::string_view name) const {
    for (const Section &section : list)
      if (section.name == name) return &section;
    return nullptr;
  }
};

std::optional<Sections> read_sections(std::string_view object) {
  const Bytes file(object);
  const auto header = file.at<Elf64_Ehdr>(0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  Sections sections;
  for (uint32_t i = 0; i < header->e_shnum; i++) {
    const auto section = file.at<Elf64_Shdr>(header->e_shoff + uint64_t{i} * header->e_shentsize);
    if (!section) return std::nullopt;
    const bool empty = section->sh_type == SHT_NOBITS || section->sh_type == SHT_NULL;
    sections.list.push_back(
        {{}, *section, empty ? std::string_view() : file.part(section->sh_offset, section->sh_size)});
  }
  if (header->e_shstrndx >= sections.list.size()) return std::nullopt;
  const Bytes names(sections.list[header->e_shstrndx].bytes);
  for (auto &section : sections.list) section.name = names.string(section.header.sh_name);
  return sections;
}

struct ProgramPlace {
  std::string_view section;
  uint64_t begin = 0;  // bytes in the section
  uint64_t end = 0;
};

std::optional<ProgramPlace> find_program(const Sections &sections, std::string_view program) {
  for (const auto &section : sections.list) {
    if (section.header.sh_type != SHT_SYMTAB || section.header.sh_link >= sections.list.size()) continue;
    const Bytes symbols(section.bytes);
    const Bytes names(sections.list[section.header.sh_link].bytes);
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size(); at += sizeof(Elf64_Sym)) {
      const auto symbol = symbols.at<Elf64_Sym>(at);
      if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || names.string(symbol->st_name) != program) continue;
      if (symbol->st_shndx >= sections.list.size()) continue;
      return ProgramPlace{sections.list[symbol->st_shndx].name, symbol->st_value, symbol->st_value + symbol->st_size};
    }
  }
  return std::nullopt;
}

// The last entry at or before `offset` of the program's section.
std::optional<bpf_line_info> find_line(const Bytes &lines, const Bytes &strings, const ProgramPlace &program,
                                       uint64_t offset) {
  const auto record_size = lines.at<uint32_t>(0);
  if (!record_size || *record_size < sizeof(bpf_line_info)) return std::nullopt;
  std::optional<bpf_line_info> best;
  uint64_t at = sizeof(uint32_t);
  while (true) {
    const auto name = lines.at<uint32_t>(at);
    const auto count = lines.at<uint32_t>(at + 4);
    if (!name || !count) return best;
    at += 8;
    const bool ours = strings.string(*name) == program.section;
    for (uint32_t i = 0; i < *count; i++, at += *record_size) {
      const auto line = lines.at<bpf_line_info>(at);
      if (!line) return best;
      if (ours && line->insn_off >= program.begin && line->insn_off <= offset &&
          (!best || line->insn_off >= best->insn_off))
        best = line;
    }
  }
}

}  // namespace

Result<std::optional<InsnPlace>> insn_place(std::string_view object, std::string_view program, uint32_t insn) {
  const std::optional<Sections> sections = read_sections(object);
  if (!sections) return fail("the object is not an ELF file");
  const std::optional<ProgramPlace> place = find_program(*sections, program);
  if (!place) return fail("the object has no program " + std::string(program));
  const auto *btf = sections->find(".BTF");
  const auto *ext = sections->find(".BTF.ext");
  const uint64_t offset = place->begin + uint64_t{insn} * kInsnSize;
  if (!btf || !ext || offset >= place->end) return std::nullopt;

  const auto types_header = Bytes(btf->bytes).at<::btf_header>(0);
  const auto ext_header = Bytes(ext->bytes).at<BtfExtHeader>(0);
  if (!types_header || !ext_header) return fail("the object's .BTF.ext is damaged");
  const Bytes strings(
      Bytes(btf->bytes).part(uint64_t{types_header->hdr_len} + types_header->str_off, types_header->str_len));
  const Bytes lines(
      Bytes(ext->bytes)
          .part(uint64_t{ext_header->header_size} + ext_header->line_info_offset, ext_header->line_info_size));
  const std::optional<bpf_line_info> line = find_line(lines, strings, *place, offset);
  if (!line) return std::nullopt;
  return InsnPlace{std::string(strings.string(line->file_name_off)), BPF_LINE_INFO_LINE_NUM(line->line_col),
                   BPF_LINE_INFO_LINE_COL(line->line_col)};
}

}  // namespace awl
