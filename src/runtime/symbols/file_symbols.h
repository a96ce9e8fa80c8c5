// Functions of one file by their place in it; private to this folder.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/symbols/debug_part.h"
#include "runtime/symbols/elf_file.h"
#include "runtime/symbols/source_frames.h"
#include "runtime/symbols/symbols.h"

namespace awl {

// Functions of an ELF file, one for each address. Read when first asked for.
class FileSymbols {
 public:
  // `root` is put before the folders in which separate debug files are looked for: "/proc/7/root", "". `folders` are
  // ours, and are looked into first.
  FileSymbols(std::shared_ptr<ElfFile> elf, std::string root, std::vector<std::string> folders);

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
  std::shared_ptr<ElfFile> debug_file(DebugPart part);

  std::shared_ptr<ElfFile> elf_;
  std::shared_ptr<ElfFile> debug_;     // a container's debug file: opened before the container can end
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

// "START SIZE name" lines that a just-in-time compiler writes for perf, numbers in hex.
class JitSymbols {
 public:
  // `name`: what the process calls the file.
  JitSymbols(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {}
  std::optional<Symbol> find(uint64_t address);
  // Reads the file if it has grown; false if not, or if it is out of reach. What was read is kept.
  bool refresh();

 private:
  struct Function {
    uint64_t size = 0;
    std::string name;
  };

  [[nodiscard]] std::optional<Symbol> search(uint64_t address) const;
  void read();

  std::string path_, name_;
  int64_t size_ = -1;
  std::map<uint64_t, Function> functions_;
};

}  // namespace awl
