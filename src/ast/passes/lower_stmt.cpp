// Lowering of statements.
#include <algorithm>
#include <cassert>

#include "ast/intrinsics/strings.h"
#include "ast/passes/lowering.h"

namespace awl::ast {

void Lowering::lower_block(Block *block) {
  for (Stmt *s : block->body) lower_stmt(s);
}

void Lowering::lower_stmt(Stmt *stmt) {
  switch (stmt->kind) {
    case NodeKind::ExprStmt: {
      auto *s = static_cast<ExprStmt *>(stmt);
      // `@x++` as a statement need not give the old value: an atomic add.
      if (auto *inc = as<IncDec>(s->expr); inc && as<MapAccess>(inc->target)) {
        auto *access = as<MapAccess>(inc->target);
        auto step = make_step<typed::MapAdd>(stmt->span);
        step->map = map_index("@" + access->name);
        step->key = map_key(step->map, access->keys, access->span);
        const Type *stored = manifest().maps[step->map].value;
        uint64_t size = stored->is_pointer() ? std::max(stored->target->size, 1U) : 1;
        step->delta = make_const(store().int64(), inc->increment ? size : 0 - size, stmt->span);
        return add(std::move(step));
      }
      typed::ValuePtr value = lower_value(s->expr);
      if (!value) return;
      auto step = make_step<typed::Evaluate>(stmt->span);
      step->value = std::move(value);
      return add(std::move(step));
    }
    case NodeKind::Assign: return lower_assign(static_cast<Assign *>(stmt));
    case NodeKind::Let: {
      auto *let = static_cast<Let *>(stmt);
      uint32_t local = input_.names.local_of[let->variable];
      const Type *type = routine_->locals[local].type;
      if (let->value) return set_local(local, value_as(let->value, type), let->span);
      if (type->is_scalar()) return set_local(local, make_const(type, 0, let->span), let->span);
      return set_local(local, make_value<typed::Compose>(type, let->span), let->span);
    }
    case NodeKind::Block: return lower_block(static_cast<Block *>(stmt));
    case NodeKind::If: return lower_if(static_cast<If *>(stmt));
    case NodeKind::While: return lower_while(static_cast<While *>(stmt));
    case NodeKind::Unroll: return lower_unroll(static_cast<Unroll *>(stmt));
    case NodeKind::ForMap: return lower_for_map(static_cast<ForMap *>(stmt));
    case NodeKind::ForRange: return lower_for_range(static_cast<ForRange *>(stmt));
    case NodeKind::Jump: {
      auto *jump = static_cast<Jump *>(stmt);
      if (jump->jump == JumpKind::Return) return lower_return(jump);
      auto step = make_step<typed::Leave>(stmt->span);
      step->what = jump->jump == JumpKind::Break ? typed::LeaveKind::Break : typed::LeaveKind::Continue;
      return add(std::move(step));
    }
    default: return error_not_supported(stmt->span, "this statement");
  }
}

void Lowering::lower_if(If *stmt) {
  if (std::optional<int64_t> known = constant(stmt->condition)) {
    if (Block *live = *known ? stmt->then : stmt->otherwise) lower_block(live);
    return;
  }
  auto branch = make_step<typed::Branch>(stmt->span);
  branch->condition = truth(stmt->condition);
  branch->then = collect([&] { lower_block(stmt->then); });
  if (stmt->otherwise) branch->otherwise = collect([&] { lower_block(stmt->otherwise); });
  add(std::move(branch));
}

// By how much `+= count` moves what has this type: pointers go by whole elements.
typed::ValuePtr Lowering::steps_of(const Type *type, typed::ValuePtr count) {
  if (!type->is_pointer() || type->target->size <= 1) return count;
  Span span = count->span;
  return make_binary(typed::Op::Mul, false, std::move(count), make_const(store().uint64(), type->target->size, span),
                     store().uint64());
}

void Lowering::lower_assign(Assign *assign) {
  if (as<Identifier>(assign->target)) {  // `_ = e`
    typed::ValuePtr value = lower_value(assign->value);
    if (!value) return;
    auto step = make_step<typed::Evaluate>(assign->span);
    step->value = std::move(value);
    return add(std::move(step));
  }
  if (auto *access = as<MapAccess>(assign->target)) return lower_map_assign(assign, access);
  auto *variable = as<Variable>(assign->target);
  uint32_t local = input_.names.local_of[variable];
  const Type *type = routine_->locals[local].type;
  const LocalFacts &facts = input_.names.locals[unit_][local];
  if (assign->op) {
    typed::ValuePtr right = value(assign->value);
    if (type->is_string())
      return set_local(local, concat_value(get_local(local, variable->span), std::move(right), type, assign->span),
                       assign->span);
    bool is_signed = is_signed_operation(*assign->op, type, right->type);
    if (*assign->op == BinaryOp::Add || *assign->op == BinaryOp::Sub) right = steps_of(type, std::move(right));
    typed::ValuePtr sum =
        operation(*assign->op, is_signed, get_local(local, variable->span), std::move(right), type, assign->span);
    return set_local(local, coerce(std::move(sum), type), assign->span);
  }
  // The verifier follows a kernel pointer through a variable that is set once, on the way to all its uses.
  if (type->is_pointer() && facts.single_top_level && facts.assignments == 1 && trusted(assign->value) &&
      this->type(assign->value) == type)
    trusted_locals_[local] = routine_->locals[local].trusted = true;
  set_local(local, value_as(assign->value, type), assign->span);
}

void Lowering::lower_map_assign(Assign *assign, MapAccess *target) {
  if (auto call = call_site(input_.functions, assign->value); call && attribute(*call->function, "aggregate"))
    return lower_aggregate(target, *call, assign->span);
  uint32_t map = map_index("@" + target->name);
  const Type *type = manifest().maps[map].value;
  if (!type->is_string() && (assign->op == BinaryOp::Add || assign->op == BinaryOp::Sub)) {
    auto step = make_step<typed::MapAdd>(assign->span);
    step->map = map;
    step->key = map_key(map, target->keys, target->span);
    typed::ValuePtr delta = steps_of(type, value(assign->value));
    if (assign->op == BinaryOp::Sub) {
      auto negated = make_value<typed::UnaryOp>(store().int64(), assign->value->span);
      negated->op = typed::Unary::Negate;
      negated->operand = std::move(delta);
      delta = std::move(negated);
    }
    step->delta = std::move(delta);
    return add(std::move(step));
  }
  auto step = make_step<typed::MapSet>(assign->span);
  step->map = map;
  if (assign->op) {
    auto get = make_value<typed::MapGet>(type, target->span);
    get->map = map;
    get->key = map_key(map, target->keys, target->span);
    typed::ValuePtr right = value(assign->value);
    bool is_signed = is_signed_operation(*assign->op, type, right->type);
    step->value = type->is_string()
                      ? concat_value(std::move(get), std::move(right), type, assign->span)
                      : operation(*assign->op, is_signed, std::move(get), std::move(right), type, assign->span);
  } else {
    step->value = value_as(assign->value, type);
  }
  step->key = map_key(map, target->keys, target->span);
  add(std::move(step));
}

void Lowering::lower_aggregate(MapAccess *target, const CallSite &call, Span span) {
  auto step = make_step<typed::AggregateUpdate>(span);
  step->map = map_index("@" + target->name);
  if (!call.args.empty()) step->argument = value(call.args[0]);
  step->key = map_key(step->map, target->keys, target->span);
  add(std::move(step));
}

Lowering::MapRef Lowering::map_ref(MapAccess *access) {
  MapRef ref;
  ref.map = map_index("@" + access->name);
  if (!access->keys.empty()) ref.key = map_key(ref.map, access->keys, access->span);
  return ref;
}

typed::ValuePtr Lowering::map_key(uint32_t map, const std::vector<Expr *> &keys, Span span) {
  const Type *type = manifest().maps[map].key;
  if (!type || keys.empty()) return nullptr;
  if (keys.size() == 1) return value_as(keys[0], type);
  return lower_tuple(keys, type, span);
}

}  // namespace awl::ast
