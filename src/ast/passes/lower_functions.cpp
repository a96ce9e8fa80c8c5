// Lowering of the script's functions, and of addresses.
#include <algorithm>

#include "ast/passes/lowering.h"
#include "ast/typed/walk.h"

namespace awl::ast {

// True if the function, or one that it calls, sends something to awl.
bool Lowering::emits(uint32_t function) {
  auto calls = [&](const typed::Value &value) {
    return value.kind == typed::Kind::Call && emits(static_cast<const typed::Call &>(value).function);
  };
  auto sends = [](const typed::Step &step) { return step.kind == typed::Kind::Emit; };
  return typed::any_of(module().functions[function].body, calls, sends);
}

typed::ValuePtr Lowering::lower_script_call(const CallSite &call) {
  auto out = make_value<typed::Call>(type(call.node), call.node->span);
  out->function = functions_.at(call.function);
  if (unit().is_pinned() && emits(out->function)) refuse_pinned(call.node->span);
  for (size_t i = 0; i < call.function->params.size(); i++) {
    Expr *arg = i < call.args.size() ? call.args[i] : call.function->params[i].default_value;
    out->args.push_back(value_as(arg, module().functions[out->function].locals[i].type));
  }
  return out;
}

typed::ValuePtr Lowering::lower_c_call(const CallSite &call) {
  const CFunction &function = *find_c_function(*input_.c_functions, call.function);
  auto &known = module().c_functions;
  auto it = std::ranges::find(known, call.function->name, &typed::CFunction::name);
  if (it == known.end()) it = known.insert(it, {call.function->name, function.params, function.result});
  auto out = make_value<typed::CCall>(type(call.node), call.node->span);
  out->function = static_cast<uint32_t>(it - known.begin());
  for (size_t i = 0; i < call.args.size(); i++) {
    typed::ValuePtr given = value(call.args[i]);
    if (given->type->is_string()) {
      auto address = make_value<typed::MemoryAddress>(store().uint64(), given->span);
      address->operand = std::move(given);
      given = std::move(address);
    } else if (function.params[i]->is_integral()) {
      given = coerce(std::move(given), function.params[i]);
    }
    out->args.push_back(std::move(given));
  }
  return out;
}

// A test fails if it returns something else than 0.
void Lowering::fail_test(typed::ValuePtr result, Span span) {
  uint32_t local = new_local(result->type);
  set_local(local, std::move(result), span);
  auto branch = make_step<typed::Branch>(span);
  branch->condition = get_local(local, span);
  branch->then = collect([&] {
    Action action;
    action.kind = ActionKind::Errorf;
    action.format = "returned %ld";
    typed::Values args;
    args.push_back(get_local(local, span));
    emit(std::move(action), std::move(args), span);
  });
  add(std::move(branch));
}

void Lowering::lower_return(Jump *jump) {
  if (jump->value && unit().function) {
    set_local(result_local_, value_as(jump->value, routine_->locals[result_local_].type), jump->span);
  } else if (jump->value && unit().target.provider == "test") {
    fail_test(value_as(jump->value, store().int64()), jump->span);
  } else if (typed::ValuePtr ignored = jump->value ? lower_value(jump->value) : nullptr) {
    auto step = make_step<typed::Evaluate>(jump->span);
    step->value = std::move(ignored);
    if (step->value->kind != typed::Kind::Const) add(std::move(step));
  }
  add(make_step<typed::Leave>(jump->span));
}

typed::ValuePtr Lowering::lower_address(Unary *expr) {
  const Type *pointer = type(expr);
  if (auto *variable = as<Variable>(expr->operand)) {
    auto out = make_value<typed::LocalAddress>(pointer, expr->span);
    out->local = input_.names.local_of[variable];
    return out;
  }
  if (auto *access = as<MapAccess>(expr->operand)) {
    auto out = make_value<typed::MapAddress>(pointer, expr->span);
    MapRef ref = map_ref(access);
    out->map = ref.map;
    out->of_object = !ref.key && manifest().maps[ref.map].key;
    out->key = std::move(ref.key);
    return out;
  }
  std::optional<Place> where = place(expr->operand);
  return where ? coerce(address(std::move(*where), expr->span), pointer) : nullptr;
}

}  // namespace awl::ast
