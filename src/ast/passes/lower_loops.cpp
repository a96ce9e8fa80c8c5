// Lowering of loops.
#include <functional>

#include "ast/passes/counted_loops.h"
#include "ast/passes/lowering.h"

namespace awl::ast {

void Lowering::lower_while(While *loop) {
  if (is_counted(*loop, unit(), callbacks_.empty() ? nullptr : callbacks_.back(), input_, facts_)) {
    auto step = make_step<typed::Loop>(loop->span);
    step->condition = sequence(loop->condition, store().boolean());
    step->body = collect([&] { lower_block(loop->body); });
    return add(std::move(step));
  }
  // The verifier could not see that it ends: as many turns as the kernel makes, until the condition ends them.
  auto step = make_step<typed::ForRange>(loop->span);
  step->turns = make_const(store().uint64(), typed::ForRange::kMaxTurns, loop->span);
  step->place = error_place(RunError::LoopCut, loop->condition->span);
  step->body = collect([&] {
    auto branch = make_step<typed::Branch>(loop->condition->span);
    branch->condition = truth(loop->condition);
    branch->otherwise = collect([&] {
      auto leave = make_step<typed::Leave>(loop->condition->span);
      leave->what = typed::LeaveKind::Break;
      add(std::move(leave));
    });
    add(std::move(branch));
    lower_callback_body(loop, loop->body);
  });
  add(std::move(step));
}

void Lowering::lower_callback_body(Stmt *loop, Block *body) {
  callbacks_.push_back(loop);
  lower_block(body);
  callbacks_.pop_back();
}

// A loop with a bound that the verifier sees.
void Lowering::lower_unroll(Unroll *loop) {
  int64_t count = constant(loop->count).value_or(0);
  uint32_t turn = new_local(store().int64());
  set_local(turn, make_const(store().int64(), 0, loop->span), loop->span);
  auto step = make_step<typed::Loop>(loop->span);
  step->condition =
      make_binary(typed::Op::Less, false, get_local(turn, loop->span),
                  make_const(store().int64(), static_cast<uint64_t>(count), loop->span), store().boolean());
  step->body = collect([&] {
    auto next = make_value<typed::LocalAdd>(store().int64(), loop->span);
    next->local = turn;
    auto evaluate = make_step<typed::Evaluate>(loop->span);
    evaluate->value = std::move(next);
    add(std::move(evaluate));
    lower_block(loop->body);
  });
  add(std::move(step));
}

void Lowering::lower_for_range(ForRange *loop) {
  const Type *i64 = store().int64();
  const Type *u64 = store().uint64();
  // Both bounds are computed once, in the order of the text.
  auto once = [&](Expr *bound) -> std::function<typed::ValuePtr()> {
    if (std::optional<int64_t> known = constant(bound))
      return [=, this] { return make_const(store().int64(), static_cast<uint64_t>(*known), bound->span); };
    uint32_t local = new_local(store().int64());
    set_local(local, value_as(bound, store().int64()), bound->span);
    return [=, this] { return get_local(local, bound->span); };
  };
  auto first = once(loop->first);
  auto last = once(loop->last);

  auto step = make_step<typed::ForRange>(loop->span);
  std::optional<int64_t> from = constant(loop->first), to = constant(loop->last);
  if (from && to) {
    uint64_t turns = *from < *to ? static_cast<uint64_t>(*to) - static_cast<uint64_t>(*from) : 0;
    step->turns = make_const(u64, turns, loop->last->span);
  } else {
    auto turns = make_value<typed::Select>(u64, join(loop->first->span, loop->last->span));
    turns->condition = make_binary(typed::Op::Less, true, first(), last(), store().boolean());
    turns->then = make_binary(typed::Op::Sub, false, last(), first(), u64);
    turns->otherwise = make_const(u64, 0, loop->last->span);
    step->turns = std::move(turns);
    step->place = error_place(RunError::LoopTooLong, join(loop->first->span, loop->last->span));
  }
  step->body = collect([&] {
    typed::ValuePtr index = make_value<typed::LoopIndex>(i64, loop->variable->span);
    if (from != 0) index = make_binary(typed::Op::Add, true, first(), std::move(index), i64);
    set_local(input_.names.local_of[loop->variable], std::move(index), loop->variable->span);
    lower_callback_body(loop, loop->body);
  });
  add(std::move(step));
}

void Lowering::lower_for_map(ForMap *loop) {
  auto step = make_step<typed::ForMap>(loop->span);
  step->map = map_index("@" + loop->map->name);
  uint32_t local = input_.names.local_of[loop->variable];
  Span span = loop->variable->span;
  step->body = collect([&] {
    const Type *entry = routine_->locals[local].type;
    auto pair = make_value<typed::Compose>(entry, span);
    pair->parts.emplace_back(entry->fields[0].offset, make_value<typed::LoopKey>(entry->fields[0].type, span));
    if (value_use(*loop, input_.names))
      pair->parts.emplace_back(entry->fields[1].offset, make_value<typed::LoopValue>(entry->fields[1].type, span));
    set_local(local, std::move(pair), span);
    lower_callback_body(loop, loop->body);
  });
  add(std::move(step));
}

}  // namespace awl::ast
