#include "runtime/probes/uprobe_args.h"

#include <algorithm>

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
  if (place.kind != VariablePlace::Kind::Memory || steps.empty() || steps[0].op != Op::Register ||
      steps[0].number != kStackPointer)
    return false;
  if (steps.size() == 1) return kReturnAddress == 0;
  return steps.size() == 3 && steps[1].op == Op::Number && steps[2].op == Op::Add &&
         steps[1].number >= kReturnAddress && steps[1].number < UINT32_MAX;
}

// True if the debug information has a parameter elsewhere than the calling convention does. The compiler may do so with
// a function that only its own unit calls.
bool called_otherwise(const UserFunction &function) {
  for (size_t i = 0; i < function.params.size(); i++) {
    const VariablePlace &place = function.places[i];
    if (place.kind == VariablePlace::Kind::Value) return true;
    if (place.kind == VariablePlace::Kind::Register && function.registers[i] >= 0 &&
        place.steps.at(0).number != kArgOffsets[function.registers[i]])
      return true;
  }
  return false;
}

void add_variable(ProbeContext &context, Type &registers, UserVariable variable) {
  VariablePlace &place = variable.place;
  if (place.kind == VariablePlace::Kind::Register && variable.type->size <= sizeof(uint64_t))
    return add_register(registers, variable.name, variable.type, place.steps.at(0).number);
  const bool number = place.kind == VariablePlace::Kind::Value && variable.type->is_scalar();
  if (place.kind == VariablePlace::Kind::Register || (place.kind == VariablePlace::Kind::Value && !number)) {
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
    if (!otherwise && function.registers[i] >= 0) {
      add_register(registers, name, type, kArgOffsets[function.registers[i]]);
      continue;
    }
    UserVariable one{name, type, function.texts[i], std::move(function.places[i])};
    const bool in_memory = one.place.kind == VariablePlace::Kind::Memory;
    if (in_memory ? !passed_on_stack(one.place) : !otherwise) {
      one.place = VariablePlace();
      one.place.reason = "it is in no general register when the function is entered";
    }
    add_variable(context, registers, std::move(one));
  }
}

}  // namespace

Result<std::optional<UserFunction>> function_of(const ProbeTarget &target, const ProbeEnvironment &env) {
  bool entry = target.address != 0 && target.offset == 0;
  if (!env.user_types || !env.types || !entry || target.name.find('.') != std::string::npos) return std::nullopt;
  return env.user_types->function(*env.types, target.scope, target.address);
}

const Type *typed_result(const Type *result) {
  bool integer = result->kind == TypeKind::Int || result->kind == TypeKind::Enum;
  bool to_struct = result->is_pointer() && result->target->is_struct();
  return integer || to_struct ? result : nullptr;
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
