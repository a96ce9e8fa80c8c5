// Lowering of expressions.
#include <cassert>

#include "ast/intrinsics/intrinsic.h"
#include "ast/intrinsics/strings.h"
#include "ast/passes/lowering.h"

namespace awl::ast {

typed::ValuePtr Lowering::value(Expr *expr) {
  typed::ValuePtr out = lower_value(expr);
  if (!out) out = make_const(store().poison(), 0, expr->span);  // already reported
  return out;
}

typed::ValuePtr Lowering::value_as(Expr *expr, const Type *type) { return coerce(value(expr), type); }

typed::ValuePtr Lowering::coerce(typed::ValuePtr from, const Type *type) {
  if (from->type == type) return from;
  if (type->is_scalar() && from->type->is_scalar()) {
    // Values in registers are 64 bits wide already: only a narrower type needs an instruction.
    if (type->size < 8 && type->kind != TypeKind::Poison) {
      auto out = make_value<typed::Convert>(type, from->span);
      out->operand = std::move(from);
      return out;
    }
    if (from->kind == typed::Kind::Const) {
      from->type = type;
      return from;
    }
    auto out = make_value<typed::Convert>(type, from->span);
    out->operand = std::move(from);
    return out;
  }
  if (type->kind == TypeKind::Tuple && from->type->kind == TypeKind::Tuple) {
    uint32_t local = new_local(from->type);
    Span span = from->span;
    set_local(local, std::move(from), span);
    auto out = make_value<typed::Compose>(type, span);
    for (size_t i = 0; i < type->fields.size(); i++) {
      const Field &old = *same_element(type->fields[i], i, routine_->locals[local].type);
      auto part = make_value<typed::Part>(old.type, span);
      part->operand = get_local(local, span);
      part->offset = old.offset;
      out->parts.emplace_back(type->fields[i].offset, coerce(std::move(part), type->fields[i].type));
    }
    return out;
  }
  if (from->kind == typed::Kind::Bytes || from->kind == typed::Kind::ReadString) {
    if (from->kind == typed::Kind::ReadString && type->size > from->type->size) {
      auto *read = static_cast<typed::ReadString *>(from.get());
      if (!read->limit) read->limit = make_const(store().uint64(), from->type->size, from->span);
    }
    from->type = type;
    return from;
  }
  // Shorter strings and buffers stand at the start, zeros behind.
  auto out = make_value<typed::Compose>(type, from->span);
  out->parts.emplace_back(0, std::move(from));
  return out;
}

typed::ValuePtr Lowering::lower_value(Expr *expr) {
  switch (expr->kind) {
    case NodeKind::IntegerLiteral:
      return make_const(type(expr), static_cast<IntegerLiteral *>(expr)->value, expr->span);
    case NodeKind::BoolLiteral: return make_const(type(expr), static_cast<BoolLiteral *>(expr)->value, expr->span);
    case NodeKind::StringLiteral: {
      auto out = make_value<typed::Bytes>(type(expr), expr->span);
      out->data = static_cast<StringLiteral *>(expr)->value;
      return out;
    }
    case NodeKind::Identifier: return lower_identifier(static_cast<Identifier *>(expr));
    case NodeKind::PositionalParam: return lower_param(static_cast<PositionalParam *>(expr));
    case NodeKind::ParamCount: return make_const(type(expr), input_.params.size(), expr->span);
    case NodeKind::Variable: return get_local(input_.names.local_of[expr], expr->span);
    case NodeKind::MapAccess: return lower_map_read(static_cast<MapAccess *>(expr));
    case NodeKind::Call: {
      auto site = call_site(input_.functions, expr);
      return site ? lower_call(*site) : nullptr;
    }
    case NodeKind::FieldAccess: return lower_field(static_cast<FieldAccess *>(expr));
    case NodeKind::Index: return lower_index(static_cast<Index *>(expr));
    case NodeKind::Unary: return lower_unary(static_cast<Unary *>(expr));
    case NodeKind::Binary: return lower_binary(static_cast<Binary *>(expr));
    case NodeKind::Conditional: return lower_conditional(static_cast<Conditional *>(expr));
    case NodeKind::IncDec: return lower_incdec(static_cast<IncDec *>(expr));
    case NodeKind::Cast: return lower_cast(static_cast<Cast *>(expr));
    case NodeKind::TupleExpr: return lower_tuple(static_cast<TupleExpr *>(expr)->elements, type(expr), expr->span);
    case NodeKind::RecordExpr: return lower_tuple(static_cast<RecordExpr *>(expr)->elements, type(expr), expr->span);
    case NodeKind::OffsetOf: return lower_offsetof(static_cast<OffsetOf *>(expr));
    case NodeKind::SizeOf: return make_const(type(expr), static_cast<uint64_t>(constant(expr).value_or(0)), expr->span);
    case NodeKind::Comptime: return lower_value(static_cast<Comptime *>(expr)->operand);
    case NodeKind::BlockExpr: return lower_block_value(static_cast<BlockExpr *>(expr));
    default: return nullptr;
  }
}

typed::ValuePtr Lowering::lower_identifier(Identifier *expr) {
  if (std::optional<uint32_t> number = argument_number(expr->name)) return lower_argn(*number, expr);
  if (auto site = call_site(input_.functions, expr)) return lower_call(*site);
  auto known = named_constant(input_, expr->name);
  return known ? make_const(type(expr), static_cast<uint64_t>(known->second), expr->span) : nullptr;
}

typed::ValuePtr Lowering::lower_param(PositionalParam *expr) {
  if (const ScriptParam *open = input_.open_param(*expr)) {
    auto out = make_value<typed::Param>(type(expr), expr->span);
    out->word = static_cast<ParamWord>(open->word);
    return out;
  }
  if (type(expr)->is_integral())
    return make_const(type(expr), static_cast<uint64_t>(constant(expr).value_or(0)), expr->span);
  auto out = make_value<typed::Bytes>(type(expr), expr->span);
  out->data = literal(expr).value_or("");
  return out;
}

typed::ValuePtr Lowering::lower_map_read(MapAccess *expr) {
  MapRef ref = map_ref(expr);
  const Type *stored = manifest().maps[ref.map].value;
  if (stored->kind == TypeKind::Aggregate) {
    auto out = make_value<typed::AggregateGet>(aggregate_value(store(), stored), expr->span);
    out->map = ref.map;
    out->key = std::move(ref.key);
    return out;
  }
  auto out = make_value<typed::MapGet>(stored, expr->span);
  out->map = ref.map;
  out->key = std::move(ref.key);
  return out;
}

typed::ValuePtr Lowering::lower_call(const CallSite &call) {
  const Function &f = *call.function;
  if (f.of_script) return lower_script_call(call);
  if (f.of_c) return lower_c_call(call);
  if (const Attribute *a = attribute(f, "intrinsic")) return find_intrinsic(a->argument)->lower(*this, call);
  const Attribute *helper = attribute(f, "helper");
  assert(helper && "functions with a body were expanded");
  auto out = make_value<typed::HelperCall>(type(call.node), call.node->span);
  out->helper = std::stoi(helper->argument);
  for (Expr *arg : call.args) out->args.push_back(value(arg));
  if (out->type->size == 8) return out;
  // Helpers give 64 bits; a narrower result type cuts them.
  const Type *narrow = out->type;
  out->type = store().uint64();
  return coerce(std::move(out), narrow);
}

typed::ValuePtr Lowering::lower_argn(uint32_t number, const Expr *expr) {
  if (unit().context.args_reach == ArgReach::Usdt) {
    auto out = make_value<typed::UsdtArgument>(type(expr), expr->span);
    out->index = number;
    module().uses_usdt = true;
    return out;
  }
  if (unit().context.args_reach == ArgReach::Words) {
    auto out = make_value<typed::CtxLoad>(type(expr), expr->span);
    out->offset = number * 8;
    return out;
  }
  // Offsets in pt_regs of the registers that carry arguments: System V ABI of x86-64, AAPCS64.
#if defined(__x86_64__)
  constexpr uint32_t kOffsets[] = {112, 104, 96, 88, 72, 64};  // di si dx cx r8 r9
#elif defined(__aarch64__)
  constexpr uint32_t kOffsets[] = {0, 8, 16, 24, 32, 40, 48, 56};
#else
#error "argument registers of this architecture are not known"
#endif
  assert(number < std::size(kOffsets));
  auto out = make_value<typed::CtxLoad>(type(expr), expr->span);
  out->offset = kOffsets[number];
  return out;
}

typed::ValuePtr Lowering::lower_field(FieldAccess *expr) {
  const Type *base = type(expr->base);
  if (!base || base->is_poison()) return nullptr;
  if (base->kind == TypeKind::Tuple) {
    if (const Field *f = element(base, expr->name)) {
      auto out = make_value<typed::Part>(f->type, expr->span);
      out->operand = value(expr->base);
      out->offset = f->offset;
      return out;
    }
    return nullptr;
  }
  if (const UserVariable *variable = user_variable(expr)) {
    if (variable->place.kind == VariablePlace::Kind::Value)
      return coerce(follow(variable->place.steps, expr->span), type(expr));
    if (variable->place.kind == VariablePlace::Kind::Pieces) return gather(*variable, expr->span);
  }
  if (std::optional<Place> where = place(expr)) return load(std::move(*where), expr->span);
  // A struct that was copied into a variable or map.
  auto field = store().field(base, expr->name);
  if (!field || !*field || (*field)->bits) {
    error_not_supported(expr->span, "this field access");
    return nullptr;
  }
  auto out = make_value<typed::Part>(type(expr), expr->span);
  out->operand = value(expr->base);
  out->offset = (*field)->offset;
  return out;
}

typed::ValuePtr Lowering::lower_unary(Unary *expr) {
  if (expr->op == UnaryOp::Deref) {
    std::optional<Place> where = place(expr);
    return where ? load(std::move(*where), expr->span) : nullptr;
  }
  if (expr->op == UnaryOp::AddressOf) return lower_address(expr);
  if (std::optional<int64_t> folded = constant(expr))
    return make_const(type(expr), static_cast<uint64_t>(*folded), expr->span);
  auto out = make_value<typed::UnaryOp>(type(expr), expr->span);
  out->op = expr->op == UnaryOp::Negate ? typed::Unary::Negate
            : expr->op == UnaryOp::Not  ? typed::Unary::Not
                                        : typed::Unary::BitNot;
  out->operand = value(expr->operand);
  return out;
}

typed::ValuePtr Lowering::truth(Expr *expr) { return value(expr); }

// A value whose preparing steps run only when it is asked for.
typed::ValuePtr Lowering::sequence(Expr *expr, const Type *type) {
  typed::ValuePtr inner;
  typed::Steps steps = collect([&] { inner = value_as(expr, type); });
  if (steps.empty()) return inner;
  auto out = make_value<typed::Sequence>(inner->type, expr->span);
  out->steps = std::move(steps);
  out->value = std::move(inner);
  return out;
}

typed::ValuePtr Lowering::lower_logical(Binary *expr) {
  auto out = make_value<typed::LogicalOp>(type(expr), expr->span);
  out->is_and = expr->op == BinaryOp::LogicalAnd;
  out->left = truth(expr->left);
  typed::ValuePtr right;
  typed::Steps steps = collect([&] { right = truth(expr->right); });
  if (!steps.empty()) {
    auto guarded = make_value<typed::Sequence>(right->type, expr->right->span);
    guarded->steps = std::move(steps);
    guarded->value = std::move(right);
    right = std::move(guarded);
  }
  out->right = std::move(right);
  return out;
}

namespace {

// As the script sees an aggregate in an expression.
const Type *seen(TypeStore &store, const Type *type) {
  return type && type->kind == TypeKind::Aggregate ? aggregate_value(store, type) : type;
}

}  // namespace

typed::Op typed_op(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add: return typed::Op::Add;
    case BinaryOp::Sub: return typed::Op::Sub;
    case BinaryOp::Mul: return typed::Op::Mul;
    case BinaryOp::Div: return typed::Op::Div;
    case BinaryOp::Mod: return typed::Op::Mod;
    case BinaryOp::BitAnd: return typed::Op::And;
    case BinaryOp::BitOr: return typed::Op::Or;
    case BinaryOp::BitXor: return typed::Op::Xor;
    case BinaryOp::ShiftLeft: return typed::Op::ShiftLeft;
    case BinaryOp::ShiftRight: return typed::Op::ShiftRight;
    case BinaryOp::Equal: return typed::Op::Equal;
    case BinaryOp::NotEqual: return typed::Op::NotEqual;
    case BinaryOp::Less: return typed::Op::Less;
    case BinaryOp::LessEqual: return typed::Op::LessEqual;
    case BinaryOp::Greater: return typed::Op::Greater;
    case BinaryOp::GreaterEqual: return typed::Op::GreaterEqual;
    default: assert(false && "logical operators are lowered apart"); return typed::Op::Add;
  }
}

