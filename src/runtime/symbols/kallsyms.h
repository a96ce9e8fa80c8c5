// The kernel's own list of its symbols, /proc/kallsyms.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace awl {

struct KernelSymbolLine {
  uint64_t address = 0;           // 0 without the right to see it (kernel.kptr_restrict)
  char type = 0;                  // as nm(1) has it: 'T' global code, 't' local code, ...
  std::string_view name, module;  // parts of the text; "" for the kernel itself
};

// Every line of the list, in its order. What is not understood is left out.
void each_kernel_symbol(std::string_view text, const std::function<void(const KernelSymbolLine &)> &visit);

}  // namespace awl
