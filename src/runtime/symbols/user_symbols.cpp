#include <elf.h>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <unordered_map>

#include "base/strings.h"
#include "runtime/symbols/elf_file.h"
#include "runtime/symbols/process_maps.h"
#include "runtime/symbols/symbols.h"

namespace awl {

namespace {

using Clock = std::chrono::steady_clock;
// How long a process' mappings are believed before they are read again.
constexpr auto kMapsAge = std::chrono::seconds(1);

// Of several names of one address: fewest leading underscores, then the shortest ("read", not "__libc_read").
bool nicer(const std::string &a, const std::string &b) {
  size_t bars_a = a.find_first_not_of('_'), bars_b = b.find_first_not_of('_');
  if (bars_a != bars_b) return bars_a < bars_b;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Functions of one ELF file, one for each address.
class FileSymbols {
 public:
  explicit FileSymbols(std::shared_ptr<ElfFile> elf) : elf_(std::move(elf)) {}

  // The function at a file offset: its index, and the offset into it.
  std::optional<std::pair<size_t, uint64_t>> find(uint64_t file_offset) {
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

  const std::string &name(size_t index, bool demangled) {
    Function &function = functions_[index];
    if (!demangled) return function.symbol->name;
    if (function.demangled.empty()) function.demangled = demangle(function.symbol->name);
    return function.demangled;
  }

 private:
  struct Function {
    uint64_t begin = 0, end = 0;
    const ElfSymbol *symbol = nullptr;
    std::string demangled;
  };

  void prepare() {
    if (prepared_) return;
    prepared_ = true;
    Result<const std::vector<ElfSymbol> *> symbols = elf_->symbols();
    if (!symbols) return;
    for (const ElfSymbol &symbol : **symbols) {
      if (!symbol.is_function || symbol.name.empty()) continue;
      if (!functions_.empty() && functions_.back().begin == symbol.address) {
        Function &same = functions_.back();
        same.end = std::max(same.end, symbol.address + symbol.size);
        if (nicer(symbol.name, same.symbol->name)) same.symbol = &symbol;
      } else {
        functions_.push_back({symbol.address, symbol.address + symbol.size, &symbol, {}});
      }
    }
  }

  std::shared_ptr<ElfFile> elf_;
  bool prepared_ = false;
  std::vector<Function> functions_;
};

// "START SIZE name" lines that a just-in-time compiler writes for perf, numbers in hex.
class JitSymbols {
 public:
  explicit JitSymbols(std::string path) : path_(std::move(path)) {}

  std::optional<Symbol> find(uint64_t address) {
    if (std::optional<Symbol> found = search(address)) return found;
    // The compiler goes on while we look: a file that has grown is read again.
    struct stat info{};
    if (stat(path_.c_str(), &info) != 0 || info.st_size == size_) return std::nullopt;
    size_ = info.st_size;
    read();
    return search(address);
  }

 private:
  struct Function {
    uint64_t size = 0;
    std::string name;
  };

  std::optional<Symbol> search(uint64_t address) const {
    auto after = functions_.upper_bound(address);
    if (after == functions_.begin()) return std::nullopt;
    const auto &[begin, function] = *std::prev(after);
    if (address - begin >= function.size) return std::nullopt;
    return Symbol{function.name, address - begin, path_};
  }

  void read() {
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

  std::string path_;
  int64_t size_ = -1;
  std::map<uint64_t, Function> functions_;
};

struct MappedFile {
  Mapping mapping;
  std::shared_ptr<FileSymbols> file;  // null: not an ELF file, or not to be opened
  bool opened = false;
};

struct Process {
  // Newest first. Older ones are kept: after exec() or dlclose() events of before still have to be named.
  std::deque<std::vector<MappedFile>> generations;
  Clock::time_point read_at;
  bool known = false;
  std::shared_ptr<JitSymbols> jit;
};

// The kernel's own mapping into every process, the same for all of them.
std::shared_ptr<FileSymbols> open_vdso() {
  auto *base = reinterpret_cast<const char *>(getauxval(AT_SYSINFO_EHDR));
  if (!base) return nullptr;
  Elf64_Ehdr header;
  std::memcpy(&header, base, sizeof(header));
  size_t size = header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
  constexpr size_t kLargest = 64 * 1024;
  if (size > kLargest) return nullptr;
  Result<std::shared_ptr<ElfFile>> elf = ElfFile::from_bytes(std::string(base, size), "[vdso]");
  return elf ? std::make_shared<FileSymbols>(*elf) : nullptr;
}

// The process' pid as itself sees it, which is what it names its files by.
std::string inner_pid(uint32_t pid) {
  if (Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid))) {
    for (const std::string &line : split(*status, '\n'))
      if (line.starts_with("NSpid:")) return line.substr(line.find_last_of("\t ") + 1);
  }
  return std::to_string(pid);
}

bool same_mappings(const std::vector<MappedFile> &old, const std::vector<Mapping> &now) {
  return std::ranges::equal(old, now, [](const MappedFile &a, const Mapping &b) {
    return a.mapping.start == b.start && a.mapping.end == b.end && a.mapping.inode == b.inode &&
           a.mapping.offset == b.offset && a.mapping.path == b.path;
  });
}

}  // namespace

struct UserSymbols::Impl {
  SymbolOptions options;
  std::unordered_map<uint32_t, Process> processes;
  std::unordered_map<std::string, std::shared_ptr<FileSymbols>> files;  // by device, inode and time of change