bool is_signed_operation(BinaryOp op, const Type *left, const Type *right) {
  // Shifting right looks at the left side alone.
  return left->is_signed && (right->is_signed || op == BinaryOp::ShiftRight);
}

typed::ValuePtr Lowering::lower_binary(Binary *expr) {
  if (expr->op == BinaryOp::LogicalAnd || expr->op == BinaryOp::LogicalOr) return lower_logical(expr);
  if (type(expr)->is_string() && is_param_text(expr)) {
    auto out = make_value<typed::Bytes>(type(expr), expr->span);
    out->data = literal(expr).value_or("");
    return out;
  }
  const Type *left = seen(store(), type(expr->left));
  const Type *right = seen(store(), type(expr->right));
  if (!left || !right || left->is_poison() || right->is_poison()) return nullptr;
  if (left->is_string() != right->is_string() && type(expr)->kind == TypeKind::Bool)  // `$1 == 0`
    return make_const(type(expr), static_cast<uint64_t>(constant(expr).value_or(0)), expr->span);
  if (left->is_string() && expr->op == BinaryOp::Add) {
    typed::ValuePtr first = value(expr->left);
    return concat_value(std::move(first), value(expr->right), type(expr), expr->span);
  }
  if (!left->is_scalar()) return lower_equality(expr, left, right);
  if (type(expr)->is_pointer()) return lower_pointer_arithmetic(expr);
  if (auto folded = constant(expr); folded && type(expr)->is_integral())
    return make_const(type(expr), static_cast<uint64_t>(*folded), expr->span);
  bool is_signed = is_signed_operation(expr->op, left, right);
  typed::ValuePtr l = value(expr->left);
  return operation(expr->op, is_signed, std::move(l), value(expr->right), type(expr), expr->span);
}

