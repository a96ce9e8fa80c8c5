#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/symbols/address_spaces.h"
#include "runtime/symbols/symbols.h"

namespace awl {

struct UserSymbols::Impl {
  explicit Impl(SymbolOptions how) : options(std::move(how)), spaces(options.debug_folders) {}

  SymbolOptions options;
  AddressSpaces spaces;
  uint32_t last_pid = 0;

  std::optional<Symbol> find(uint32_t pid, uint64_t address);
  std::optional<Symbol> find_in(uint32_t pid, const AddressSpace &space, uint64_t address);
  std::optional<std::vector<SourceFrame>> source(uint32_t pid, uint64_t address, bool returns);
  std::optional<FilePlace> place(uint32_t pid, uint64_t address);
  template <class Look>
  auto up_to_date(uint32_t pid, Look look);
};

namespace {

const MappedRange *range_of(const AddressSpace &space, uint64_t address) {
  auto after = std::ranges::upper_bound(space, address, {}, &MappedRange::start);
  if (after == space.begin() || address >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

}  // namespace

std::optional<Symbol> UserSymbols::Impl::find_in(uint32_t pid, const AddressSpace &space, uint64_t address) {
  const MappedRange *range = range_of(space, address);
  FileSymbols *file = range ? spaces.symbols(pid, range->start, range->end, *range->file) : nullptr;
  if (!file) return std::nullopt;
  auto found = file->find(address - range->start + range->offset);
  if (!found) return std::nullopt;
  return Symbol{file->name(found->first, options.demangle), found->second, range->file->name()};
}

std::optional<std::vector<SourceFrame>> UserSymbols::Impl::source(uint32_t pid, uint64_t address, bool returns) {
  for (const std::shared_ptr<AddressSpace> &space : spaces.process(pid).generations) {
    const MappedRange *range = range_of(*space, address);
    FileSymbols *file = range ? spaces.symbols(pid, range->start, range->end, *range->file) : nullptr;
    // Of the file that names the function, so that both speak of the same one.
    if (!file || !file->find(address - range->start + range->offset)) continue;
    std::vector<SourceFrame> out = file->source(address - range->start + range->offset, returns);
    for (SourceFrame &frame : out)
      if (options.demangle) frame.function = demangle(frame.function);
    return out;
  }
  return std::nullopt;
}

std::optional<FilePlace> UserSymbols::Impl::place(uint32_t pid, uint64_t address) {
  for (const std::shared_ptr<AddressSpace> &space : spaces.process(pid).generations) {
    const MappedRange *range = range_of(*space, address);
    FileSymbols *file = range ? spaces.symbols(pid, range->start, range->end, *range->file) : nullptr;
    const std::string id = file ? file->build_id() : "";
    if (id.empty()) continue;
    FilePlace out{{}, address - range->start + range->offset};
    for (unsigned char byte : id) out.build_id += fmt::format("{:02x}", byte);
    return out;
  }
  return std::nullopt;
}

std::optional<Symbol> UserSymbols::Impl::find(uint32_t pid, uint64_t address) {
  ProcessMemory &process = spaces.process(pid);
  for (const std::shared_ptr<AddressSpace> &space : process.generations)
    if (std::optional<Symbol> symbol = find_in(pid, *space, address)) return symbol;
  return jit_symbols(pid, process).find(address);
}

UserSymbols::UserSymbols(SymbolOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
UserSymbols::~UserSymbols() = default;

// What the process has mapped until now is known before the first address of it is looked up.
template <class Look>
auto UserSymbols::Impl::up_to_date(uint32_t pid, Look look) {
  if (pid != last_pid) spaces.update();
  last_pid = pid;
  auto found = look();
  if (!found && spaces.update()) found = look();
  return found;
}

std::optional<Symbol> UserSymbols::find(uint32_t pid, uint64_t address) {
  return impl_->up_to_date(pid, [&] { return impl_->find(pid, address); });
}

std::vector<SourceFrame> UserSymbols::source(uint32_t pid, uint64_t address, bool returns) {
  return impl_->up_to_date(pid, [&] { return impl_->source(pid, address, returns); })
      .value_or(std::vector<SourceFrame>{});
}

std::optional<FilePlace> UserSymbols::place(uint32_t pid, uint64_t address) {
  return impl_->up_to_date(pid, [&] { return impl_->place(pid, address); });
}

void UserSymbols::remember(uint32_t pid) {
  // Opened now: a container's files are out of reach once its last process has ended.
  ProcessMemory &process = impl_->spaces.read(pid);
  if (process.generations.empty()) return;
  for (const MappedRange &range : *process.generations.front())
    impl_->spaces.symbols(pid, range.start, range.end, *range.file);
}

Result<void> UserSymbols::watch(std::set<uint32_t> pids) { return impl_->spaces.watch(std::move(pids)); }
int UserSymbols::descriptor() const { return impl_->spaces.descriptor(); }

bool UserSymbols::update() {
  impl_->last_pid = 0;
  impl_->spaces.update();
  return impl_->spaces.catch_up();
}

}  // namespace awl
