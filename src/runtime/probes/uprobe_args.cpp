#include "runtime/probes/uprobe_args.h"

#include <algorithm>
#include <bit>

namespace awl {

namespace {

#if defined(__x86_64__)
// In pt_regs: di si dx cx r8 r9.
constexpr uint32_t kArgOffsets[] = {112, 104, 96, 88, 72, 64};
constexpr uint32_t kRegistersSize = 168;
constexpr uint64_t kStackPointer = 152;
constexpr uint64_t kReturnAddress = 8;  // bytes on the stack before the arguments that are there
#else
constexpr uint32_t kArgOffsets[] = {0, 8, 16, 24, 32, 40, 48, 56};
constexpr uint32_t kRegistersSize = 272;
constexpr uint64_t kStackPointer = 248;
constexpr uint64_t kReturnAddress = 0;
#endif
static_assert(std::size(kArgOffsets) == kUprobeArgs);

// pt_regs seen as a struct of what its registers hold.
Type registers_of(const ProbeTarget &target) {
  Type type;
  type.kind = TypeKind::Struct;
  type.origin = Origin::Dwarf;
  type.name = "args of " + target.text();
  type.size = kRegistersSize;
  return type;
}

void add_register(Type &type, const std::string &name, const Type *of, uint64_t offset) {
  Field field;
  field.name = name;
  field.type = of;
  field.offset = static_cast<uint32_t>(offset);
  type.fields.push_back(std::move(field));
}

// True for what the caller has put on the stack: of all that DWARF says this alone holds before the function has run.
bool passed_on_stack(const VariablePlace &place) {
  using Op = PlaceStep::Op;
  const std::vector<PlaceStep> &steps = place.steps;
  if (place.kind != VariablePlace::Kind::Memory || place.in_frame || steps.empty() || steps[0].op != Op::Register ||
      steps[0].number != kStackPointer)
    return false;
  if (steps.size() == 1) return kReturnAddress == 0;
  return steps.size() == 3 && steps[1].op == Op::Number && steps[2].op == Op::Add &&
         steps[1].number >= kReturnAddress && steps[1].number < UINT32_MAX;
}

VariablePlace not_in_registers() {
  VariablePlace out;
  out.reason = "it is in no general register when the function is entered";
  return out;
}

VariablePlace in_register(int number, VariablePlace::Kind kind = VariablePlace::Kind::Register) {
  VariablePlace out;
  out.kind = kind;
  out.steps.push_back({PlaceStep::Op::Register, kArgOffsets[number]});
  return out;
}

// Where the calling convention has a value of `size` bytes; Nowhere if it is in no general register.
VariablePlace place_of(const ArgumentRegisters &registers, uint32_t size) {
  if (registers.by_address) return in_register(registers.first, VariablePlace::Kind::Memory);
  if (registers.count == 1) return in_register(registers.first);
  const uint32_t rest = size - 8;
  if (registers.count != 2 || size <= 8 || !std::has_single_bit(rest)) return not_in_registers();
  VariablePlace out;
  out.kind = VariablePlace::Kind::Pieces;
  out.pieces.push_back({8, in_register(registers.first)});
  out.pieces.push_back({rest, in_register(registers.first + 1)});
  return out;
}

// Offsets in pt_regs of the registers that a value stands in; nothing if it is elsewhere.
std::vector<uint64_t> registers_of(const VariablePlace &place) {
  if (place.kind == VariablePlace::Kind::Register) return {place.steps.at(0).number};
  std::vector<uint64_t> out;
  for (const VariablePiece &piece : place.pieces)
    for (uint64_t number : registers_of(piece.place)) out.push_back(number);
  return out;
}

// True if the debug information has a parameter elsewhere than the calling convention does. The compiler may do so with
// a function that only its own unit calls.
bool called_otherwise(const UserFunction &function) {
  for (size_t i = 0; i < function.params.size(); i++) {
    const VariablePlace &place = function.places[i];
    if (place.kind == VariablePlace::Kind::Value) return true;
    const std::vector<uint64_t> told = registers_of(place);
    const std::vector<uint64_t> usual = registers_of(place_of(function.registers[i], function.params[i].second->size));
    if (!told.empty() && !usual.empty() && told != usual) return true;
  }
  return false;
}

void add_variable(ProbeContext &context, Type &registers, UserVariable variable) {
  VariablePlace &place = variable.place;
  if (place.kind == VariablePlace::Kind::Register && variable.type->size <= sizeof(uint64_t))
    return add_register(registers, variable.name, variable.type, place.steps.at(0).number);
  uint64_t size = 0;
  for (const VariablePiece &piece : place.pieces) size += piece.size;
  const bool scalar = variable.type->is_scalar();
  if (place.kind == VariablePlace::Kind::Register || (place.kind == VariablePlace::Kind::Value && !scalar) ||
      (place.kind == VariablePlace::Kind::Pieces && (scalar || size != variable.type->size))) {
    place = VariablePlace();
    place.reason = "it is not in memory, and too large for a register";
  }
  context.variables.push_back(std::move(variable));
}

void add_parameters(ProbeContext &context, Type &registers, UserFunction &function) {
  const bool otherwise = called_otherwise(function);
  for (size_t i = 0; i < function.params.size(); i++) {
    const auto &[name, type] = function.params[i];
    if (name.empty()) continue;
    VariablePlace place = place_of(function.registers[i], type->size);
    const bool dropped = function.is_local && function.places[i].kind == VariablePlace::Kind::Nowhere;
    if (otherwise || dropped || place.kind == VariablePlace::Kind::Nowhere) {
      place = std::move(function.places[i]);
      // Memory in a frame that is not set up yet tells nothing; what is told of registers holds.
      if (place.kind == VariablePlace::Kind::Memory && !passed_on_stack(place)) place = not_in_registers();
    }
    add_variable(context, registers, {name, type, function.texts[i], std::move(place)});
  }
}

}  // namespace

Result<std::optional<UserFunction>> function_of(const ProbeTarget &target, const ProbeEnvironment &env) {
  bool entry = target.address != 0 && target.offset == 0;
  if (!env.user_types || !env.types || !entry || target.name.find('.') != std::string::npos) return std::nullopt;
  return env.user_types->function(*env.types, target.scope, target.address);
}

void add_result(ProbeContext &context, const UserFunction &function, TypeStore &types) {
  using enum UserFunction::ResultPlace;
  const Type *result = function.result;
  const bool to_struct = result->is_pointer() && result->target->is_struct();
  if (result->is_integral() || to_struct) context.retval = result;
  if (!result->is_struct() && function.result_place != FloatRegister) return;
  if (function.result_place == Address) context.retval = types.pointer(result, AddressSpace::User);
  if (function.result_place == Register && result->size > 0) context.retval_part_of = result;
  if (function.result_place == FloatRegister)
    context.no_retval =
        "the function returns a `" + function.result_text + "`, which is in a register for floating point numbers";
}

Result<void> add_args(ProbeContext &context, const ProbeTarget &target, const ProbeEnvironment &env) {
  if (!env.user_types || !env.types || target.address == 0) return {};
  Type type = registers_of(target);
  if (std::optional<UserFunction> function = TRY(function_of(target, env))) {
    add_parameters(context, type, *function);
    context.args = env.types->intern(std::move(type));
    return {};
  }
  if (!target.has_address && target.offset == 0) return {};
  std::vector<UserVariable> found =
      TRY(env.user_types->variables(*env.types, target.scope, target.address + target.offset));
  if (found.empty()) return {};
  for (UserVariable &variable : found) add_variable(context, type, std::move(variable));
  context.args = env.types->intern(std::move(type));
  return {};
}

}  // namespace awl
