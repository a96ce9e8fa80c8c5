#include "runtime/probes/usdt_args.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cstdlib>

#include "base/strings.h"

// An argument is SIZE@OPERAND: SIZE in bytes, negative if signed, with an "f" behind it for floating point;
// OPERAND as the compiler would print it for an inline assembler statement with constraint "nor":
//   x86-64  $5  %rdi  112(%rsp)  -8(%rbp,%rax,4)  counter(%rip)  counter+8(%rip)
//   arm64   5   x0    [sp, 12]   [x19]  [x1, x2, lsl 3]
// A symbol is reached by its distance from the marker, which is the same wherever the file is loaded.

namespace awl {

namespace {

struct Register {
  uint32_t offset = 0;  // in pt_regs
  bool floating = false;
  bool high_byte = false;  // %ah
};

// In the order of struct pt_regs, 8 bytes each.
constexpr std::array<std::string_view, 20> kX86Registers = {"r15", "r14", "r13", "r12", "bp", "bx", "r11",
                                                            "r10", "r9",  "r8",  "ax",  "cx", "dx", "si",
                                                            "di",  "",    "ip",  "",    "",   "sp"};

constexpr uint32_t kX86InstructionPointer = 16 * 8;
constexpr uint32_t kArmProgramCounter = 32 * 8;

std::optional<Register> find_x86_register(std::string_view name) {
  if (name.starts_with("xmm") || name.starts_with("ymm") || name.starts_with("zmm") || name.starts_with("st") ||
      name.starts_with("mm"))
    return Register{0, true, false};
  if (name.size() == 2 && name[1] == 'h' && name[0] >= 'a' && name[0] <= 'd') return Register{0, false, true};
  std::string bare(name);
  if (bare.size() > 1 && bare[0] == 'r' && bare[1] >= '0' && bare[1] <= '9') {
    if (bare.back() == 'd' || bare.back() == 'w' || bare.back() == 'b') bare.pop_back();  // r8d r8w r8b
  } else if (bare.size() == 3 && (bare[0] == 'r' || bare[0] == 'e')) {
    bare.erase(0, 1);  // rax eax
  } else if (bare.size() == 3 && bare[2] == 'l') {
    bare.pop_back();  // sil
  } else if (bare.size() == 2 && bare[1] == 'l') {
    bare[1] = 'x';  // al
  }
  if (bare.empty()) return std::nullopt;
  for (size_t i = 0; i < kX86Registers.size(); i++)
    if (kX86Registers[i] == bare) return Register{static_cast<uint32_t>(i * 8), false, false};
  return std::nullopt;
}

std::optional<Register> find_arm_register(std::string_view name) {
  if (name == "sp") return Register{31 * 8, false, false};
  if (name == "fp") return Register{29 * 8, false, false};
  if (name == "lr") return Register{30 * 8, false, false};
  if (name.size() < 2 || name.size() > 3) return std::nullopt;
  auto number = std::isdigit(static_cast<unsigned char>(name[1])) ? parse_unsigned(name.substr(1)) : std::nullopt;
  if (!number || *number > 31) return std::nullopt;
  switch (name[0]) {
    case 'x':
    case 'w':
      return *number <= 30 ? std::optional(Register{static_cast<uint32_t>(*number * 8), false, false}) : std::nullopt;
    case 'b':
    case 'h':
    case 's':
    case 'd':
    case 'q':
    case 'v': return Register{0, true, false};
    default: return std::nullopt;
  }
}

// "-228", "0x10", "+8"
std::optional<int64_t> parse_signed(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  auto value = parse_unsigned(text);
  if (!value) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - *value : *value);
}

// Reads one operand; the message of a failure continues "argN ".
class OperandParser {
 public:
  OperandParser(const UsdtPlace &place, UsdtArch arch) : place_(place), arch_(arch) {}

  Result<> parse(std::string_view text, UsdtArg &arg) const {
    return arch_ == UsdtArch::X86_64 ? parse_x86(text, arg) : parse_arm(text, arg);
  }

 private:
  [[nodiscard]] static std::unexpected<Error> unknown(std::string_view text) {
    return fail(fmt::format("has an operand that is not understood: `{}`", text));
  }

  [[nodiscard]] Result<uint32_t> register_offset(std::string_view name, std::string_view text) const {
    auto found = arch_ == UsdtArch::X86_64 ? find_x86_register(name) : find_arm_register(name);
    if (!found) return unknown(text);
    if (found->floating) return fail("is in a floating point register");
    if (found->high_byte) return fail("is in the second byte of a register");
    return found->offset;
  }

