// What awl needs of an ELF file: symbols, their file offsets, USDT notes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

struct ElfSymbol {
  std::string name;
  uint64_t address = 0;  // virtual address in the file
  uint64_t size = 0;
  bool is_function = false;
  bool is_indirect = false;  // STT_GNU_IFUNC: the address is that of a resolver, not of the function that runs
};

struct UsdtNote {
  std::string provider;
  std::string name;
  std::string args;        // "-4@112(%rsp) 8@%rdi"
  uint64_t address = 0;    // corrected for prelinking (.stapsdt.base)
  uint64_t semaphore = 0;  // address, 0 if none
};

struct CodeSegment {
  uint64_t offset = 0, size = 0;  // in the file
  uint64_t address = 0;           // virtual, in the file
};

class ElfFile {
 public:
  // Errors: cannot open, not an ELF file, truncated, other architecture. "x.apk!/lib/y.so": a file in a zip archive,
  // of which all offsets are those in the archive.
  static Result<std::shared_ptr<ElfFile>> open(const std::string &path);
  // The same from a file's content; `path` is for messages.
  static Result<std::shared_ptr<ElfFile>> from_bytes(std::string bytes, const std::string &path);
  // The kernel's own mapping into every process, as a file. Null if there is none.
  static std::shared_ptr<ElfFile> vdso();
  ~ElfFile();

  [[nodiscard]] const std::string &path() const;
  // As the process that maps it calls it, if set: /proc/7/map_files/... is no name to look for others beside it.
  [[nodiscard]] const std::string &name() const;
  void set_name(std::string name);
  // What the linker noted to tell builds apart, raw bytes; "" if nothing.
  [[nodiscard]] std::string build_id() const;
  // What the linkers call the library, DT_SONAME: "libssl.so.3"; "" if it has no name.
  [[nodiscard]] std::string_view library_name() const;
  // Content of a section, nullopt if there is none or if it lies outside the file.
  [[nodiscard]] std::optional<std::string_view> section(std::string_view name) const;
  // Virtual address of a section in the file, nullopt if there is none.
  [[nodiscard]] std::optional<uint64_t> section_address(std::string_view name) const;
  [[nodiscard]] std::string_view bytes() const;  // the whole file
  // The same for libelf, which changes headers in place when it unpacks a section. What it writes stays in this process
  // and is not seen by the other members. Null if memory does not allow it.
  char *changeable_bytes();
  // Names of the libraries that the dynamic linker loads with it (DT_NEEDED): "libc.so.6".
  [[nodiscard]] std::vector<std::string> needed_libraries() const;
  [[nodiscard]] bool position_independent() const;  // ET_DYN
  [[nodiscard]] bool stripped() const;              // no .symtab
  // .symtab and .dynsym together, defined symbols only, sorted by address.
  Result<const std::vector<ElfSymbol> *> symbols();
  // One defined symbol by name, found without making the list of all; functions win over data.
  Result<std::optional<ElfSymbol>> symbol(std::string_view name);
  // True if `name` is only imported here, i.e. defined in a library.
  Result<bool> imports(std::string_view name);
  Result<const std::vector<UsdtNote> *> usdt_notes();
  // File offset of a virtual address, nullopt outside all loaded segments.
  [[nodiscard]] std::optional<uint64_t> file_offset(uint64_t address) const;
  // Virtual address of a file offset in an executable segment.
  [[nodiscard]] std::optional<uint64_t> address_of_offset(uint64_t offset) const;
  // The loaded segments that are executable.
  [[nodiscard]] std::vector<CodeSegment> code_segments() const;
  // Virtual address that a program begins at, 0 if it says none.
  [[nodiscard]] uint64_t entry_point() const;
  // Lowest virtual address of all loaded segments, 0 without any.
  [[nodiscard]] uint64_t lowest_address() const;
  // Bytes at a virtual address in the file; fewer than `size` at the end of a segment.
  [[nodiscard]] std::string bytes_at(uint64_t address, size_t size) const;

 private:
  ElfFile();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Path of an executable or library as users name it: absolute or relative path, PATH lookup ("bash"), library
// name ("libc", "libssl.so.3", "c") from the linker's cache; with `pid` inside that process' root.
Result<std::string> resolve_binary(std::string_view name, int pid = 0);
// "/proc/PID/root" if the process sees another file system than we do (container, chroot), else "".
std::string process_root(int pid);

}  // namespace awl
