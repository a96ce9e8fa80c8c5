#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/symbols/address_spaces.h"
#include "runtime/symbols/symbols.h"

namespace awl {

struct UserSymbols::Impl {
  SymbolOptions options;
  AddressSpaces spaces;
  uint32_t last_pid = 0;

  std::optional<Symbol> find(uint32_t pid, uint64_t address);
  std::optional<Symbol> find_in(uint32_t pid, const AddressSpace &space, uint64_t address);
};

std::optional<Symbol> UserSymbols::Impl::find_in(uint32_t pid, const AddressSpace &space, uint64_t address) {
  auto after = std::ranges::upper_bound(space, address, {}, &MappedRange::start);
  if (after == space.begin()) return std::nullopt;
  const MappedRange &range = *std::prev(after);
  if (address >= range.end) return std::nullopt;
  FileSymbols *file = spaces.symbols(pid, range.start, range.end, *range.file);
  if (!file) return std::nullopt;
  auto found = file->find(address - range.start + range.offset);
  if (!found) return std::nullopt;
  return Symbol{file->name(found->first, options.demangle), found->second, range.file->path};
}

std::optional<Symbol> UserSymbols::Impl::find(uint32_t pid, uint64_t address) {
  ProcessMemory &process = spaces.process(pid);
  for (const std::shared_ptr<AddressSpace> &space : process.generations)
    if (std::optional<Symbol> symbol = find_in(pid, *space, address)) return symbol;
  if (!process.jit) {
    const std::string inner = process.inner_pid.empty() ? inner_pid(pid) : process.inner_pid;
    std::string path = fmt::format("/tmp/perf-{}.map", pid);
    for (const uint32_t seen_by : {pid, process.parent}) {
      std::string inside = fmt::format("/proc/{}/root/tmp/perf-{}.map", seen_by, inner);
      struct stat info{};
      if (seen_by == 0 || stat(inside.c_str(), &info) != 0) continue;
      path = std::move(inside);
      break;
    }
    process.jit = std::make_shared<JitSymbols>(std::move(path));
  }
  return process.jit->find(address);
}

UserSymbols::UserSymbols(SymbolOptions options) : impl_(std::make_unique<Impl>()) { impl_->options = options; }
UserSymbols::~UserSymbols() = default;

std::optional<Symbol> UserSymbols::find(uint32_t pid, uint64_t address) {
  // What the process has mapped until now is known before the first address of it is looked up.
  if (pid != impl_->last_pid) impl_->spaces.update();
  impl_->last_pid = pid;
  std::optional<Symbol> symbol = impl_->find(pid, address);
  if (!symbol && impl_->spaces.update()) symbol = impl_->find(pid, address);
  return symbol;
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