typed::ValuePtr Lowering::operation(BinaryOp op, bool is_signed, typed::ValuePtr left, typed::ValuePtr right,
                                    const Type *type, Span span) {
  bool divides = (op == BinaryOp::Div || op == BinaryOp::Mod) && right->kind != typed::Kind::Const;
  typed::ValuePtr out = make_binary(typed_op(op), is_signed, std::move(left), std::move(right), type);
  if (divides) static_cast<typed::BinaryOp &>(*out).place = error_place(RunError::DivideByZero, span);
  return out;
}

typed::ValuePtr Lowering::lower_equality(Binary *expr, const Type *left, const Type *right) {
  const Type *common = join_types(store(), left, right);
  auto out = make_value<typed::Compare>(store().boolean(), expr->span);
  out->stop_at_nul = common->is_string();
  if (common->is_string()) {
    // Equal strings have their NUL at the same place, so the shorter capacity bounds the comparison.
    out->left = value(expr->left);
    out->right = value(expr->right);
    out->count = std::min(left->size, right->size);
  } else {
    out->left = value_as(expr->left, common);
    out->right = value_as(expr->right, common);
    out->count = common->size;
  }
  if (expr->op == BinaryOp::NotEqual) return out;
  auto negated = make_value<typed::UnaryOp>(store().boolean(), expr->span);
  negated->op = typed::Unary::Not;
  negated->operand = std::move(out);
  return negated;
}