  Process &process(uint32_t pid);
  void read_mappings(uint32_t pid, Process &process);
  std::shared_ptr<FileSymbols> open_file(uint32_t pid, const Mapping &mapping);
  std::optional<Symbol> find_in(uint32_t pid, std::vector<MappedFile> &mappings, uint64_t address);
};

Process &UserSymbols::Impl::process(uint32_t pid) {
  Process &process = processes[pid];
  auto now = Clock::now();
  if (!process.known || now - process.read_at > kMapsAge) {
    read_mappings(pid, process);
    process.known = true;
    process.read_at = now;
  }
  return process;
}

void UserSymbols::Impl::read_mappings(uint32_t pid, Process &process) {
  // A process that has ended keeps what is known of it.
  Result<std::string> text = read_file(fmt::format("/proc/{}/maps", pid));
  if (!text || text->empty()) return;
  std::vector<Mapping> mappings = parse_maps(*text);
  if (!process.generations.empty() && same_mappings(process.generations.front(), mappings)) return;
  std::vector<MappedFile> generation;
  for (Mapping &mapping : mappings) generation.push_back({std::move(mapping), nullptr, false});
  process.generations.push_front(std::move(generation));
  constexpr size_t kGenerations = 4;
  if (process.generations.size() > kGenerations) process.generations.pop_back();
}

std::shared_ptr<FileSymbols> UserSymbols::Impl::open_file(uint32_t pid, const Mapping &mapping) {
  if (mapping.path == "[vdso]") {
    auto [at, fresh] = files.try_emplace("[vdso]");
    if (fresh) at->second = open_vdso();
    return at->second;
  }
  if (mapping.inode == 0) return nullptr;
  // The mapped file itself, even if deleted; then by name in the process' file system; then, for one that has
  // ended, in ours. The inode tells whether a name still means the same file.
  const std::string candidates[] = {
      fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start, mapping.end),
      fmt::format("/proc/{}/root{}", pid, mapping.path),
      mapping.path,
  };
  for (const std::string &path : candidates) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0 || info.st_ino != mapping.inode) continue;
    std::string key =
        fmt::format("{} {} {} {}", mapping.device, info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    auto known = files.find(key);
    if (known != files.end()) return known->second;
    Result<std::shared_ptr<ElfFile>> elf = ElfFile::open(path);
    auto file = elf ? std::make_shared<FileSymbols>(*elf) : nullptr;
    files.emplace(std::move(key), file);
    return file;
  }
  return nullptr;
}

std::optional<Symbol> UserSymbols::Impl::find_in(uint32_t pid, std::vector<MappedFile> &mappings, uint64_t address) {
  auto after = std::upper_bound(mappings.begin(), mappings.end(), address,
                                [](uint64_t value, const MappedFile &file) { return value < file.mapping.start; });
  if (after == mappings.begin()) return std::nullopt;
  MappedFile &mapped = *std::prev(after);
  const Mapping &mapping = mapped.mapping;
  if (address >= mapping.end) return std::nullopt;
  if (!mapped.opened) {
    mapped.opened = true;
    mapped.file = open_file(pid, mapping);
  }
  if (!mapped.file) return std::nullopt;
  auto found = mapped.file->find(address - mapping.start + mapping.offset);
  if (!found) return std::nullopt;
  return Symbol{mapped.file->name(found->first, options.demangle), found->second, mapping.path};
}

UserSymbols::UserSymbols(SymbolOptions options) : impl_(std::make_unique<Impl>()) { impl_->options = options; }
UserSymbols::~UserSymbols() = default;

std::optional<Symbol> UserSymbols::find(uint32_t pid, uint64_t address) {
  Process &process = impl_->process(pid);
  for (std::vector<MappedFile> &generation : process.generations)
    if (std::optional<Symbol> symbol = impl_->find_in(pid, generation, address)) return symbol;
  if (!process.jit) {
    std::string path = fmt::format("/proc/{}/root/tmp/perf-{}.map", pid, inner_pid(pid));
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) path = fmt::format("/tmp/perf-{}.map", pid);
    process.jit = std::make_shared<JitSymbols>(std::move(path));
  }
  return process.jit->find(address);
}

void UserSymbols::remember(uint32_t pid) {
  Process &process = impl_->processes[pid];
  impl_->read_mappings(pid, process);
  process.known = true;
  process.read_at = Clock::now();
  if (process.generations.empty()) return;
  // Opened now: a container's files are out of reach once its last process has ended.
  for (MappedFile &mapped : process.generations.front()) {
    if (mapped.opened) continue;
    mapped.opened = true;
    mapped.file = impl_->open_file(pid, mapped.mapping);
  }
}

}  // namespace awl
