// Functions of one file by their place in it; private to this folder.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/symbols/elf_file.h"
#include "runtime/symbols/source_frames.h"
#include "runtime/symbols/symbols.h"

namespace awl {

// Functions of an ELF file, one for each address. Read when first asked for.
class FileSymbols {
 public:
  // `root` is put before the folders in which separate debug files are looked for: "/proc/7/root", "". `folders` are
  // ours, and are looked into first.
  FileSymbols(std::shared_ptr<ElfFile> elf, std::string root, std::vector<std::string> folders)
      : elf_(std::move(elf)), root_(std::move(root)), folders_(std::move(folders)) {}

  // The function at a file offset: its index, and the offset into it.
  std::optional<std::pair<size_t, uint64_t>> find(uint64_t file_offset);
  // See UserSymbols::source(); names are not demangled.
  std::vector<SourceFrame> source(uint64_t file_offset, bool returns);
  const std::string &name(size_t index, bool demangled);
  [[nodiscard]] std::string build_id() const { return elf_->build_id(); }

 private:
  struct Function {
    uint64_t begin = 0, end = 0;
    const ElfSymbol *symbol = nullptr;
    std::string demangled;
  };

  void prepare();

  std::shared_ptr<ElfFile> elf_;
  std::shared_ptr<ElfFile> separate_;  // where the symbols of a stripped file are
  std::string root_;
  std::vector<std::string> folders_;
  bool source_tried_ = false;
  std::unique_ptr<SourceFrames> source_;  // null: no debug information
  bool prepared_ = false;
  std::vector<Function> functions_;
};

// The kernel's own mapping into every process, the same for all of them. Null if there is none.
std::shared_ptr<FileSymbols> open_vdso();

// What a stripped file lacks, from the first of: its debug file by build id and by debug link, in `folders`, below
// `root` and then as we see the file system; for Symbols, its own .gnu_debugdata. Null if there is none of these.
enum class DebugPart : uint8_t { Symbols, Dwarf };
std::shared_ptr<ElfFile> open_debug_file(const ElfFile &elf, DebugPart part, const std::string &root,
                                         const std::vector<std::string> &folders);

// "START SIZE name" lines that a just-in-time compiler writes for perf, numbers in hex.
class JitSymbols {
 public:
  explicit JitSymbols(std::string path) : path_(std::move(path)) {}
  std::optional<Symbol> find(uint64_t address);

 private:
  struct Function {
    uint64_t size = 0;
    std::string name;
  };

  [[nodiscard]] std::optional<Symbol> search(uint64_t address) const;
  void read();

  std::string path_;
  int64_t size_ = -1;
  std::map<uint64_t, Function> functions_;
};

}  // namespace awl
