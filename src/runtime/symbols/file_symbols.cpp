#include "runtime/symbols/file_symbols.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <tuple>

#include "base/strings.h"

namespace awl {

bool nicer_name(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view name) { return std::tuple(name.find_first_not_of('_'), name.size(), name); };
  return rank(a) < rank(b);
}

FileSymbols::FileSymbols(std::shared_ptr<ElfFile> elf, std::string root, std::vector<std::string> folders)
    : elf_(std::move(elf)), root_(std::move(root)), folders_(std::move(folders)) {
  if (!root_.empty() && elf_->stripped()) debug_ = open_debug_file(*elf_, DebugPart::Dwarf, root_, folders_);
}

std::shared_ptr<ElfFile> FileSymbols::debug_file(DebugPart part) {
  if (debug_ && (part == DebugPart::Dwarf || !debug_->stripped())) return debug_;
  return open_debug_file(*elf_, part, root_, folders_);
}

std::optional<std::pair<size_t, uint64_t>> FileSymbols::find(uint64_t file_offset) {
  prepare();
  std::optional<uint64_t> address = elf_->address_of_offset(file_offset);
  if (!address) return std::nullopt;
  auto after = std::upper_bound(functions_.begin(), functions_.end(), *address,
                                [](uint64_t value, const Function &function) { return value < function.begin; });
  // A small function inside a larger one (or its cold part) may end before the address: look back a little.
  constexpr int kSteps = 8;
  for (int steps = 0; after != functions_.begin() && steps < kSteps; steps++) {
    --after;
    bool inside = *address < after->end || (after->end == after->begin && steps == 0);
    if (inside) return std::pair(static_cast<size_t>(after - functions_.begin()), *address - after->begin);
  }
  return std::nullopt;
}

const std::string &FileSymbols::name(size_t index, bool demangled) {
  Function &function = functions_[index];
  if (!demangled) return function.symbol->name;
  if (function.demangled.empty()) function.demangled = demangle(function.symbol->name);
  return function.demangled;
}

std::vector<SourceFrame> FileSymbols::source(uint64_t file_offset, bool returns) {
  if (!source_tried_) {
    source_tried_ = true;
    std::shared_ptr<ElfFile> file = elf_->section(".debug_info") ? elf_ : debug_file(DebugPart::Dwarf);
    if (file) source_ = SourceFrames::open(std::move(file));
  }
  std::optional<uint64_t> address = source_ ? elf_->address_of_offset(file_offset) : std::nullopt;
  // The call's last byte stands before the place where it returns to, which may belong to another line.
  return address ? source_->find(*address - (returns ? 1 : 0)) : std::vector<SourceFrame>{};
}

void FileSymbols::prepare() {
  if (prepared_) return;
  prepared_ = true;
  if (elf_->stripped()) separate_ = debug_file(DebugPart::Symbols);
  std::vector<const ElfSymbol *> all;
  for (const std::shared_ptr<ElfFile> &file : {elf_, separate_}) {
    if (!file) continue;
    Result<const std::vector<ElfSymbol> *> symbols = file->symbols();
    if (!symbols) continue;
    for (const ElfSymbol &symbol : **symbols)
      if (symbol.is_function && !symbol.name.empty()) all.push_back(&symbol);
  }
  std::ranges::sort(all, {}, [](const ElfSymbol *symbol) { return std::tie(symbol->address, symbol->name); });
  for (const ElfSymbol *symbol : all) {
    if (!functions_.empty() && functions_.back().begin == symbol->address) {
      Function &same = functions_.back();
      same.end = std::max(same.end, symbol->address + symbol->size);
      if (nicer_name(symbol->name, same.symbol->name)) same.symbol = symbol;
    } else {
      functions_.push_back({symbol->address, symbol->address + symbol->size, symbol, {}});
    }
  }
}

std::shared_ptr<FileSymbols> open_vdso() {
  std::shared_ptr<ElfFile> elf = ElfFile::vdso();
  return elf ? std::make_shared<FileSymbols>(std::move(elf), "", std::vector<std::string>{}) : nullptr;
}

std::optional<Symbol> JitSymbols::find(uint64_t address) {
  if (std::optional<Symbol> found = search(address)) return found;
  // The compiler goes on while we look.
  return refresh() ? search(address) : std::nullopt;
}

bool JitSymbols::refresh() {
  struct stat info{};
  if (stat(path_.c_str(), &info) != 0 || info.st_size == size_) return false;
  size_ = info.st_size;
  read();
  return true;
}

std::optional<Symbol> JitSymbols::search(uint64_t address) const {
  auto after = functions_.upper_bound(address);
  if (after == functions_.begin()) return std::nullopt;
  const auto &[begin, function] = *std::prev(after);
  if (address - begin >= function.size) return std::nullopt;
  return Symbol{function.name, address - begin, name_};
}

void JitSymbols::read() {
  Result<std::string> text = read_file(path_);
  if (!text) return;
  functions_.clear();
  for (const std::string &line : split(*text, '\n')) {
    const char *end = line.data() + line.size();
    uint64_t begin = 0, size = 0;
    auto first = std::from_chars(line.data(), end, begin, 16);
    if (first.ec != std::errc() || first.ptr == end) continue;
    auto second = std::from_chars(first.ptr + 1, end, size, 16);
    if (second.ec != std::errc() || end - second.ptr < 2) continue;
    functions_[begin] = {size, std::string(second.ptr + 1, end)};
  }
}

}  // namespace awl
