#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/symbols/elf_file.h"
#include "unit/symbols/elf_builder.h"

namespace awl {
namespace {

using testing::ElfBuilder;

std::string error_of(const std::string &bytes) {
  auto file = ElfFile::from_bytes(bytes, "x");
  return file ? "" : file.error().message;
}

TEST(ElfFile, SymbolsAreSortedAndDefined) {
  auto file = ElfFile::from_bytes(ElfBuilder()
                                      .function("later", 0x401100)
                                      .import("puts")
                                      .function("early", 0x401000)
                                      .object("counter", 0x404000)
                                      .build(),
                                  "x");
  ASSERT_TRUE(file);
  auto symbols = (*file)->symbols();
  ASSERT_TRUE(symbols);
  ASSERT_EQ((*symbols)->size(), 3u);
  EXPECT_EQ((**symbols)[0].name, "early");
  EXPECT_TRUE((**symbols)[0].is_function);
  EXPECT_EQ((**symbols)[1].name, "later");
  EXPECT_EQ((**symbols)[2].name, "counter");
  EXPECT_FALSE((**symbols)[2].is_function);
  EXPECT_FALSE((*file)->stripped());
  EXPECT_FALSE((*file)->position_independent());
}

TEST(ElfFile, OneSymbolByName) {
  auto file = ElfFile::from_bytes(ElfBuilder()
                                      .function("memcpy@@GLIBC_2.14", 0x401000)
                                      .function("memcpy_x", 0x401040)
                                      .import("puts")
                                      .function("pick", 0x401080, 8, STT_GNU_IFUNC)
                                      .build(),
                                  "x");
  ASSERT_TRUE(file);
  auto found = (*file)->symbol("memcpy");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->address, 0x401000u);
  EXPECT_EQ((*found)->name, "memcpy");
  EXPECT_TRUE((*file)->symbol("pick").value()->is_indirect);
  EXPECT_FALSE((*file)->symbol("puts").value());
  EXPECT_TRUE((*file)->imports("puts").value());
  EXPECT_FALSE((*file)->imports("memcpy").value());
}

TEST(ElfFile, StrippedMeansNoSymtab) {
  ElfBuilder builder;
  builder.dynamic = true;
  builder.type = ET_DYN;
  auto file = ElfFile::from_bytes(builder.function("exported", 0x401000).build(), "x");
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->stripped());
  EXPECT_TRUE((*file)->position_independent());
  EXPECT_TRUE((*file)->symbol("exported").value());
}

TEST(ElfFile, AddressesAndOffsets) {
  ElfBuilder builder;
  builder.data = "hello";
  auto file = ElfFile::from_bytes(builder.build(), "x");
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->file_offset(0x401010), 0x1010u);
  EXPECT_EQ((*file)->file_offset(0x404004), 0x2004u);
  EXPECT_FALSE((*file)->file_offset(0x405000));  // .bss has no place in the file
  EXPECT_FALSE((*file)->file_offset(0));
  EXPECT_EQ((*file)->address_of_offset(0x1010), 0x401010u);
  EXPECT_FALSE((*file)->address_of_offset(0x2004));  // not code
  EXPECT_EQ((*file)->bytes_at(0x404001, 4), "ello");
  EXPECT_EQ((*file)->bytes_at(0x404ffe, 100).size(), 2u);
  EXPECT_EQ((*file)->bytes_at(0, 4), "");
}

TEST(ElfFile, UsdtNotes) {
  auto file = ElfFile::from_bytes(
      ElfBuilder().note("app", "start", "-4@%edi 8@$5", 0x401020, 0x404002).note("app", "stop", "", 0x401030).build(),
      "x");
  ASSERT_TRUE(file);
  auto notes = (*file)->usdt_notes();
  ASSERT_TRUE(notes);
  ASSERT_EQ((*notes)->size(), 2u);
  const UsdtNote &start = (**notes)[0];
  EXPECT_EQ(start.provider, "app");
  EXPECT_EQ(start.name, "start");
  EXPECT_EQ(start.args, "-4@%edi 8@$5");
  EXPECT_EQ(start.address, 0x401020u);
  EXPECT_EQ(start.semaphore, 0x404002u);
  EXPECT_EQ((**notes)[1].args, "");
  EXPECT_EQ((**notes)[1].semaphore, 0u);
}