  // Address of "symbol", "symbol+8", "symbol-8".
  [[nodiscard]] std::optional<uint64_t> symbol_address(std::string_view text) const {
    size_t sign = text.find_first_of("+-", 1);
    int64_t more = 0;
    if (sign != std::string_view::npos) {
      auto number = parse_signed(text.substr(sign));
      if (!number) return std::nullopt;
      more = *number;
    }
    if (!place_.symbol) return std::nullopt;
    auto address = place_.symbol(text.substr(0, sign));
    if (!address) return std::nullopt;
    return *address + static_cast<uint64_t>(more);
  }

  Result<> at_symbol(std::string_view symbol, UsdtArg &arg) const {
    auto address = symbol_address(symbol);
    if (!address) return fail(fmt::format("is at `{}`, a symbol that the file does not name", symbol));
    arg.kind = static_cast<uint32_t>(UsdtArgKind::Memory);
    arg.reg_offset = arch_ == UsdtArch::X86_64 ? kX86InstructionPointer : kArmProgramCounter;
    arg.constant = *address - place_.marker_address;
    return {};
  }

  Result<> parse_x86(std::string_view text, UsdtArg &arg) const;
  Result<> parse_x86_memory(std::string_view text, size_t open, UsdtArg &arg) const;
  Result<> parse_arm(std::string_view text, UsdtArg &arg) const;

  const UsdtPlace &place_;
  UsdtArch arch_;
};

Result<> OperandParser::parse_x86(std::string_view text, UsdtArg &arg) const {
  if (text.starts_with('$')) {
    std::string_view value = text.substr(1);
    if (auto number = parse_signed(value)) {
      arg.constant = static_cast<uint64_t>(*number);
      return {};
    }
    auto address = symbol_address(value);
    if (!address || place_.position_independent)
      return fail(fmt::format("is the address of `{}`, which is not known", value));
    arg.constant = *address;
    return {};
  }
  size_t open = text.find('(');
  if (open != std::string_view::npos) return parse_x86_memory(text, open, arg);
  if (text.starts_with('%')) {
    if (text.find(':') != std::string_view::npos) return fail("is in thread-local memory");
    arg.kind = static_cast<uint32_t>(UsdtArgKind::Register);
    arg.reg_offset = TRY(register_offset(text.substr(1), text));
    return {};
  }
  if (parse_signed(text)) return unknown(text);  // an absolute address
  return at_symbol(text, arg);
}

// DISPLACEMENT(BASE) or DISPLACEMENT(BASE,INDEX,SCALE)
Result<> OperandParser::parse_x86_memory(std::string_view text, size_t open, UsdtArg &arg) const {
  std::string_view displacement = trim(text.substr(0, open));
  if (text.back() != ')') return unknown(text);
  if (displacement.find(':') != std::string_view::npos) return fail("is in thread-local memory");
  std::vector<std::string> inside = split(text.substr(open + 1, text.size() - open - 2), ',');
  if (inside.size() > 3 || !trim(inside[0]).starts_with('%')) return unknown(text);
  std::string_view base = trim(inside[0]).substr(1);
  auto number = displacement.empty() ? std::optional<int64_t>(0) : parse_signed(displacement);
  if (base == "rip") {
    // A bare distance counts from the end of an instruction that is not there.
    if (number || inside.size() > 1) return unknown(text);
    return at_symbol(displacement, arg);
  }
  if (!number) {
    auto address = symbol_address(displacement);
    if (!address || place_.position_independent)
      return fail(fmt::format("is near `{}`, whose address is not known", displacement));
    number = static_cast<int64_t>(*address);
  }
  arg.reg_offset = TRY(register_offset(base, text));
  arg.constant = static_cast<uint64_t>(*number);
  arg.kind = static_cast<uint32_t>(UsdtArgKind::Memory);
  if (inside.size() == 1) return {};
  std::string_view index = trim(inside[1]);
  if (!index.starts_with('%')) return unknown(text);
  auto scale = inside.size() == 3 ? parse_unsigned(trim(inside[2])) : std::optional<uint64_t>(1);
  if (!scale || (*scale != 1 && *scale != 2 && *scale != 4 && *scale != 8)) return unknown(text);
  arg.index_offset = TRY(register_offset(index.substr(1), text));
  arg.index_shift = static_cast<uint32_t>(__builtin_ctzll(*scale));
  arg.kind = static_cast<uint32_t>(UsdtArgKind::IndexedMemory);
  return {};
}

Result<> OperandParser::parse_arm(std::string_view text, UsdtArg &arg) const {
  std::string_view bare = text.starts_with('#') ? text.substr(1) : text;
  if (auto number = parse_signed(bare)) {
    arg.constant = static_cast<uint64_t>(*number);
    return {};
  }
  if (!text.starts_with('[')) {
    arg.kind = static_cast<uint32_t>(UsdtArgKind::Register);
    auto offset = register_offset(text, text);
    if (offset) {
      arg.reg_offset = *offset;
      return {};
    }
    return symbol_address(text) ? at_symbol(text, arg) : std::unexpected(std::move(offset).error());
  }
  if (text.back() != ']') return unknown(text);
  std::vector<std::string> inside = split(text.substr(1, text.size() - 2), ',');
  if (inside.size() > 3) return unknown(text);
  arg.reg_offset = TRY(register_offset(trim(inside[0]), text));
  arg.kind = static_cast<uint32_t>(UsdtArgKind::Memory);
  if (inside.size() == 1) return {};
  std::string_view second = trim(inside[1]);
  if (second.starts_with('#')) second.remove_prefix(1);
  if (auto number = parse_signed(second); number && inside.size() == 2) {
    arg.constant = static_cast<uint64_t>(*number);
    return {};
  }
  arg.index_offset = TRY(register_offset(second, text));
  arg.kind = static_cast<uint32_t>(UsdtArgKind::IndexedMemory);
  if (inside.size() == 2) return {};
  std::string_view shift = trim(inside[2]);
  if (!shift.starts_with("lsl ")) return unknown(text);
  shift = trim(shift.substr(4));
  if (shift.starts_with('#')) shift.remove_prefix(1);
  auto bits = parse_unsigned(shift);
  if (!bits || *bits > 3) return unknown(text);
  arg.index_shift = static_cast<uint32_t>(*bits);
  return {};
}

// "-4@%eax": also sets size and sign.
Result<> parse_argument(std::string_view text, const OperandParser &operands, UsdtArg &arg) {
  size_t at = text.find('@');
  std::string_view operand = at == std::string_view::npos ? text : trim(text.substr(at + 1));
  if (at != std::string_view::npos) {
    std::string_view size_text = text.substr(0, at);
    if (size_text.ends_with('f')) return fail("is a floating point number");
    auto size = parse_signed(size_text);
    if (!size || (std::abs(*size) != 1 && std::abs(*size) != 2 && std::abs(*size) != 4 && std::abs(*size) != 8))
      return fail(fmt::format("has the size `{}`", size_text));
    arg.is_signed = *size < 0;
    arg.shift = static_cast<uint32_t>(64 - 8 * std::abs(*size));
  }
  if (operand.empty()) return fail("is empty");
  TRY(operands.parse(operand, arg));
  // Constants are written with the sign of the assembler, whatever their type: 65535 as `2@$-1`.
  if (arg.kind == static_cast<uint32_t>(UsdtArgKind::Constant)) {
    arg.constant <<= arg.shift;
    arg.constant = arg.is_signed ? static_cast<uint64_t>(static_cast<int64_t>(arg.constant) >> arg.shift)
                                 : arg.constant >> arg.shift;
  }
  return {};
}

// The texts of the single arguments.
std::vector<std::string> split_usdt_args(std::string_view text) {
  std::vector<std::string> out;
  std::string current;
  int depth = 0;  // "[sp, 12]" is one operand
  for (char c : text) {
    if (c == '[' || c == '(') depth++;
    if ((c == ']' || c == ')') && depth > 0) depth--;
    if ((c == ' ' || c == '\t') && depth == 0) {
      if (!current.empty()) out.push_back(std::move(current));
      current.clear();
    } else {
      current += c;
    }
  }
  if (!current.empty()) out.push_back(std::move(current));
  return out;
}

}  // namespace

