// Functions on maps: clear, zero, delete, has_key.
#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

const Type *infer_none(Inference &in, const CallSite &) { return in.store().void_type(); }

template <ActionKind Kind>
typed::ValuePtr lower_action(Lowering &low, const CallSite &call) {
  Action action;
  action.kind = Kind;
  action.map = static_cast<int32_t>(low.map_ref(as<MapAccess>(call.args[0])).map);
  action.take = low.take_of(call.node);
  low.emit(std::move(action), {}, call.node->span);
  return nullptr;
}

// delete(@m[key]), delete(@m, key), delete(@scalar): the key's expressions.
std::vector<Expr *> key_of(const CallSite &call) {
  auto *access = as<MapAccess>(call.args[0]);
  if (call.args.size() < 2) return access->keys;
  if (auto *tuple = as<TupleExpr>(call.args[1])) return tuple->elements;
  return {call.args[1]};
}

const Type *infer_entry(Inference &in, const CallSite &call) {
  auto *access = as<MapAccess>(call.args[0]);
  MapFacts *map = in.map_argument(access);
  std::vector<Expr *> keys = key_of(call);
  if (!access->keys.empty() && call.args.size() > 1)
    in.error(diag::MapKeyed, access->span, map->name, "already has its key");
  else if (keys.empty() && map->shape_known && !map->keys.empty())
    in.error(diag::MapKeyed, access->span, map->name, "has keys: name one entry")
        .with_hint("`clear(" + map->name + ")` removes all of them");
  else
    in.use_keys(*map, keys, access->span);
  return in.store().boolean();
}

template <class Node>
typed::ValuePtr lower_entry(Lowering &low, const CallSite &call) {
  auto out = make_value<Node>(low.store().boolean(), call.node->span);
  out->map = low.map_ref(as<MapAccess>(call.args[0])).map;
  out->key = low.map_key(out->map, key_of(call), call.node->span);
  return out;
}

constexpr Intrinsic kTable[] = {
    {"clear", infer_none, lower_action<ActionKind::ClearMap>},
    {"zero", infer_none, lower_action<ActionKind::ZeroMap>},
    {"delete", infer_entry, lower_entry<typed::MapRemove>},
    {"has_key", infer_entry, lower_entry<typed::MapHas>},
};

}  // namespace

std::span<const Intrinsic> map_intrinsics() { return kTable; }

}  // namespace awl::ast
