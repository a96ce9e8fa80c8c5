#include <algorithm>

#include "base/strings.h"
#include "runtime/symbols/kallsyms.h"
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

}  // namespace

struct KernelSymbols::Impl {
  std::string path;
  bool loaded = false;
  std::string text;
  std::vector<Entry> entries;  // by address
  std::vector<std::string> modules{""};
  uint64_t core_begin = 0, core_end = 0;  // the kernel's own image

  void load();
  void add(const KernelSymbolLine &symbol);
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

void KernelSymbols::Impl::add(const KernelSymbolLine &symbol) {
  // With kernel.kptr_restrict all addresses are zero: such a list says nothing.
  if (symbol.address == 0) return;
  Entry entry;
  entry.address = symbol.address;
  entry.name = static_cast<uint32_t>(symbol.name.data() - text.data());
  entry.name_size = static_cast<uint16_t>(std::min<size_t>(symbol.name.size(), UINT16_MAX));
  entry.global = symbol.type == 'T';
  if (!symbol.module.empty()) {
    entry.module = module_index(symbol.module);
  } else {
    if (symbol.name == "_text" || symbol.name == "_stext")
      core_begin = core_begin ? std::min(core_begin, entry.address) : entry.address;
    if (symbol.name == "_end" || symbol.name == "_etext" || symbol.name == "_einittext")
      core_end = std::max(core_end, entry.address);
  }
  entries.push_back(entry);
}

void KernelSymbols::Impl::load() {
  if (loaded) return;
  loaded = true;
  Result<std::string> read = read_file(path);
  if (!read) return;
  text = *std::move(read);
  entries.reserve(text.size() / 40);
  each_kernel_symbol(text, [this](const KernelSymbolLine &symbol) { add(symbol); });
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