typed::ValuePtr Lowering::lower_pointer_arithmetic(Binary *expr) {
  bool pointer_left = type(expr->left)->is_pointer();
  Expr *pointer = pointer_left ? expr->left : expr->right;
  Expr *number = pointer_left ? expr->right : expr->left;
  const Type *target = type(pointer)->target;
  uint32_t scale = std::max(target->size, 1U);
  typed::ValuePtr base = value(pointer);
  typed::ValuePtr offset = value(number);
  if (scale > 1)
    offset = make_binary(typed::Op::Mul, false, std::move(offset), make_const(store().uint64(), scale, expr->span),
                         store().uint64());
  return make_binary(typed_op(expr->op), false, std::move(base), std::move(offset), type(expr));
}

typed::ValuePtr Lowering::lower_conditional(Conditional *expr) {
  if (std::optional<int64_t> known = constant(expr->condition); known && expr->then)
    return lower_value(*known ? expr->then : expr->otherwise);
  const Type *common = type(expr);
  if (common && common->kind == TypeKind::Void) {
    auto branch = make_step<typed::Branch>(expr->span);
    branch->condition = truth(expr->condition);
    branch->then = collect([&] { lower_value(expr->then); });
    branch->otherwise = collect([&] { lower_value(expr->otherwise); });
    add(std::move(branch));
    return nullptr;
  }
  auto out = make_value<typed::Select>(common, expr->span);
  if (expr->then) {
    out->condition = truth(expr->condition);
    out->then = sequence(expr->then, common);
  } else {  // `c ?: b` evaluates c once
    uint32_t local = new_local(type(expr->condition));
    set_local(local, value(expr->condition), expr->condition->span);
    out->condition = get_local(local, expr->span);
    out->then = coerce(get_local(local, expr->span), common);
  }
  out->otherwise = sequence(expr->otherwise, common);
  return out;
}

