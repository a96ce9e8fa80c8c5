// The rules of expressions.
#include <algorithm>
#include <cassert>

#include "ast/intrinsics/strings.h"
#include "ast/passes/inference.h"
#include "ast/passes/renamed_fields.h"
#include "base/strings.h"
#include "runtime/types/constants.h"

namespace awl::ast {

const Type *Inference::infer(Expr *expr) {
  if (!inferred_.insert(expr).second) return facts_.types[expr];
  const Type *type = rule(expr);
  facts_.types.set(expr, type);
  return type;
}

const Type *Inference::rule(Expr *expr) {
  TypeStore &s = store();
  switch (expr->kind) {
    case NodeKind::IntegerLiteral: return s.integer(8, !static_cast<IntegerLiteral *>(expr)->is_unsigned);
    case NodeKind::StringLiteral:
      return s.string(static_cast<uint32_t>(static_cast<StringLiteral *>(expr)->value.size()) + 1);
    case NodeKind::BoolLiteral: return s.boolean();
    case NodeKind::Identifier: return infer_identifier(static_cast<Identifier *>(expr));
    case NodeKind::PositionalParam: return infer_param(static_cast<PositionalParam *>(expr));
    case NodeKind::ParamCount: return s.int64();
    case NodeKind::Variable: return infer_variable(static_cast<Variable *>(expr));
    case NodeKind::MapAccess: return infer_map(static_cast<MapAccess *>(expr));
    case NodeKind::Call: {
      auto *call = static_cast<Call *>(expr);
      if (auto site = call_site(input_.functions, expr)) return infer_call(*site);
      for (Expr *arg : call->args) infer(arg);
      return unknown_function(call);
    }
    case NodeKind::FieldAccess: return infer_field(static_cast<FieldAccess *>(expr));
    case NodeKind::Index: return infer_index(static_cast<Index *>(expr));
    case NodeKind::Unary: return infer_unary(static_cast<Unary *>(expr));
    case NodeKind::Binary: return infer_binary(static_cast<Binary *>(expr));
    case NodeKind::Conditional: return infer_conditional(static_cast<Conditional *>(expr));
    case NodeKind::IncDec: return infer_incdec(static_cast<IncDec *>(expr));
    case NodeKind::Cast: return infer_cast(static_cast<Cast *>(expr));
    case NodeKind::TupleExpr: return infer_tuple(static_cast<TupleExpr *>(expr)->elements, nullptr);
    case NodeKind::RecordExpr: {
      auto *record = static_cast<RecordExpr *>(expr);
      return infer_tuple(record->elements, &record->names);
    }
    case NodeKind::SizeOf: {
      auto *size = static_cast<SizeOf *>(expr);
      const Type *type = size->type ? resolve(*size->type) : type_of(size->operand);
      if (type && !type->is_poison()) set_constant(expr, type->size);
      return s.uint64();
    }
    case NodeKind::OffsetOf: return infer_offsetof(static_cast<OffsetOf *>(expr));
    case NodeKind::BlockExpr: {
      auto *block = static_cast<BlockExpr *>(expr);
      visit_block(block->block);
      return block->value ? infer(block->value) : s.void_type();
    }
    case NodeKind::TypeExpr: {
      const TypeName &type = static_cast<TypeExpr *>(expr)->type;
      error(diag::TypeAsValue, expr->span, type.typeof_expr ? "typeof(...)" : type.name);
      return poison();
    }
    case NodeKind::Comptime: {
      auto *comptime = static_cast<Comptime *>(expr);
      const Type *type = infer(comptime->operand);
      const auto *asked = as<Call>(comptime->operand);
      bool known = constant(comptime->operand) || literal(comptime->operand) || (asked && asked->name == "typeinfo");
      if (type && !type->is_poison() && !known)
        error(diag::NotConstant, comptime->operand->span, "what follows `comptime`");
      return type;
    }
    case NodeKind::Poison: return poison();
    default: assert(false && "not an expression"); return poison();
  }
}

const Type *Inference::operand(Expr *expr) {
  const Type *type = infer(expr);
  if (type && type->kind == TypeKind::Aggregate) {
    const Type *value = aggregate_value(store(), type);
    if (!value) error(diag::NoValue, expr->span, to_string(type)).with_hint("`print()` shows it");
    return value ? value : poison();
  }
  return type;
}

const Type *Inference::infer_param(PositionalParam *expr) {
  const auto &params = input_.params;
  if (const ScriptParam *open = input_.open_param(*expr)) return open->is_flag ? store().boolean() : store().int64();
  if (expr->number > params.size()) {
    // A script that looks at `$#` knows what it does.
    if (!input_.asks_param_count)
      error(diag::MissingParam, expr->span, expr->number, expr == text_param_ ? "\"\"" : "0");
    return store().int64();
  }
  if (constant(expr)) return store().int64();
  return store().string(static_cast<uint32_t>(params[expr->number - 1].size()) + 1);
}

const Type *Inference::infer_variable(Variable *expr) {
  uint32_t index = input_.names.local_of[expr];
  const LocalFacts &local = input_.names.locals[unit_][index];
  const Type *type = facts_.locals[unit_][index];
  if (!type && local.assignments == 0 && local.introduced && !local.declared) {
    error(diag::NeverSet, expr->span, expr->name);
    return store().int64();
  }
  if (!type && local.assignments == 0 && !local.declared) {
    if (input_.program.unread_names.contains("$" + expr->name)) return poison();
    Diagnostic &d = error(diag::UndefinedVariable, expr->span, expr->name);
    if (!d.info) return poison();  // it is told already
    if (expr == compared_alone_) {
      d.with_hint("`==` compares; write `=` to set it");
      return poison();
    }
    std::vector<std::string> names;
    for (const LocalFacts &other : input_.names.locals[unit_])
      if (other.assignments > 0 && other.name != expr->name) names.push_back(other.name);
    if (std::string guess = nearest(expr->name, names); !guess.empty())
      d.with_hint("did you mean `$" + guess + "`?");
    else
      d.with_hint("variables hold only within one probe; use a map such as `@" + expr->name + "` to pass values on");
    return poison();
  }
  return type;
}

const Type *Inference::infer_map(MapAccess *expr) {
  MapFacts &facts = map(expr);
  if (expr->keys.empty() && facts.shape_known && !facts.keys.empty()) {
    error(diag::MapKeyed, expr->span, facts.name, "has keys: read one entry")
        .with_hint("write `" + facts.name + "[...]`");
    return poison();
  }
  use_keys(facts, expr->keys, expr->span);
  facts.read = true;
  return facts.value;
}

const Type *Inference::infer_field(FieldAccess *expr) {
  const Type *base = infer(expr->base);
  if (!base || base->is_poison()) return base;
  if (base->kind == TypeKind::Tuple) {
    if (const Field *found = element(base, expr->name)) return found->type;
    error(diag::TupleIndex, expr->name_span, describe(base), expr->name);
    return poison();
  }
  const Type *owner = base->is_pointer() ? base->target : base;
  if (owner == unit().context.args)
    if (const UserVariable *variable = unit().context.variable(expr->name)) return infer_variable(expr, *variable);
  if (owner->kind != TypeKind::Struct) {
    Diagnostic &d = error(diag::NoFields, expr->base->span, describe(base));
    if (as<IntegerLiteral>(expr->base))
      d.with_hint("there are no floating-point numbers");
    else if (const auto *word = as<Identifier>(expr->base);
             word && word->name == "retval" && unit().context.retval_part_of)
      d.with_hint("the function returns a `" + to_string(unit().context.retval_part_of) +
                  "`; `retval` holds the first 8 bytes of it at most");
    else if (base->is_integral())
      d.with_hint("cast it: `((struct NAME *)...)." + expr->name + "`");
    return poison();
  }
  Result<std::optional<FieldRef>> field = store().field(owner, expr->name);
  if (!field) {
    error(diag::NotSupported, expr->name_span, field.error().message);
    return poison();
  }
  if (!*field) {
    std::vector<std::string> names;
    if (auto fields = store().fields(owner))
      for (const Field &f : **fields)
        if (!f.name.starts_with("common_")) names.push_back(f.name);
    if (owner == unit().context.args)
      for (const UserVariable &variable : unit().context.variables) names.push_back(variable.name);
    Diagnostic &d = error(diag::UnknownField, expr->name_span, expr->name, to_string(owner));
    auto is_there = [&](std::string_view now) {
      auto found = store().field(owner, std::string(now.substr(0, now.find_first_of(".-"))));
      return found && *found;
    };
    std::vector<std::string_view> moved = renamed_field(to_string(owner), expr->name);
    if (auto now = std::ranges::find_if(moved, is_there); now != moved.end())
      d.with_hint(fmt::format("in this kernel it is `{}`", *now));
    else if (std::string guess = nearest(expr->name, names); !guess.empty())
      d.with_hint("did you mean `" + guess + "`?");
    else if (names.size() > 0 && names.size() <= 16)
      d.with_hint(fmt::format("it has: {}", fmt::join(names, ", ")));
    return poison();
  }
  if (is_text_in_record(**field)) return store().string(static_cast<uint32_t>(input_.config.max_strlen));
  return field_value_type(store(), (*field)->type);
}

// A variable of the program where it is probed.
const Type *Inference::infer_variable(FieldAccess *expr, const UserVariable &variable) {
  if (variable.place.kind != VariablePlace::Kind::Nowhere) return field_value_type(store(), variable.type);
  Diagnostic &d = error(diag::VariableUnreadable, expr->name_span, expr->name, unit().text, variable.place.reason);
  if (!variable.place.readable.empty()) d.with_hint("it can be read at " + variable.place.readable);
  return poison();
}

// Numbers of the first page, truth values, and builtins of less than an address' size, such as `pid`. A cast and a
// field of 32 bits may be the address of a 32-bit program.
static bool is_no_address(const Type *type, const Expr *expr, std::optional<int64_t> known) {
  constexpr int64_t kPage = 4096;
  if (!type || !type->is_integral()) return false;
  const auto *cast = as<Cast>(expr);  // that of a builtin's body stands where the builtin does, like all of it
  const bool of_builtin = cast && cast->type.span.begin == cast->span.begin && cast->type.span.end == cast->span.end;
  const bool builtin = as<Identifier>(expr) || as<Call>(expr) || of_builtin;
  return type->kind == TypeKind::Bool || (builtin && type->size < sizeof(uint64_t)) ||
         (known && *known > -kPage && *known < kPage);
}

const Type *Inference::infer_index(Index *expr) {
  const Type *base = infer(expr->base);
  const Type *index = operand(expr->index);
  if (index && !index->is_integral() && !index->is_poison())
    error(diag::BadOperand, expr->index->span, "an index", describe(index));
  if (!base || base->is_poison()) return base;
  if (is_call_of(expr->base, "args")) {
    Diagnostic &d = error(diag::NotIndexable, expr->base->span, "`args`");
    if (std::string names = names_of_args(); !names.empty()) d.with_hint("its fields have names: " + names);
    return poison();
  }
  if (base->kind == TypeKind::Tuple) {
    std::optional<int64_t> number = constant(expr->index);
    if (!number || *number < 0 || static_cast<size_t>(*number) >= base->fields.size()) {
      error(diag::TupleIndex, expr->index->span, describe(base), number ? std::to_string(*number) : "of this number");
      return poison();
    }
    return base->fields[static_cast<size_t>(*number)].type;
  }
  if (base->kind == TypeKind::Array) {
    std::optional<int64_t> number = constant(expr->index);
    if (number && base->count > 0 && (*number < 0 || *number >= base->count))
      error(diag::OutOfRange, expr->index->span, "the index", *number, fmt::format("0 to {}", base->count - 1));
    return field_value_type(store(), base->target);
  }
  if (base->is_string()) {
    std::optional<int64_t> number = constant(expr->index);
    if (number && (*number < 0 || *number >= base->size))
      error(diag::OutOfRange, expr->index->span, "the index", *number, fmt::format("0 to {}", base->size - 1));
    return store().integer(1, true);
  }
  if (base->is_pointer() && base->target->kind != TypeKind::Void) return field_value_type(store(), base->target);
  Diagnostic &d = error(diag::NotIndexable, expr->base->span, describe(base));
  if (is_no_address(facts_.types[expr->base], expr->base, constant(expr->base)))
    d.with_hint("this is one number; arrays, strings, tuples and pointers have elements");
  else if (base->is_integral() || base->is_pointer())
    d.with_hint("say what stands there: `((uint8 *)...)[0]`");
  return poison();
}

const Type *Inference::infer_unary(Unary *expr) {
  if (expr->op == UnaryOp::AddressOf) return infer_address(expr);
  const Type *type = operand(expr->operand);
  if (!type || type->is_poison()) return type;
  if (expr->op == UnaryOp::Deref) {
    if (type->is_pointer() && type->target->kind != TypeKind::Void) return field_value_type(store(), type->target);
    if (type->is_integral() &&
        (expr->power_sign || is_no_address(facts_.types[expr->operand], expr->operand, constant(expr->operand)))) {
      error(diag::BadOperand, expr->span, expr->power_sign ? "**" : "*", describe(type))
          .with_hint(expr->power_sign ? "there is no operator for powers: multiply, or write `1 << n` for those of 2"
                                      : "`*` reads memory at an address, and this is none");
      return poison();
    }
    if (type->is_integral()) return store().uint64();  // an address without a type: a word
  } else if (expr->op == UnaryOp::Not) {
    if (type->is_scalar()) return store().boolean();
  } else if (type->is_integral()) {
    if (expr->op != UnaryOp::Negate) return store().integer(8, type->is_signed);
    // Without sign it stays, as in C, in the type that it has: -(uint32)1 is 4294967295.
    const bool wraps = type->kind == TypeKind::Int && !type->is_signed && !as<IntegerLiteral>(expr->operand);
    return wraps ? store().integer(static_cast<uint32_t>(type->size), false) : store().int64();
  }
  error(diag::BadOperand, expr->span, to_string(expr->op), describe(type));
  return poison();
}

const Type *Inference::infer_binary(Binary *expr) {
  const Type *left = operand(expr->left);
  const Type *right = operand(expr->right);
  switch (expr->op) {
    case BinaryOp::LogicalAnd:
    case BinaryOp::LogicalOr:
      for (auto [side, type] : {std::pair{expr->left, left}, std::pair{expr->right, right}})
        if (type && !type->is_scalar()) error(diag::BadOperand, side->span, to_string(expr->op), describe(type));
      warn_contradiction(expr);
      return store().boolean();
    case BinaryOp::Equal:
    case BinaryOp::NotEqual:
    case BinaryOp::Less:
    case BinaryOp::LessEqual:
    case BinaryOp::Greater:
    case BinaryOp::GreaterEqual: return infer_comparison(expr, left, right);
    default: return infer_arithmetic(expr, left, right);
  }
}

const Type *Inference::infer_arithmetic(Binary *expr, const Type *left, const Type *right) {
  if (mode_ != Mode::Known && !left) left = right;
  if (mode_ != Mode::Known && !right) right = left;
  if (!left || !right) return nullptr;
  if (left->is_poison() || right->is_poison()) return poison();
  if ((expr->op == BinaryOp::Div || expr->op == BinaryOp::Mod) && constant(expr->right) == 0)
    error(diag::ZeroDivisor, expr->span)
        .with_hint(expr->op == BinaryOp::Div ? "the result is 0" : "the result is the dividend");
  bool additive = expr->op == BinaryOp::Add || expr->op == BinaryOp::Sub;
  if (left->is_integral() && right->is_integral()) return store().integer(8, left->is_signed && right->is_signed);
  if (additive && left->is_pointer() && right->is_integral()) return left;
  if (expr->op == BinaryOp::Add && left->is_integral() && right->is_pointer()) return right;
  if (expr->op == BinaryOp::Sub && left->is_pointer() && right->is_pointer()) return store().int64();
  if ((left->is_pointer() || left->is_integral()) && (right->is_pointer() || right->is_integral()))
    return store().uint64();
  if (expr->op == BinaryOp::Add && left->is_string() && right->is_string()) return concat_type(input_, left, right);
  if (std::optional<std::string> rest = literal(expr)) return store().string(static_cast<uint32_t>(rest->size()) + 1);
  Diagnostic &d = error(diag::BadOperands, expr->span, to_string(expr->op), describe(left), describe(right));
  if (expr->op == BinaryOp::Add && left->is_string() != right->is_string())
    d.with_hint("`printf` puts text and numbers together: `printf(\"%s %d\\n\", comm, pid)`");
  return poison();
}

namespace {

// What is to be written where text and a number are compared.
std::string mixed_comparison_hint(const Inference &in, const Expr *text, const Expr *other, const Type *other_type) {
  if (other_type->is_pointer()) return "`str()` makes a string of an address";
  if (!other_type->is_integral()) return "";
  std::optional<std::string> known = in.literal(text);
  if (const auto *param = as<PositionalParam>(text); param && known)
    return known->empty() ? fmt::format("`${}` is empty, a number is needed", param->number)
                          : fmt::format("`${}` is \"{}\", which is no number", param->number, *known);
  if (known && !known->empty() && parse_unsigned(*known))
    return fmt::format("a number stands without quotes: `{}`", *known);
  if (const auto *number = as<IntegerLiteral>(other))
    return fmt::format("text stands in double quotes: `\"{}\"`", number->value);
  return "";
}

}  // namespace

const Type *Inference::infer_comparison(Binary *expr, const Type *left, const Type *right) {
  if (!left || !right || left->is_poison() || right->is_poison()) return store().boolean();
  bool equality = expr->op == BinaryOp::Equal || expr->op == BinaryOp::NotEqual;
  bool scalars = left->is_scalar() && right->is_scalar();
  bool same_memory = !left->is_scalar() && !right->is_scalar() && join_types(store(), left, right);
  // `$1 == 0` asks whether the parameter is given.
  if (equality && ((as<PositionalParam>(expr->left) && left->is_string() && constant(expr->right) == 0) ||
                   (as<PositionalParam>(expr->right) && right->is_string() && constant(expr->left) == 0))) {
    set_constant(expr, expr->op == BinaryOp::NotEqual);
    return store().boolean();
  }
  if (scalars || (equality && same_memory)) {
    warn_comparison(expr, left, right);
    return store().boolean();
  }
  Diagnostic &d = error(diag::BadOperands, expr->span, to_string(expr->op), describe(left), describe(right));
  if (left->is_string() != right->is_string())
    d.with_hint(left->is_string() ? mixed_comparison_hint(*this, expr->left, expr->right, right)
                                  : mixed_comparison_hint(*this, expr->right, expr->left, left));
  return poison();
}

const Type *Inference::infer_conditional(Conditional *expr) {
  visit_condition(expr->condition);
  if (std::optional<int64_t> known = constant(expr->condition); known && expr->then)
    return operand(*known ? expr->then : expr->otherwise);
  const Type *then = operand(expr->then ? expr->then : expr->condition);
  const Type *otherwise = operand(expr->otherwise);
  if (!then) return otherwise;
  if (!otherwise) return then;
  if (then->kind == TypeKind::Void && otherwise->kind == TypeKind::Void) return then;
  const Type *joined = join_types(store(), then, otherwise);
  if (!joined) {
    error(diag::BadOperands, expr->span, "?:", describe(then), describe(otherwise));
    return poison();
  }
  return mode_ == Mode::Signs ? with_signs(joined, then, expr->then, otherwise, expr->otherwise) : joined;
}

const Type *Inference::infer_incdec(IncDec *expr) {
  if (auto *variable = as<Variable>(expr->target)) {
    const Type *type = facts_.locals[unit_][input_.names.local_of[variable]];
    if (!type) assign_local(variable, store().int64(), nullptr, expr->span);
  } else if (auto *access = as<MapAccess>(expr->target)) {
    if (!map(access).value) assign_map(access, store().int64(), nullptr, expr->span);
  } else {
    error(diag::NotAssignable, expr->target->span, "this").with_hint("only `$variables` and `@maps` can be counted up");
    return poison();
  }
  const Type *type = infer(expr->target);
  if (type && !type->is_integral() && !type->is_pointer() && !type->is_poison())
    error(diag::BadOperand, expr->span, expr->increment ? "++" : "--", describe(type));
  return type && type->is_integral() ? store().integer(8, type->is_signed) : type;
}

const Type *Inference::infer_tuple(const std::vector<Expr *> &elements, const std::vector<std::string> *names) {
  std::vector<const Type *> types;
  for (Expr *e : elements) {
    const Type *type = operand(e);
    if (!type) return nullptr;
    if (type->kind == TypeKind::Void) {
      error(diag::NoValue, e->span, name_of(e));
      type = poison();
    }
    types.push_back(stored_type(store(), type));
  }
  return names ? store().record(*names, types) : store().tuple(types);
}

}  // namespace awl::ast
