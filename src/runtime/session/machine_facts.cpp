#include "runtime/session/machine_facts.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "base/clock.h"
#include "runtime/symbols/ids.h"

namespace awl {

void set_machine_facts(const Manifest &manifest, KernelSymbols &symbols, std::vector<uint64_t> &words,
                       Diagnostics &diagnostics) {
  words[kParamStartTime] = static_cast<uint64_t>(clock_ns(CLOCK_BOOTTIME));
  words[kParamCpus] = static_cast<uint64_t>(libbpf_num_possible_cpus());
  words[kParamTaiOffset] = static_cast<uint64_t>(clock_ns(CLOCK_TAI) - clock_ns(CLOCK_BOOTTIME));
  for (const MachineWord &one : manifest.machine) {
    const bool symbol = one.fact == MachineFact::KernelSymbol;
    const std::optional<uint64_t> value = symbol ? symbols.address(one.name) : cgroup_id(one.name);
    if (!value && symbol)
      diagnostics.emit(diag::SymbolMissing, one.span, one.name)
          .with_hint("the program was compiled for another kernel, or kernel.kptr_restrict is set");
    else if (!value)
      diagnostics.emit(diag::CgroupMissing, one.span, one.name);
    words.resize(std::max<size_t>(words.size(), one.word + 1));
    words[one.word] = value.value_or(0);
  }
}

}  // namespace awl
