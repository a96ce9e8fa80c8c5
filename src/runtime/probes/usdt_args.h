// The argument strings of USDT notes: "-4@112(%rsp) 8@%rdi", in the assembler's syntax of the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/probes/provider.h"

namespace awl {

enum class UsdtArch : uint8_t { X86_64, Arm64 };
#if defined(__x86_64__)
constexpr UsdtArch kHostUsdtArch = UsdtArch::X86_64;
#else
constexpr UsdtArch kHostUsdtArch = UsdtArch::Arm64;
#endif

// What an argument's text may refer to.
struct UsdtPlace {
  uint64_t marker_address = 0;  // in the file: what the instruction pointer holds there, less the load address
  bool position_independent = false;
  std::function<std::optional<uint64_t>(std::string_view symbol)> symbol;  // address in the file
};

struct UsdtProblem {
  uint32_t index = 0;   // of the argument
  std::string message;  // "arg2 is in a floating point register"
};

// Arguments that cannot be read stand in `problems` and read as 0: the others are of use nevertheless.
struct UsdtArgs {
  UsdtSpec spec;
  std::vector<UsdtProblem> problems;
};

UsdtArgs parse_usdt_args(std::string_view text, const UsdtPlace &place, UsdtArch arch = kHostUsdtArch);

// As -lv shows them: "int32 arg0  // -4@%eax". A note tells size and sign.
std::vector<std::string> describe_usdt_args(std::string_view text);

}  // namespace awl
