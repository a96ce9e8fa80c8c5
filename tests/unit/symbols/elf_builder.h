// Small ELF files made in memory: no compiler is needed, and damage can be done at a known place.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace awl::testing {

class ElfBuilder {
 public:
  // Code at 0x401000 (file offset 0x1000), data at 0x404000 (file offset 0x2000), 0x1000 bytes each.
  static constexpr uint64_t kCode = 0x401000, kData = 0x404000, kSize = 0x1000;

  uint16_t type = ET_EXEC;
#if defined(__aarch64__)
  uint16_t machine = EM_AARCH64;
#else
  uint16_t machine = EM_X86_64;
#endif
  uint64_t base_address = 0;  // of .stapsdt.base; 0: no such section
  bool dynamic = false;       // symbols stand in .dynsym instead of .symtab
  std::string data;           // content of the data segment

  ElfBuilder &function(const std::string &name, uint64_t address, uint64_t size = 16, unsigned kind = STT_FUNC) {
    return symbol(name, address, size, kind, 1);
  }
  ElfBuilder &object(const std::string &name, uint64_t address) { return symbol(name, address, 8, STT_OBJECT, 1); }
  ElfBuilder &import(const std::string &name) { return symbol(name, 0, 0, STT_FUNC, SHN_UNDEF); }
  ElfBuilder &note(const std::string &provider, const std::string &name, const std::string &args, uint64_t address,
                   uint64_t semaphore = 0, uint64_t linked_base = 0) {
    std::string desc;
    for (uint64_t value : {address, linked_base, semaphore}) append(desc, value);
    desc += provider + '\0' + name + '\0' + args + '\0';
    Elf64_Nhdr header{8, static_cast<uint32_t>(desc.size()), 3};
    append(notes_, header);
    notes_ += std::string("stapsdt\0", 8) + desc;
    notes_.resize((notes_.size() + 3) & ~size_t{3});
    return *this;
  }

  [[nodiscard]] std::string build() const {
    std::string out(0x3000, '\0');
    std::memcpy(out.data() + 0x2000, data.data(), std::min<size_t>(data.size(), kSize));
    std::string section_names(1, '\0');
    std::vector<Elf64_Shdr> sections(1);
    auto add = [&](const std::string &name, uint32_t kind, const std::string &content,
                   uint32_t link = 0) -> Elf64_Shdr & {
      Elf64_Shdr section{};
      section.sh_name = static_cast<uint32_t>(section_names.size());
      section.sh_type = kind;
      section.sh_offset = out.size();
      section.sh_size = content.size();
      section.sh_link = link;
      section_names += name + '\0';
      out += content;
      sections.push_back(section);
      return sections.back();
    };
    add(".text", SHT_PROGBITS, "");
    if (!notes_.empty()) add(".note.stapsdt", SHT_NOTE, notes_);
    if (base_address != 0) add(".stapsdt.base", SHT_PROGBITS, "\0").sh_addr = base_address;
    if (!symbols_.empty()) {
      std::string table(sizeof(Elf64_Sym), '\0');
      for (const Elf64_Sym &one : symbols_) append(table, one);
      add(dynamic ? ".dynsym" : ".symtab", dynamic ? SHT_DYNSYM : SHT_SYMTAB, table,
          static_cast<uint32_t>(sections.size()) + 1);
      add(".strtab", SHT_STRTAB, names_);
    }
    add(".shstrtab", SHT_STRTAB, "");
    sections.back().sh_size = section_names.size();
    out += section_names;

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = type;
    header.e_machine = machine;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    header.e_shoff = out.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<uint16_t>(sections.size());
    header.e_shstrndx = static_cast<uint16_t>(sections.size() - 1);
    Elf64_Phdr code{PT_LOAD, PF_R | PF_X, 0x1000, kCode, kCode, kSize, kSize, 0x1000};
    Elf64_Phdr writable{PT_LOAD, PF_R | PF_W, 0x2000, kData, kData, kSize, 2 * kSize, 0x1000};
    std::memcpy(out.data(), &header, sizeof(header));
    std::memcpy(out.data() + sizeof(header), &code, sizeof(code));
    std::memcpy(out.data() + sizeof(header) + sizeof(code), &writable, sizeof(writable));
    for (const Elf64_Shdr &section : sections) append(out, section);
    return out;
  }

 private:
  template <class T>
  static void append(std::string &out, const T &value) {
    out.append(reinterpret_cast<const char *>(&value), sizeof(value));
  }
  ElfBuilder &symbol(const std::string &name, uint64_t address, uint64_t size, unsigned kind, uint16_t section) {
    Elf64_Sym one{};
    one.st_name = static_cast<uint32_t>(names_.size());
    one.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, kind));
    one.st_shndx = section;
    one.st_value = address;
    one.st_size = size;
    symbols_.push_back(one);
    names_ += name + '\0';
    return *this;
  }

  std::vector<Elf64_Sym> symbols_;
  std::string names_ = std::string(1, '\0');
  std::string notes_;
};

}  // namespace awl::testing