typed::ValuePtr Lowering::lower_incdec(IncDec *expr) {
  int64_t delta = expr->increment ? 1 : -1;
  if (auto *variable = as<Variable>(expr->target)) {
    auto out = make_value<typed::LocalAdd>(type(expr), expr->span);
    out->local = input_.names.local_of[variable];
    const Type *t = routine_->locals[out->local].type;
    out->delta = t->is_pointer() ? delta * std::max(t->target->size, 1U) : delta;
    out->give_old = !expr->prefix;
    return out;
  }
  auto *access = as<MapAccess>(expr->target);
  auto out = make_value<typed::MapAddGet>(type(expr), expr->span);
  out->map = map_index("@" + access->name);
  out->key = map_key(out->map, access->keys, access->span);
  const Type *stored = manifest().maps[out->map].value;
  out->delta = stored->is_pointer() ? delta * std::max(stored->target->size, 1U) : delta;
  out->give_old = !expr->prefix;
  return out;
}

typed::ValuePtr buffer_of(TypeStore &store, typed::ValuePtr bytes, const Type *type, Span span) {
  uint32_t length = std::min(type->count, bytes->type->size);
  auto part = make_value<typed::Part>(store.array(store.integer(1, false), length), span);
  part->operand = std::move(bytes);
  auto out = make_value<typed::Compose>(type, span);
  out->parts.emplace_back(0, make_const(store.integer(4, false), length, span));
  out->parts.emplace_back(4, std::move(part));
  return out;
}

