#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "runtime/symbols/symbols.h"

namespace awl {

namespace {

// Modules are far smaller; an address further behind a symbol is code that kallsyms does not know.
constexpr uint64_t kLargestModuleFunction = 1 << 20;

struct Entry {
  uint64_t address = 0;
  uint32_t name = 0;  // place in the text
  uint16_t name_size = 0;
  uint16_t module = 0;  // index in the list of modules, 0 for the kernel itself
  bool global = false;
};

bool read_whole(const std::string &path, std::string &text) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  constexpr size_t kChunk = 1 << 20;
  size_t used = 0;
  ssize_t n = 0;
  text.resize(8 * kChunk);  // one allocation for a usual kernel
  while (true) {
    if (text.size() - used < kChunk) text.resize(text.size() * 2);
    n = read(fd, text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    used += static_cast<size_t>(n);
  }
  close(fd);
  text.resize(used);
  return n == 0;
}

}  // namespace

// Lines are "ffffffff81000000 T name" or "ffffffffc0000000 t name\t[module]".
struct KernelSymbols::Impl {
  std::string path;
  bool loaded = false;
  std::string text;
  std::vector<Entry> entries;  // by address
  std::vector<std::string> modules{""};
  uint64_t core_begin = 0, core_end = 0;  // the kernel's own image

  void load();
  void parse_line(const char *line, const char *end);
  uint16_t module_index(std::string_view name);
  [[nodiscard]] std::string_view name_of(const Entry &entry) const {
    return std::string_view(text).substr(entry.name, entry.name_size);
  }
};

uint16_t KernelSymbols::Impl::module_index(std::string_view name) {
  // Symbols of one module stand together.
  if (modules.back() == name) return static_cast<uint16_t>(modules.size() - 1);
  for (size_t i = 0; i < modules.size(); i++)
    if (modules[i] == name) return static_cast<uint16_t>(i);
  modules.emplace_back(name);
  return static_cast<uint16_t>(modules.size() - 1);
}

void KernelSymbols::Impl::parse_line(const char *line, const char *end) {
  Entry entry;
  auto [at, err] = std::from_chars(line, end, entry.address, 16);
  // With kernel.kptr_restrict all addresses are zero: such a list says nothing.
  if (err != std::errc() || entry.address == 0 || end - at < 4) return;
  char type = at[1];
  const char *name = at + 3;
  auto *tab = static_cast<const char *>(std::memchr(name, '\t', static_cast<size_t>(end - name)));
  const char *name_end = tab ? tab : end;
  entry.name = static_cast<uint32_t>(name - text.data());
  entry.name_size = static_cast<uint16_t>(std::min<ptrdiff_t>(name_end - name, UINT16_MAX));
  entry.global = type == 'T';
  if (tab && end - tab > 3) entry.module = module_index({tab + 2, static_cast<size_t>(end - tab - 3)});
  if (!tab) {
    std::string_view text_name(name, entry.name_size);
    if (text_name == "_text" || text_name == "_stext")
      core_begin = core_begin ? std::min(core_begin, entry.address) : entry.address;
    if (text_name == "_end" || text_name == "_etext" || text_name == "_einittext")
      core_end = std::max(core_end, entry.address);
  }
  entries.push_back(entry);
}

void KernelSymbols::Impl::load() {
  if (loaded) return;
  loaded = true;
  if (!read_whole(path, text)) return;
  entries.reserve(text.size() / 40);
  const char *at = text.data(), *end = text.data() + text.size();
  while (at < end) {
    auto *newline = static_cast<const char *>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    const char *line_end = newline ? newline : end;
    parse_line(at, line_end);
    at = line_end + 1;
  }
  // Names of one address stay in the order of the list.
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return std::pair(a.address, a.name) < std::pair(b.address, b.name); });
}

KernelSymbols::KernelSymbols(std::string path) : impl_(std::make_unique<Impl>()) { impl_->path = std::move(path); }
KernelSymbols::~KernelSymbols() = default;

KernelSymbols &kernel_symbols() {
  static KernelSymbols symbols;
  return symbols;
}

std::optional<Symbol> KernelSymbols::find(uint64_t address) {
  impl_->load();
  const std::vector<Entry> &entries = impl_->entries;
  auto after = std::upper_bound(entries.begin(), entries.end(), address,
                                [](uint64_t value, const Entry &entry) { return value < entry.address; });
  if (after == entries.begin()) return std::nullopt;
  // Among several names of one address the first global one, else the first.
  auto first = std::lower_bound(entries.begin(), after, (after - 1)->address,
                                [](const Entry &entry, uint64_t value) { return entry.address < value; });
  auto best = std::find_if(first, after, [](const Entry &entry) { return entry.global; });
  const Entry &entry = best != after ? *best : *first;
  uint64_t offset = address - entry.address;
  // The kernel's own symbols name nothing outside its image: per-CPU variables are listed by their offset, far
  // below it, and code behind it is not in the list.
  bool outside = entry.module ? offset > kLargestModuleFunction
                              : entry.address < impl_->core_begin || (impl_->core_end && address >= impl_->core_end);
  if (outside) return std::nullopt;
  return Symbol{std::string(impl_->name_of(entry)), offset, impl_->modules[entry.module]};
}

std::optional<uint64_t> KernelSymbols::address(std::string_view name) {
  impl_->load();
  for (const Entry &entry : impl_->entries)
    if (impl_->name_of(entry) == name) return entry.address;
  return std::nullopt;
}

}  // namespace awl
