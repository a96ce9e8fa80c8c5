// ELF files: symbols, USDT notes and addresses of whatever claims to be one.
#include <cstddef>
#include <cstdint>

#include "runtime/symbols/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto file = awl::ElfFile::from_bytes(std::string(reinterpret_cast<const char *>(data), size), "fuzz");
  if (!file) return 0;
  awl::ElfFile &elf = **file;
  if (auto symbols = elf.symbols())
    for (const awl::ElfSymbol &symbol : **symbols) (void)elf.bytes_at(symbol.address, 16);
  if (auto notes = elf.usdt_notes())
    for (const awl::UsdtNote &note : **notes) (void)elf.file_offset(note.address);
  (void)elf.symbol("main");
  (void)elf.imports("malloc");
  (void)elf.address_of_offset(0x1000);
  return 0;
}