TEST(ElfFile, UsdtNotesOfAPrelinkedFile) {
  ElfBuilder builder;
  builder.base_address = 0x402000;  // was at 0x2000 when linked
  auto file = ElfFile::from_bytes(builder.note("app", "start", "", 0x1020, 0x4002, 0x2000).build(), "x");
  ASSERT_TRUE(file);
  auto notes = (*file)->usdt_notes();
  ASSERT_TRUE(notes && (*notes)->size() == 1);
  EXPECT_EQ((**notes)[0].address, 0x401020u);
  EXPECT_EQ((**notes)[0].semaphore, 0x404002u);
}

TEST(ElfFile, LibrariesItIsLinkedTo) {
  const auto bash = ElfFile::open("/bin/bash");
  ASSERT_TRUE(bash) << bash.error().message;
  const std::vector<std::string> names = (*bash)->needed_libraries();
  EXPECT_NE(std::ranges::find(names, "libc.so.6"), names.end());
  EXPECT_TRUE((*ElfFile::from_bytes(ElfBuilder().build(), "x"))->needed_libraries().empty());
}

TEST(ElfFile, ErrorsSayWhatIsWrong) {
  EXPECT_EQ(error_of(""), "`x` is not an ELF file");
  EXPECT_EQ(error_of("#!/bin/sh\necho hello\n"), "`x` is not an ELF file but a script");
  std::string good = ElfBuilder().build();
  EXPECT_EQ(error_of(good.substr(0, 40)), "`x` is damaged: its header lies outside the file");
  EXPECT_EQ(error_of(good.substr(0, 0x3000)), "`x` is damaged: its section header table lies outside the file");
  std::string small = good;
  small[EI_CLASS] = ELFCLASS32;
  EXPECT_NE(error_of(small).find("32-bit"), std::string::npos);
  ElfBuilder other;
  other.machine = EM_RISCV;
  EXPECT_NE(error_of(other.build()).find("RISC-V"), std::string::npos);
  auto missing = ElfFile::open("/no/such/file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().sys_errno, ENOENT);
  EXPECT_FALSE(ElfFile::open("/tmp"));
  EXPECT_FALSE(ElfFile::open("/dev/null"));
}

TEST(ElfFile, DamagedNotesAndSymbolsAreErrors) {
  std::string good = ElfBuilder().note("app", "start", "8@%rdi", 0x401020).function("f", 0x401000).build();
  size_t note = good.find("stapsdt");
  std::string bad = good;
  bad[note - 8] = '\x7f';  // n_descsz
  bad[note - 7] = '\x7f';
  auto file = ElfFile::from_bytes(bad, "x");
  ASSERT_TRUE(file);
  EXPECT_FALSE((*file)->usdt_notes());
}

// Whatever byte is damaged or wherever the file is cut off: an answer or an error, nothing else.
TEST(ElfFile, SurvivesDamage) {
  std::string good =
      ElfBuilder().note("app", "start", "8@%rdi", 0x401020).function("f", 0x401000).function("g", 0x401010).build();
  auto use = [](const std::string &bytes) {
    auto file = ElfFile::from_bytes(bytes, "x");
    if (!file) return;
    (void)(*file)->symbols();
    (void)(*file)->usdt_notes();
    (void)(*file)->symbol("f");
    (void)(*file)->bytes_at(0x401000, 64);
    (void)(*file)->file_offset(0x401000);
  };
  for (size_t i = 0; i < good.size(); i += i < 0x100 || i >= 0x2fff ? 1 : 0x400) {
    for (char value : {'\xff', '\x00', '\x80'}) {
      std::string bad = good;
      bad[i] = value;
      use(bad);
    }
  }
  for (size_t length = 0; length < good.size(); length += 7) use(good.substr(0, length));
}

TEST(ResolveBinary, PathsNamesAndLibraries) {
  EXPECT_EQ(resolve_binary("/proc/self/exe").value(), "/proc/self/exe");
  auto shell = resolve_binary("sh");
  ASSERT_TRUE(shell);
  EXPECT_TRUE(shell->ends_with("/sh"));
  auto library = resolve_binary("libc");
  ASSERT_TRUE(library);
  EXPECT_NE(library->find("libc.so"), std::string::npos);
  EXPECT_EQ(resolve_binary("libc.so.6").value(), *library);
  EXPECT_EQ(resolve_binary("c").value(), *library);
  auto missing = resolve_binary("no-such-program-here");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("no-such-program-here"), std::string::npos);
  EXPECT_FALSE(resolve_binary("./no-such-file"));
  EXPECT_FALSE(resolve_binary(""));
  EXPECT_EQ(process_root(getpid()), "");
}

}  // namespace
}  // namespace awl
