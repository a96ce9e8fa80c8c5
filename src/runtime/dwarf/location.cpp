#include "runtime/dwarf/location.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace awl {

namespace {

using Op = PlaceStep::Op;

// Offset in pt_regs of a register by its number in DWARF (System V ABI of x86-64, AAPCS64); nullopt if it is not there.
std::optional<uint64_t> register_offset(uint64_t number) {
#if defined(__x86_64__)
  constexpr uint64_t kOffsets[] = {80, 96, 88, 40, 104, 112, 32, 152, 72, 64, 56, 48, 24, 16, 8, 0, 128};
#else
  constexpr uint64_t kOffsets[] = {0,   8,   16,  24,  32,  40,  48,  56,  64,  72,  80,  88,  96,  104, 112, 120, 128,
                                   136, 144, 152, 160, 168, 176, 184, 192, 200, 208, 216, 224, 232, 240, 248, 256};
#endif
  if (number >= std::size(kOffsets)) return std::nullopt;
  return kOffsets[number];
}

#if defined(__x86_64__)
constexpr uint64_t kInstructionPointer = 16;
#else
constexpr uint64_t kInstructionPointer = 32;
#endif

VariablePlace nowhere(std::string reason) {
  VariablePlace out;
  out.reason = std::move(reason);
  return out;
}

std::optional<Op> arithmetic(int atom) {
  switch (atom) {
    case DW_OP_plus: return Op::Add;
    case DW_OP_minus: return Op::Sub;
    case DW_OP_mul: return Op::Mul;
    case DW_OP_and: return Op::And;
    case DW_OP_or: return Op::Or;
    case DW_OP_xor: return Op::Xor;
    case DW_OP_shl: return Op::ShiftLeft;
    case DW_OP_shr: return Op::ShiftRight;
    case DW_OP_shra: return Op::ShiftRightSigned;
    case DW_OP_neg: return Op::Negate;
    case DW_OP_not: return Op::Not;
    case DW_OP_deref: return Op::Deref;
    default: return std::nullopt;
  }
}

std::optional<uint64_t> constant(const Dwarf_Op &op) {
  if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31) return op.atom - DW_OP_lit0;
  if (op.atom >= DW_OP_const1u && op.atom <= DW_OP_consts) return op.number;
  return std::nullopt;
}

// Why an operation that is none of the above cannot be followed.
std::string refusal(int atom) {
  switch (atom) {
    case DW_OP_bit_piece: return "it is spread over several registers or places by bits";
    case DW_OP_entry_value:
    case DW_OP_GNU_entry_value:
    case DW_OP_GNU_parameter_ref: return "only its value at the call is known, which the function has overwritten";
    case DW_OP_implicit_pointer:
    case DW_OP_GNU_implicit_pointer: return "what it points at was optimised out";
    case DW_OP_form_tls_address:
    case DW_OP_GNU_push_tls_address: return "it is a variable of the thread";
    default: return "the compiler describes it in a way that awl does not follow";
  }
}

class Reader {
 public:
  explicit Reader(const LocationContext &context) : context_(context) {}

  VariablePlace read(Dwarf_Attribute *attribute, std::span<const Dwarf_Op> operations);

 private:
  bool step(Dwarf_Attribute *attribute, const Dwarf_Op &op);
  bool push_register(uint64_t number, uint64_t offset);
  void push(uint64_t number) { place_.steps.push_back({Op::Number, number}); }
  void add(uint64_t number);
  bool push_frame_base();
  bool push_cfa();
  bool refuse(std::string reason) {
    place_ = nowhere(std::move(reason));
    return false;
  }

  const LocationContext &context_;
  VariablePlace place_;
  int depth_ = 0;
};

void Reader::add(uint64_t number) {
  if (number == 0) return;
  const size_t size = place_.steps.size();
  if (size >= 3 && place_.steps[size - 1].op == Op::Add && place_.steps[size - 2].op == Op::Number) {
    place_.steps[size - 2].number += number;
    return;
  }
  push(number);
  place_.steps.push_back({Op::Add, 0});
}

bool Reader::push_register(uint64_t number, uint64_t offset) {
  std::optional<uint64_t> at = register_offset(number);
  if (!at) return refuse("it is in a register for floating point numbers or vectors");
  place_.steps.push_back({Op::Register, *at});
  add(offset);
  return true;
}

// The stack pointer before the call, by the rules for unwinding.
bool Reader::push_cfa() {
  Dwarf_Op *operations = nullptr;
  size_t count = 0;
  Dwarf_Frame *frame = nullptr;
  for (Dwarf_CFI *rules : context_.debug.unwind_rules()) {
    if (!rules || dwarf_cfi_addrframe(rules, context_.address, &frame) != 0) continue;
    bool good = dwarf_frame_cfa(frame, &operations, &count) == 0 && count > 0 && depth_++ < 4;
    for (size_t i = 0; good && i < count; i++) good = step(nullptr, operations[i]);
    std::free(frame);
    return good || refuse("where the function's frame begins is not known");
  }
  return refuse("the program has no unwind tables, which would tell where the function's frame begins");
}