typed::ValuePtr Lowering::lower_cast(Cast *expr) {
  const Type *to = type(expr);
  const Type *from = seen(store(), type(expr->operand));
  if (!to || !from || to->is_poison() || from->is_poison()) return nullptr;
  if (from->kind == TypeKind::Array && to->is_scalar()) {
    std::optional<Place> where = place(expr->operand);
    if (!where) return nullptr;
    if (to->is_pointer()) return coerce(address(std::move(*where), expr->span), to);
    where->type = to;
    where->field.type = to;
    auto out = make_value<typed::Load>(to, expr->span);
    out->space = where->space == typed::Space::Trusted ? typed::Space::Kernel : where->space;
    out->address = address(std::move(*where), expr->span);
    return out;
  }
  if (to->kind == TypeKind::Array && from->is_integral()) {
    auto out = make_value<typed::Compose>(to, expr->span);
    out->parts.emplace_back(0, coerce(value(expr->operand), store().integer(to->size > 4   ? 8
                                                                            : to->size > 2 ? 4
                                                                            : to->size > 1 ? 2
                                                                                           : 1,
                                                                            false)));
    return out;
  }
  if (to->kind == TypeKind::Array && from->is_string()) {
    auto out = make_value<typed::Compose>(to, expr->span);
    out->parts.emplace_back(0, value(expr->operand));
    return out;
  }
  if (to->kind == TypeKind::Bool && from->is_string()) {
    auto out = make_value<typed::Compare>(to, expr->span);
    out->left = value(expr->operand);
    out->right = make_value<typed::Bytes>(store().string(1), expr->span);
    out->count = 1;
    return out;
  }
  if (to->kind == TypeKind::Buffer && from->kind != TypeKind::Buffer)
    return buffer_of(store(), value(expr->operand), to, expr->span);
  return coerce(value(expr->operand), to);
}

// Where it is not folded, an offset in a struct of the kernel is that of the kernel where the program is loaded.
typed::ValuePtr Lowering::lower_offsetof(OffsetOf *expr) {
  const Type *owner = expr->operand ? type(expr->operand) : nullptr;
  if (expr->type && expr->type->typeof_expr) owner = type(expr->type->typeof_expr);
  if (expr->type && !owner)
    if (Result<std::optional<const Type *>> found = store().find(expr->type->name); found && *found) owner = **found;
  typed::ValuePtr total = make_const(type(expr), 0, expr->span);
  for (const std::string &name : expr->path) {
    if (owner && owner->is_pointer()) owner = owner->target;
    auto field = owner ? store().field(owner, name) : std::optional<FieldRef>();
    if (!field || !*field || !(*field)->relocated())
      return make_const(type(expr), static_cast<uint64_t>(constant(expr).value_or(0)), expr->span);
    need_core(**field);
    owner = (*field)->type;
    auto sum = make_value<typed::FieldAddress>(type(expr), expr->span);
    sum->base = std::move(total);
    sum->field = **std::move(field);
    total = std::move(sum);
  }
  return total;
}

typed::ValuePtr Lowering::lower_tuple(const std::vector<Expr *> &elements, const Type *type, Span span) {
  auto out = make_value<typed::Compose>(type, span);
  for (size_t i = 0; i < elements.size(); i++)
    out->parts.emplace_back(type->fields[i].offset, value_as(elements[i], type->fields[i].type));
  return out;
}

typed::ValuePtr Lowering::lower_block_value(BlockExpr *expr) {
  if (type(expr)->kind == TypeKind::Void) {
    lower_block(expr->block);
    return expr->value ? lower_value(expr->value) : nullptr;
  }
  typed::ValuePtr inner;
  typed::Steps steps = collect([&] {
    lower_block(expr->block);
    inner = value(expr->value);
  });
  auto out = make_value<typed::Sequence>(inner->type, expr->span);
  out->steps = std::move(steps);
  out->value = std::move(inner);
  return out;
}

}  // namespace awl::ast
