// The fixed point, and the rules of statements.
#include <algorithm>
#include <cassert>

#include "ast/intrinsics/strings.h"
#include "ast/passes/inference.h"

namespace awl::ast {

namespace {
// Types only grow (string sizes, signedness, pointer to void), so few rounds suffice; more is a bug.
constexpr int kMaxRounds = 32;
void check_kind(const MapDecl &decl, Diagnostics &diagnostics) {
  static const std::vector<std::string> kinds = {"hash", "lruhash", "percpuhash", "percpulruhash"};
  if (std::ranges::find(kinds, decl.kind) != kinds.end()) return;
  Diagnostic &d = diagnostics.emit(diag::UnknownMapKind, decl.span, decl.kind);
  std::string guess = nearest(decl.kind, kinds);
  d.with_hint(guess.empty() ? fmt::format("it is one of {}", fmt::join(kinds, ", ")) : "did you mean `" + guess + "`?");
}

void find_types(const CompileInput &input, Facts &facts, Inference::Mode mode) {
  for (int round = 0; round < kMaxRounds; round++) {
    Diagnostics discarded;
    if (!Inference(input, facts, discarded, mode).run()) break;
    assert(round + 1 < kMaxRounds);
  }
}

// Types of maps that are read, but set only where the script never gets with these parameters and on this kernel.
void take_from_unreached(const CompileInput &input, Facts &facts) {
  Facts trial = facts;
  find_types(input, trial, Inference::Mode::Unreached);
  for (auto &[name, map] : facts.maps) {
    auto found = trial.maps.find(name);
    if (map.value || !map.read || found == trial.maps.end()) continue;
    const MapFacts &other = found->second;
    if (!other.value || other.value->is_poison() || !other.shape_known) continue;
    map.value = other.value;
    map.keys = other.keys;
    map.shape_known = true;
  }
}

// What is only read is a number: 0.
void settle_read_maps(const CompileInput &input, Facts &facts) {
  auto unsettled = [](const auto &entry) { return entry.second.read && !entry.second.value; };
  if (std::ranges::none_of(facts.maps, unsettled)) return;
  take_from_unreached(input, facts);
  for (auto &[name, map] : facts.maps) {
    if (map.value || !map.read || !map.shape_known) continue;
    map.value = input.store.int64();
    map.never_set = true;
  }
  find_types(input, facts, Inference::Mode::Guess);
}

}  // namespace

Facts infer_types(const CompileInput &input, Diagnostics &diagnostics) {
  Facts facts;
  for (size_t u = 0; u < input.units.size(); u++) facts.locals.emplace_back(input.names.locals[u].size(), nullptr);
  facts.results.resize(input.units.size());
  for (const MapDecl &decl : input.program.maps) {
    MapFacts &map = facts.maps["@" + decl.name];
    map.name = "@" + decl.name;
    map.first = decl.span;
    if (map.declared) diagnostics.emit(diag::Redeclared, decl.span, map.name);
    map.declared = &decl;
    check_kind(decl, diagnostics);
  }
  // What is only ever computed from itself, `@n = @n + 1`, is a number.
  for (Inference::Mode mode : {Inference::Mode::Known, Inference::Mode::Guess}) {
    find_types(input, facts, mode);
    if (std::ranges::none_of(facts.maps, [](const auto &entry) { return !entry.second.value; })) break;
  }
  settle_read_maps(input, facts);
  find_types(input, facts, Inference::Mode::Signs);
  Inference(input, facts, diagnostics, Inference::Mode::Signs).run();
  return facts;
}

bool Inference::run() {
  changed_ = false;
  for (unit_ = 0; unit_ < input_.units.size(); unit_++) {
    loops_ = 0;
    if (unit().predicate) {
      visit_condition(unit().predicate);
      if (constant(unit().predicate) == 0) error(diag::NeverFires, unit().predicate->span);
    }
    if (unit().function)
      visit_function();
    else if (unit().body)
      visit_block(unit().body);
  }
  return changed_;
}

void Inference::visit_block(Block *block) {
  for (size_t i = 0; i < block->body.size(); i++) {
    visit(block->body[i]);
    if (i + 1 < block->body.size()) warn_unreachable(block->body[i], block->body[i + 1]);
  }
}

void Inference::visit(Stmt *stmt) {
  switch (stmt->kind) {
    case NodeKind::ExprStmt: return visit_expr_stmt(static_cast<ExprStmt *>(stmt));
    case NodeKind::Assign: return visit_assign(static_cast<Assign *>(stmt));
    case NodeKind::Let: return visit_let(static_cast<Let *>(stmt));
    case NodeKind::Block: return visit_block(static_cast<Block *>(stmt));
    case NodeKind::If: {
      auto *s = static_cast<If *>(stmt);
      visit_condition(s->condition);
      // What is never reached is not compiled: it may be for other types or another kernel.
      std::optional<int64_t> known = mode_ == Mode::Unreached ? std::nullopt : constant(s->condition);
      if (!known || *known) visit_block(s->then);
      if (s->otherwise && (!known || !*known)) visit_block(s->otherwise);
      return;
    }
    case NodeKind::While: {
      auto *s = static_cast<While *>(stmt);
      visit_condition(s->condition);
      loops_++;
      visit_block(s->body);
      loops_--;
      return;
    }
    case NodeKind::Unroll: return visit_unroll(static_cast<Unroll *>(stmt));
    case NodeKind::ForMap: return visit_for_map(static_cast<ForMap *>(stmt));
    case NodeKind::ForRange: return visit_for_range(static_cast<ForRange *>(stmt));
    case NodeKind::Jump: {
      auto *s = static_cast<Jump *>(stmt);
      if (s->jump == JumpKind::Return) return visit_return(s);
      if (loops_ == 0) error(diag::StrayJump, s->span, s->jump == JumpKind::Break ? "break" : "continue");
      return;
    }
    default: assert(false && "not a statement");
  }
}

void Inference::visit_condition(Expr *condition) {
  const Type *type = operand(condition);
  if (type && !type->is_scalar()) error(diag::BadCondition, condition->span, describe(type));
}

void Inference::visit_expr_stmt(ExprStmt *stmt) {
  const auto *comparison = as<Binary>(stmt->expr);
  const auto *variable = comparison && comparison->op == BinaryOp::Equal ? as<Variable>(comparison->left) : nullptr;
  compared_alone_ = variable;
  infer(stmt->expr);
  compared_alone_ = nullptr;
  warn_no_effect(stmt);
}

void Inference::visit_let(Let *let) {
  const Type *type = nullptr;
  if (let->type) type = resolve(*let->type);
  if (let->value) {
    const Type *given = operand(let->value);
    if (given && given->kind == TypeKind::Void) {
      error(diag::NoValue, let->value->span, name_of(let->value));
      given = poison();
    }
    if (type && given && !join_types(store(), type, given))
      error(diag::AssignMismatch, let->value->span, "$" + let->variable->name, describe(type), describe(given));
    warn_cut(let->value, type, let->value->span);
    if (!type) type = given;
  }
  assign_local(let->variable, type, let->value, let->span);
}

void Inference::refuse_target(Assign *assign) {
  auto call = call_site(input_.functions, assign->value);
  if (!call || !attribute(*call->function, "aggregate")) infer(assign->value);  // of which one message is enough
  if (assign->target->kind == NodeKind::Poison) return;
  Diagnostic &d = error(diag::NotAssignable, assign->target->span, "this");
  const auto *name = as<Identifier>(assign->target);
  const auto *field = as<FieldAccess>(assign->target);
  const auto *base = field ? as<MapAccess>(field->base) : nullptr;
  const bool unknown = name && !input_.functions.find(name->name) && !named_constant(input_, name->name);
  if (unknown) misnamed_.insert(name->name);
  d.with_hint(unknown ? fmt::format("names of variables begin with `$`: `${} = ...`", name->name)
              : base && base->keys.empty()
                  ? fmt::format("keys stand in brackets: `@{}[{}] = ...`", base->name, field->name)
                  : "only `$variables` and `@maps` can be assigned to");
}

void Inference::visit_assign(Assign *assign) {
  if (auto *target = as<Identifier>(assign->target); target && target->name == "_") {
    infer(assign->value);
    return;
  }
  auto *variable = as<Variable>(assign->target);
  auto *access = as<MapAccess>(assign->target);
  if (!variable && !access) return refuse_target(assign);
  const Type *type = nullptr;
  if (auto call = call_site(input_.functions, assign->value);
      call && attribute(*call->function, "aggregate") && access && !assign->op) {
    assigned_aggregate_ = assign->value;
    type = infer(assign->value);
  } else {
    type = infer(assign->value);
    if (type && type->kind == TypeKind::Aggregate) type = operand(assign->value);
    if (type && type->kind == TypeKind::Void) {
      error(diag::NoValue, assign->value->span, name_of(assign->value));
      type = poison();
    }
    if (assign->op) {
      const Type *old = infer(assign->target);
      bool integers = (!old || old->is_integral() || old->is_pointer()) && (!type || type->is_integral());
      bool joins = *assign->op == BinaryOp::Add && (!old || old->is_string()) && type && type->is_string();
      if (joins) {
        type = old ? concat_type(input_, old, type) : type;
        return variable ? assign_local(variable, type, nullptr, assign->span)
                        : assign_map(access, type, nullptr, assign->span);
      }
      if (!integers) {
        if (!(type && type->is_poison()) && !(old && old->is_poison()))
          error(diag::BadOperands, assign->span, std::string(to_string(*assign->op)) + "=", describe(old),
                describe(type));
        return;
      }
      if (old && old->is_pointer()) type = old;
    }
  }
  const Expr *stored = assign->op ? nullptr : assign->value;
  if (variable) {
    assign_local(variable, type, stored, assign->span);
    const TypeName *declared = input_.names.locals[unit_][input_.names.local_of[variable]].declared;
    if (declared && !assign->op) warn_cut(assign->value, resolve(*declared), assign->value->span);
    return;
  }
  assign_map(access, type, stored, assign->span);
  warn_lost_updates(assign);
}

const Type *Inference::join_stored(const Type *known, const Type *next, const Expr *value) {
  const Type *joined = join_types(store(), known, next);
  return mode_ == Mode::Signs ? with_sign(joined, known, next, value) : joined;
}

bool Inference::brings_sign(const Type *type, const Expr *value) const {
  return type->is_signed && value && constant(value).value_or(-1) < 0;
}

// The same for two values of which one is taken.
const Type *Inference::with_signs(const Type *joined, const Type *first, const Expr *first_value, const Type *second,
                                  const Expr *second_value) {
  const bool plain = joined->kind == TypeKind::Int && joined->display == Display::None;
  if (!plain || !first->is_integral() || !second->is_integral()) return with_sign(joined, first, second, second_value);
  return store().integer(static_cast<uint32_t>(joined->size),
                         joined->is_signed || brings_sign(first, first_value) || brings_sign(second, second_value));
}

// Signed wins; a constant that is not negative, a truth value, and what is computed from the target take the sign of
// the others.
const Type *Inference::with_sign(const Type *joined, const Type *known, const Type *next, const Expr *value) {
  if (!joined || !known || !next) return joined;  // not known yet
  if (joined->kind == TypeKind::Int && joined->display == Display::None && known->is_integral() &&
      next->is_integral()) {
    return store().integer(8, known->is_signed || brings_sign(next, value));
  }
  if (joined->kind == TypeKind::Aggregate && joined->target) {
    const auto *call = as<Call>(value);
    Type aggregate = *joined;
    aggregate.target =
        with_sign(joined->target, known->target, next->target, call && !call->args.empty() ? call->args[0] : nullptr);
    return store().intern(aggregate);
  }
  if (joined->kind != TypeKind::Tuple || joined->display != Display::None || known->kind != TypeKind::Tuple ||
      next->kind != TypeKind::Tuple)
    return joined;
  const auto *tuple = as<TupleExpr>(value);
  const auto *record = as<RecordExpr>(value);
  std::vector<const Type *> elements;
  std::vector<std::string> names;
  for (size_t i = 0; i < joined->fields.size(); i++) {
    const Field &field = joined->fields[i];
    const Field &from = *same_element(field, i, next);
    const auto at = static_cast<size_t>(&from - next->fields.data());
    const Expr *element = tuple ? tuple->elements[at] : record ? record->elements[at] : value;
    elements.push_back(with_sign(field.type, same_element(field, i, known)->type, from.type, element));
    names.push_back(field.name);
  }
  return joined->is_record ? store().record(names, elements) : store().tuple(elements);
}

void Inference::assign_local(Variable *target, const Type *type, const Expr *value, Span span) {
  uint32_t index = input_.names.local_of[target];
  const Type *&known = facts_.locals[unit_][index];
  const TypeName *declared = input_.names.locals[unit_][index].declared;
  const Type *next = declared ? resolve(*declared) : stored_type(store(), type);
  const Type *joined = declared ? next : join_stored(known, next, value);
  if (known && next && (!joined || (declared && type && !join_types(store(), declared ? next : known, type)))) {
    error(diag::AssignMismatch, span, "$" + target->name, describe(known), describe(type));
    return;
  }
  if (joined != known) {
    known = joined;
    changed_ = true;
  }
  facts_.types.set(target, known);
}

void Inference::assign_map(MapAccess *target, const Type *type, const Expr *value, Span span) {
  MapFacts &facts = map(target);
  use_keys(facts, target->keys, target->span);
  const Type *next = stored_type(store(), type);
  const Type *joined = join_stored(facts.value, next, value);
  if (facts.value && next && !joined) {
    error(diag::AssignMismatch, span, facts.name, describe(facts.value), describe(type))
        .at(facts.first, "first used here");
    return;
  }
  if (joined != facts.value) {
    facts.value = joined;
    changed_ = true;
  }
  facts_.types.set(target, facts.value);
}

MapFacts &Inference::map(MapAccess *access) {
  MapFacts &facts = facts_.maps["@" + access->name];
  if (facts.name.empty()) {
    facts.name = "@" + access->name;
    facts.first = access->span;
  }
  return facts;
}

MapFacts *Inference::map_argument(Expr *expr) {
  auto *access = as<MapAccess>(expr);
  if (!access) {
    infer(expr);
    return nullptr;
  }
  MapFacts &facts = map(access);
  if (!access->keys.empty()) use_keys(facts, access->keys, access->span);
  facts_.types.set(access, facts.value);
  return &facts;
}

bool Inference::use_keys(MapFacts &facts, const std::vector<Expr *> &keys, Span span) {
  std::vector<const Type *> types;
  std::vector<Expr *> parts = keys;
  for (Expr *key : keys) {
    const Type *type = operand(key);
    if (!type) return true;  // comes in a later round
    if (type->kind == TypeKind::Void || type->kind == TypeKind::Aggregate) {
      error(diag::KeyMismatch, key->span, facts.name, describe(type), "a value");
      type = poison();
    }
    types.push_back(stored_type(store(), type));
  }
  // @x[(1, 2)] is @x[1, 2].
  if (types.size() == 1 && types[0]->kind == TypeKind::Tuple && !types[0]->is_record) {
    const Type *tuple = types[0];
    types.clear();
    for (const Field &f : tuple->fields) types.push_back(f.type);
    if (const auto *written = as<TupleExpr>(keys[0])) parts = written->elements;
  }
  if (!facts.shape_known) {
    facts.shape_known = true;
    facts.keys = types;
    changed_ = true;
    return true;
  }
  bool fits = types.size() == facts.keys.size();
  std::vector<const Type *> joined = facts.keys;
  for (size_t i = 0; fits && i < types.size(); i++) {
    joined[i] = join_stored(facts.keys[i], types[i], parts.size() == types.size() ? parts[i] : keys[0]);
    fits = joined[i] != nullptr;
  }
  if (!fits) {
    auto text = [](const std::vector<const Type *> &list) {
      std::string out;
      for (const Type *t : list) out += (out.empty() ? "" : ", ") + to_string(t);
      return list.empty() ? std::string("none") : "[" + out + "]";
    };
    error(diag::KeyMismatch, span, facts.name, text(types), text(facts.keys)).at(facts.first, "first used here");
    return false;
  }
  if (joined != facts.keys) {
    facts.keys = joined;
    changed_ = true;
  }
  return true;
}

}  // namespace awl::ast