bool Reader::push_frame_base() {
  Dwarf_Attribute attribute;
  Dwarf_Op *operations = nullptr;
  size_t count = 0;
  Dwarf_Die function = context_.function;
  if (!dwarf_attr_integrate(&function, DW_AT_frame_base, &attribute) ||
      dwarf_getlocation_addr(&attribute, context_.address, &operations, &count, 1) != 1 || count == 0 || depth_++ >= 4)
    return refuse("where the function's frame begins is not known");
  // A register named here is the base itself, not a place that holds it.
  place_.in_frame = operations[0].atom != DW_OP_call_frame_cfa;
  if (count == 1 && operations[0].atom >= DW_OP_reg0 && operations[0].atom <= DW_OP_reg31)
    return push_register(operations[0].atom - DW_OP_reg0, 0);
  if (count == 1 && operations[0].atom == DW_OP_regx) return push_register(operations[0].number, 0);
  for (size_t i = 0; i < count; i++)
    if (!step(&attribute, operations[i])) return false;
  return true;
}

bool Reader::step(Dwarf_Attribute *attribute, const Dwarf_Op &op) {
  if (std::optional<uint64_t> number = constant(op)) {
    push(*number);
    return true;
  }
  if (std::optional<Op> how = arithmetic(op.atom)) {
    place_.steps.push_back({*how, 0});
    return true;
  }
  if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31) return push_register(op.atom - DW_OP_breg0, op.number);
  switch (op.atom) {
    case DW_OP_nop: return true;
    case DW_OP_bregx: return push_register(op.number, op.number2);
    case DW_OP_plus_uconst: add(op.number); return true;
    case DW_OP_call_frame_cfa: return push_cfa();
    case DW_OP_fbreg:
      if (!push_frame_base()) return false;
      add(op.number);
      return true;
    case DW_OP_addr:
    case DW_OP_addrx:
    case DW_OP_GNU_addr_index: {
      Dwarf_Attribute indirect;
      Dwarf_Addr address = op.number;
      if (op.atom != DW_OP_addr && (!attribute || dwarf_getlocation_attr(attribute, &op, &indirect) != 0 ||
                                    dwarf_formaddr(&indirect, &address) != 0))
        return refuse(refusal(op.atom));
      // Wherever the file was loaded, the distance from the code is the same.
      return push_register(kInstructionPointer, address - context_.address);
    }
    default: return refuse(refusal(op.atom));
  }
}

// Operations between two DW_OP_piece say where one piece is.
VariablePlace read_pieces(const LocationContext &context, Dwarf_Attribute *attribute,
                          std::span<const Dwarf_Op> operations) {
  VariablePlace out;
  out.kind = VariablePlace::Kind::Pieces;
  size_t begin = 0;
  for (size_t i = 0; i < operations.size(); i++) {
    if (operations[i].atom != DW_OP_piece) continue;
    if (i == begin) return nowhere("a part of it was optimised out here");
    VariablePiece piece{static_cast<uint32_t>(operations[i].number),
                        Reader(context).read(attribute, operations.subspan(begin, i - begin))};
    if (piece.place.kind == VariablePlace::Kind::Nowhere) return nowhere("of a part of it: " + piece.place.reason);
    if (piece.place.kind != VariablePlace::Kind::Memory && (piece.size > 8 || !std::has_single_bit(piece.size)))
      return nowhere("a part of it is in a register for vectors");
    out.pieces.push_back(std::move(piece));
    begin = i + 1;
  }
  return begin == operations.size() ? out : nowhere("the compiler describes it in a way that awl does not follow");
}

VariablePlace Reader::read(Dwarf_Attribute *attribute, std::span<const Dwarf_Op> operations) {
  if (operations.empty()) return nowhere("it was optimised out here");
  const Dwarf_Op &first = operations.front();
  if (operations.size() == 1 && ((first.atom >= DW_OP_reg0 && first.atom <= DW_OP_reg31) || first.atom == DW_OP_regx)) {
    if (push_register(first.atom == DW_OP_regx ? first.number : first.atom - DW_OP_reg0, 0))
      place_.kind = VariablePlace::Kind::Register;
    return place_;
  }
  if (operations.size() == 1 && first.atom == DW_OP_implicit_value) {
    Dwarf_Block block;
    uint64_t value = 0;
    if (dwarf_getlocation_implicit_value(attribute, &first, &block) != 0 || block.length > sizeof(value))
      return nowhere("it is a constant of more than 8 bytes");
    std::memcpy(&value, block.data, block.length);
    push(value);
    place_.kind = VariablePlace::Kind::Value;
    return place_;
  }
  place_.kind = VariablePlace::Kind::Memory;
  for (const Dwarf_Op &op : operations) {
    if (place_.kind == VariablePlace::Kind::Value) return nowhere(refusal(op.atom));
    if (op.atom == DW_OP_stack_value)
      place_.kind = VariablePlace::Kind::Value;
    else if (!step(attribute, op))
      return place_;
  }
  return place_;
}

}  // namespace

VariablePlace read_location(const LocationContext &context, Dwarf_Attribute *attribute,
                            std::span<const Dwarf_Op> operations) {
  bool pieces = std::ranges::any_of(operations, [](const Dwarf_Op &op) { return op.atom == DW_OP_piece; });
  return pieces ? read_pieces(context, attribute, operations) : Reader(context).read(attribute, operations);
}

}  // namespace awl
