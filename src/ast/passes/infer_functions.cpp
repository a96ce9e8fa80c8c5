// The rules of the script's functions, and of addresses.
#include "ast/passes/inference.h"

namespace awl::ast {

namespace {

bool always_returns(const Stmt *stmt);

bool always_returns(const Block *block) {
  for (const Stmt *stmt : block->body)
    if (always_returns(stmt)) return true;
  return false;
}

// True if nothing behind the statement is reached.
bool always_returns(const Stmt *stmt) {
  if (const auto *jump = as<Jump>(stmt)) return jump->jump == JumpKind::Return;
  if (const auto *block = as<Block>(stmt)) return always_returns(block);
  if (const auto *choice = as<If>(stmt))
    return choice->otherwise && always_returns(choice->then) && always_returns(choice->otherwise);
  const auto *statement = as<ExprStmt>(stmt);
  const auto *call = statement ? as<Call>(statement->expr) : nullptr;
  return call && call->name == "exit";
}

// True if a value of type `from` can be handed over as `to` without losing anything of a string.
bool fits(TypeStore &store, const Type *to, const Type *from) {
  if (to->is_poison() || from->is_poison()) return true;
  if (from->kind == TypeKind::Void || to->is_scalar() != from->is_scalar()) return false;
  const Type *joined = join_types(store, to, from);
  return joined && (to->is_scalar() || joined == to);
}

}  // namespace

void Inference::visit_function() {
  const Function &function = *unit().function;
  auto know = [&](const Type *&known, const Type *type) {
    if (!type || type == known) return;
    known = type;
    changed_ = true;
  };
  for (size_t i = 0; i < function.params.size(); i++) {
    const FunctionParam &param = function.params[i];
    if (!is_open_string(param.type)) know(facts_.locals[unit_][i], resolve(param.type));
    if (param.default_value && !constant(param.default_value) && !literal(param.default_value))
      error(diag::NotConstant, param.default_value->span, "what a parameter is if it is not given");
  }
  if (!is_open_string(function.result)) know(facts_.results[unit_], resolve(function.result));
  visit_block(function.body);
  const Type *result = facts_.results[unit_];
  bool gives = is_open_string(function.result) || (result && result->kind != TypeKind::Void && !result->is_poison());
  if (gives && !always_returns(function.body))
    error(diag::MissingReturn, function.name_span, function.name, function.result.name)
        .with_hint("each way through it must end with `return VALUE;`");
}

void Inference::visit_return(Jump *jump) {
  const Type *type = jump->value ? operand(jump->value) : nullptr;
  const Function *function = unit().function;
  if (!function) {
    if (type && !type->is_poison() && !type->is_integral())
      error(diag::BadReturn, jump->value->span, unit().text, "an integer", describe(type));
    return;
  }
  const Type *&result = facts_.results[unit_];
  bool open = is_open_string(function->result);
  if (result && result->kind == TypeKind::Void) {
    if (jump->value)
      error(diag::BadReturn, jump->value->span, function->name, "nothing", describe(type))
          .with_hint("say what it gives: `fn " + function->name + "(...) : TYPE { ... }`");
  } else if (!jump->value) {
    error(diag::BadReturn, jump->span, function->name, open ? "a `string`" : describe(result), "nothing");
  } else if (type && !type->is_poison()) {
    bool matches = open ? type->is_string() : !result || fits(store(), result, type);
    if (!matches)
      error(diag::BadReturn, jump->value->span, function->name, open ? "a `string`" : describe(result), describe(type));
    else if (const Type *joined = open ? join_types(store(), result, type) : result; joined != result) {
      result = joined;
      changed_ = true;
    }
  }
}

const Type *Inference::infer_script_call(const CallSite &call) {
  bool counted = check_signature(call);
  uint32_t target = 0;
  while (input_.units[target].function != call.function) target++;
  for (size_t i = 0; i < call.args.size(); i++) {
    if (counted)
      check_argument(call, i, target);
    else
      operand(call.args[i]);
  }
  for (size_t i = call.args.size(); counted && i < call.function->params.size(); i++)
    infer(call.function->params[i].default_value);
  if (!counted) return poison();
  return facts_.results[target];
}

// Patterns say whether an argument is an integer or a pointer; pointers to two structs must be to the same.
const Type *Inference::infer_c_call(const CallSite &call) {
  const CFunction &function = *find_c_function(*input_.c_functions, call.function);
  if (!function.problem.empty()) {
    error(diag::CNotCallable, call.node->span, call.function->name, function.problem)
        .at(call.function->span, "imported here");
    return poison();
  }
  if (!check_arguments(call)) return poison();
  auto is_struct = [](const Type *type) {
    return type && type->is_pointer() && type->target && type->target->kind == TypeKind::Struct;
  };
  for (size_t i = 0; i < call.args.size(); i++) {
    const Type *wanted = function.params[i], *given = operand(call.args[i]);
    if (is_struct(wanted) && is_struct(given) && wanted->target->name != given->target->name)
      error(diag::ArgumentType, call.args[i]->span, i + 1, call.function->name, describe(given), describe(wanted));
  }
  if (!function.result->is_pointer()) return function.result;
  // Its fields are those of the script's or the kernel's type of that name.
  const Type *target = store().void_type();
  if (is_struct(function.result))
    if (auto known = store().find(to_string(function.result->target)); known && *known) target = **known;
  return store().pointer(target, AddressSpace::Kernel);
}

void Inference::check_argument(const CallSite &call, size_t index, uint32_t unit) {
  Expr *arg = call.args[index];
  const FunctionParam &param = call.function->params[index];
  const Type *&known = facts_.locals[unit][index];
  const Type *type = operand(arg);
  if (!type || type->is_poison()) return;
  bool open = is_open_string(param.type);
  if (open ? !type->is_string() : known && !fits(store(), known, type)) {
    error(diag::ArgumentType, arg->span, index + 1, call.function->name, describe(type),
          open ? "a `string`" : describe(known))
        .at(param.span, "declared here");
    return;
  }
  if (!open) return;
  if (const Type *joined = join_types(store(), known, type); joined != known) {
    known = joined;
    changed_ = true;
  }
}

// &$v: the variable's memory; &@m, &@m[k]: the value in the map, or the map itself; &p->f, &p[i]: where they stand.
const Type *Inference::infer_address(Unary *expr) {
  Expr *operand = expr->operand;
  if (auto *access = as<MapAccess>(operand); access && access->keys.empty()) {
    MapFacts &facts = map(access);
    if (facts.shape_known && !facts.keys.empty()) {
      Result<std::optional<const Type *>> object = store().find("struct bpf_map");
      return store().pointer(object && *object ? **object : store().void_type(), AddressSpace::Kernel);
    }
  }
  const Type *type = infer(operand);
  if (!type || type->is_poison()) return type;
  bool has_place = operand->kind == NodeKind::Variable || operand->kind == NodeKind::MapAccess;
  if (auto *field = as<FieldAccess>(operand)) {
    const Type *base = facts_.types[field->base];
    const Type *owner = base && base->is_pointer() ? base->target : base;
    auto found = owner && owner->kind == TypeKind::Struct ? store().field(owner, field->name)
                                                          : Result<std::optional<FieldRef>>();
    has_place = base && (base->is_pointer() || field->base->kind == NodeKind::FieldAccess) && found && *found &&
                (*found)->bits == 0;
  } else if (auto *index = as<Index>(operand)) {
    const Type *base = facts_.types[index->base];
    has_place = base && (base->is_pointer() || (index->base->kind == NodeKind::FieldAccess && !base->is_string()));
  }
  if (type->kind == TypeKind::Aggregate || type->kind == TypeKind::Void) has_place = false;
  if (!has_place) {
    error(diag::NoAddress, operand->span, describe(type))
        .with_hint("variables, entries of maps, and fields and elements behind a pointer have one");
    return poison();
  }
  return store().pointer(type, AddressSpace::Kernel);
}

}  // namespace awl::ast
