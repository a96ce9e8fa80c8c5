// Argument strings of USDT notes, on both architectures.
#include <cstddef>
#include <cstdint>

#include "runtime/probes/usdt_args.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  awl::UsdtPlace place;
  place.marker_address = 0x401000;
  place.position_independent = size % 2 == 1;
  place.symbol = [](std::string_view name) -> std::optional<uint64_t> {
    return name.size() % 2 == 0 ? std::optional<uint64_t>(0x404000) : std::nullopt;
  };
  for (awl::UsdtArch arch : {awl::UsdtArch::X86_64, awl::UsdtArch::Arm64}) {
    awl::UsdtArgs args = awl::parse_usdt_args(text, place, arch);
    if (args.spec.arg_count > awl::kUsdtMaxArgs) __builtin_trap();
    for (const awl::UsdtArg &arg : args.spec.args)
      if (arg.shift > 56 || arg.index_shift > 3 || arg.reg_offset > 33 * 8 || arg.index_offset > 33 * 8)
        __builtin_trap();
  }
  return 0;
}
