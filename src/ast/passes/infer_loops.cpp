// The rules of loops.
#include "ast/passes/inference.h"
#include "ast/typed/typed.h"
#include "ast/walk.h"

namespace awl::ast {

void Inference::visit_unroll(Unroll *loop) {
  infer(loop->count);
  std::optional<int64_t> count = constant(loop->count);
  if (!count) {
    error(diag::NotConstant, loop->count->span, "the count of `unroll`")
        .with_hint("use `for $i : 0..n` for counts that are not");
  } else if (*count < 1 || *count > 100) {
    error(diag::OutOfRange, loop->count->span, "the count of `unroll`", *count, "1 to 100");
  }
  loops_++;
  visit_block(loop->body);
  loops_--;
}

void Inference::visit_for_range(ForRange *loop) {
  for (Expr *bound : {loop->first, loop->last}) {
    const Type *type = operand(bound);
    if (type && !type->is_integral() && !type->is_poison()) error(diag::BadLoopBound, bound->span, describe(type));
  }
  std::optional<int64_t> first = constant(loop->first), last = constant(loop->last);
  if (first && last && *first < *last) {
    uint64_t turns = static_cast<uint64_t>(*last) - static_cast<uint64_t>(*first);
    if (turns > typed::ForRange::kMaxTurns)
      error(diag::OutOfRange, join(loop->first->span, loop->last->span), "the number of turns",
            static_cast<int64_t>(turns), fmt::format("at most {}", typed::ForRange::kMaxTurns));
  }
  visit_loop_body(loop->variable, store().int64(), loop->body);
}

void Inference::visit_for_map(ForMap *loop) {
  MapFacts &facts = map(loop->map);
  facts_.types.set(loop->map, facts.value);
  visit_loop_body(loop->variable, entry_type(loop, facts), loop->body);
}

// (key, value) of the map; null while it is not known, poison after an error.
const Type *Inference::entry_type(ForMap *loop, MapFacts &facts) {
  Span span = loop->map->span;
  if (!loop->map->keys.empty()) {
    error(diag::BadLoopMap, span, facts.name, "this is one entry of it")
        .with_hint("write `for $" + loop->variable->name + " : " + facts.name + " { ... }`");
    return poison();
  }
  if (!facts.shape_known || !facts.value) return nullptr;
  if (facts.keys.empty()) {
    error(diag::BadLoopMap, span, facts.name, "it has no keys")
        .at(facts.first, "first used here")
        .with_hint("a map with keys, such as `" + facts.name + "[...]`, has entries to go through");
    return poison();
  }
  const Type *value = facts.value;
  if (value->kind == TypeKind::Aggregate) {
    value = aggregate_value(store(), value);
    const Expr *use = value ? nullptr : value_use(*loop, input_.names);
    if (use)
      error(diag::NoLoopValue, use->span, facts.name, describe(facts.value))
          .with_hint("`print(" + facts.name + "[$" + loop->variable->name + ".0])` shows it");
    if (!value) value = store().int64();  // not there, and not asked for
  }
  const Type *key = facts.keys.size() == 1 ? facts.keys[0] : store().tuple(facts.keys);
  return store().tuple({key, value});
}

// The variable is the loop's own; its type is what the loop says.
void Inference::visit_loop_body(Variable *variable, const Type *type, Block *body) {
  const Type *&known = facts_.locals[unit_][input_.names.local_of[variable]];
  if (type && type != known) {
    known = type;
    changed_ = true;
  }
  facts_.types.set(variable, known);
  loops_++;
  visit_block(body);
  loops_--;
}

namespace {

const Expr *value_use(const Node *node, uint32_t local, const Names &names) {
  if (const auto *variable = as<Variable>(node)) return names.local_of[variable] == local ? variable : nullptr;
  if (const auto *field = as<FieldAccess>(node))
    if (const auto *variable = as<Variable>(field->base); variable && names.local_of[variable] == local)
      return field->name == "0" ? nullptr : field;
  const Expr *found = nullptr;
  for_each_child(node, [&](const Node *child) {
    if (!found) found = value_use(child, local, names);
  });
  return found;
}

}  // namespace

const Expr *value_use(const ForMap &loop, const Names &names) {
  return value_use(loop.body, names.local_of[loop.variable], names);
}

}  // namespace awl::ast
