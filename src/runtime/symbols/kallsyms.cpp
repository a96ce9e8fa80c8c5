#include "runtime/symbols/kallsyms.h"

#include <charconv>

#include "base/strings.h"

namespace awl {

// "ffffffff81000000 T _stext" or "ffffffffc0000000 t x\t[module]"
void each_kernel_symbol(std::string_view text, const std::function<void(const KernelSymbolLine &)> &visit) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    KernelSymbolLine symbol;
    const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), symbol.address, 16);
    const auto blank = static_cast<size_t>(at - line.data());
    if (error != std::errc() || line.size() < blank + 4) continue;
    symbol.type = line[blank + 1];
    symbol.name = line.substr(blank + 3);
    if (const size_t tab = symbol.name.find('\t'); tab != std::string_view::npos) {
      symbol.module = trim(symbol.name.substr(tab + 1));
      symbol.name = symbol.name.substr(0, tab);
      if (symbol.module.size() > 2) symbol.module = symbol.module.substr(1, symbol.module.size() - 2);
    }
    visit(symbol);
  }
}

}  // namespace awl
