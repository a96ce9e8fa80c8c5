#include "runtime/session/line_info.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/btf.h>

#include <cstring>
#include <vector>

namespace awl {
namespace {

template <class T>
void append(std::string &bytes, const T &value) {
  bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
}

// An object with two programs of 4 instructions each in one section, and lines for some instructions.
class ObjectFile {
 public:
  ObjectFile() {
    strings_ = std::string(1, '\0');
    const uint32_t file = string("x.bt");
    const uint32_t section = string("kprobe");
    std::string lines;
    append<uint32_t>(lines, sizeof(bpf_line_info));
    append(lines, section);
    append<uint32_t>(lines, 3);
    append(lines, bpf_line_info{0, file, 0, 1 << 10 | 10});
    append(lines, bpf_line_info{16, file, 0, 2 << 10 | 5});
    append(lines, bpf_line_info{32, file, 0, 7 << 10 | 3});

    std::string ext;
    for (uint32_t word : {0x0001eb9fu, 24u, 0u, 0u, 0u, static_cast<uint32_t>(lines.size())}) append(ext, word);
    ext += lines;
    std::string btf;
    append(btf, ::btf_header{0xeb9f, 1, 0, sizeof(::btf_header), 0, 0, 0, static_cast<uint32_t>(strings_.size())});
    btf += strings_;

    std::string names(1, '\0'), symbols(sizeof(Elf64_Sym), '\0');
    for (const char *name : {"first", "second"}) {
      Elf64_Sym symbol = {};
      symbol.st_name = static_cast<uint32_t>(names.size());
      symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
      symbol.st_shndx = 1;
      symbol.st_value = name == std::string("first") ? 0 : 32;
      symbol.st_size = 32;
      names.append(name).push_back('\0');
      append(symbols, symbol);
    }
    add("kprobe", SHT_PROGBITS, std::string(64, '\0'));
    add(".BTF", SHT_PROGBITS, btf);
    add(".BTF.ext", SHT_PROGBITS, ext);
    add(".strtab", SHT_STRTAB, names);
    add(".symtab", SHT_SYMTAB, symbols, 4);
  }

  [[nodiscard]] std::string bytes() const {
    std::string names(1, '\0');
    std::vector<Elf64_Shdr> headers(1);
    std::string body;
    auto place = [&](const Section &section) {
      Elf64_Shdr header = {};
      header.sh_name = static_cast<uint32_t>(names.size());
      header.sh_type = section.type;
      header.sh_link = section.link;
      header.sh_offset = sizeof(Elf64_Ehdr) + body.size();
      names.append(section.name).push_back('\0');
      body += section.bytes;
      header.sh_size = section.bytes.size();
      headers.push_back(header);
    };
    for (const Section &section : sections_) place(section);
    place({".shstrtab", SHT_STRTAB, 0, names + std::string(".shstrtab\0", 10)});
    Elf64_Ehdr header = {};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_shoff = sizeof(header) + body.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<uint16_t>(headers.size());
    header.e_shstrndx = static_cast<uint16_t>(headers.size() - 1);
    std::string file;
    append(file, header);
    file += body;
    for (const Elf64_Shdr &each : headers) append(file, each);
    return file;
  }

 private:
  struct Section {
    std::string name;
    uint32_t type;
    uint32_t link;
    std::string bytes;
  };
  void add(const char *name, uint32_t type, std::string bytes, uint32_t link = 0) {
    sections_.push_back({name, type, link, std::move(bytes)});
  }
  uint32_t string(const char *text) {
    const auto at = static_cast<uint32_t>(strings_.size());
    strings_.append(text).push_back('\0');
    return at;
  }
  std::string strings_;
  std::vector<Section> sections_;
};

std::string place(const std::string &object, const char *program, uint32_t insn) {
  auto result = insn_place(object, program, insn);
  if (!result) return "error: " + result.error().message;
  if (!*result) return "none";
  return (*result)->file + ":" + std::to_string((*result)->line) + ":" + std::to_string((*result)->column);
}

TEST(LineInfo, TheLastEntryAtOrBeforeTheInstruction) {
  const std::string object = ObjectFile().bytes();
  EXPECT_EQ(place(object, "first", 0), "x.bt:1:10");
  EXPECT_EQ(place(object, "first", 1), "x.bt:1:10");
  EXPECT_EQ(place(object, "first", 3), "x.bt:2:5");
  EXPECT_EQ(place(object, "second", 0), "x.bt:7:3");
  EXPECT_EQ(place(object, "second", 3), "x.bt:7:3");
}

TEST(LineInfo, BehindTheProgramStandOtherFunctions) {
  EXPECT_EQ(place(ObjectFile().bytes(), "first", 4), "none");
  EXPECT_EQ(place(ObjectFile().bytes(), "second", 1u << 30), "none");
}

TEST(LineInfo, DamageIsAnErrorOrNothing) {
  const std::string object = ObjectFile().bytes();
  EXPECT_EQ(place("", "first", 0), "error: the object is not an ELF file");
  EXPECT_EQ(place(object, "third", 0), "error: the object has no program third");
  for (size_t size = 0; size < object.size(); size++) place(object.substr(0, size), "first", 0);
  for (size_t at = 0; at < object.size(); at++) {
    std::string damaged = object;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    place(damaged, "second", 2);
  }
}

}  // namespace
}  // namespace awl