std::vector<std::string> describe_usdt_args(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string &argument : split_usdt_args(text)) {
    std::string_view size(argument);
    const bool is_signed = size.starts_with('-');
    if (is_signed) size.remove_prefix(1);
    const size_t at = size.find('@');
    // Without a size it is a word.
    const uint64_t bytes = at == size.npos ? 8 : parse_unsigned(size.substr(0, at)).value_or(8);
    out.push_back(fmt::format("{}int{} arg{}  // {}", is_signed ? "" : "u", 8 * bytes, out.size(), argument));
  }
  return out;
}

UsdtArgs parse_usdt_args(std::string_view text, const UsdtPlace &place, UsdtArch arch) {
  UsdtArgs out;
  OperandParser operands(place, arch);
  std::vector<std::string> texts = split_usdt_args(text);
  for (uint32_t i = 0; i < texts.size(); i++) {
    if (i == kUsdtMaxArgs) {
      out.problems.push_back(
          {i, fmt::format("only the first {} of {} arguments can be read", kUsdtMaxArgs, texts.size())});
      break;
    }
    UsdtArg arg;
    if (auto parsed = parse_argument(texts[i], operands, arg); parsed)
      out.spec.args[i] = arg;
    else
      out.problems.push_back({i, fmt::format("arg{} {}", i, parsed.error().message)});
    out.spec.arg_count = i + 1;
  }
  return out;
}

}  // namespace awl
