// Functions on maps: clear, zero, delete, has_key, find.
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
    in.error(diag::MapKeyed, access->span, map->name, "already has its key")
        .with_hint("each call names one entry: `" + call.function->name + "(@map, key)`");
  else if (keys.empty() && map->shape_known && !map->keys.empty())
    in.error(diag::MapKeyed, access->span, map->name, "has keys: name one entry")
        .with_hint("`clear(" + map->name + ")` removes all of them");
  else
    in.use_keys(*map, keys, access->span);
  return in.store().boolean();
}

// delete(@a[1], @b, @c[2]), as in 2024, names entries; delete(@a, 1) a map and a key. What stands first tells: an entry
// or a map without keys is no map to look a key up in.
bool names_entries(const MapAccess *first, bool keyed, size_t arguments) {
  return arguments > 1 && (!first->keys.empty() || !keyed);
}

const Type *infer_delete(Inference &in, const CallSite &call) {
  auto *first = as<MapAccess>(call.args[0]);
  MapFacts *map = in.map_argument(first);
  if (call.args.size() > 1 && first->keys.empty() && !map->shape_known) return in.store().boolean();  // a later round
  if (!names_entries(first, map->shape_known && !map->keys.empty(), call.args.size())) {
    if (call.args.size() > 2) {
      in.error(diag::ArgumentCount, call.node->span, "delete", "a map and a key", call.args.size())
          .with_hint("several keys are a tuple: `delete(" + map->name + ", (a, b))`");
      return in.store().boolean();
    }
    return infer_entry(in, call);
  }
  for (Expr *arg : call.args) {
    if (!as<MapAccess>(arg)) {
      if (first->keys.empty())
        in.error(diag::MapKeyed, first->span, map->name, "has no keys");
      else
        in.error(diag::MapKeyed, first->span, map->name, "already has its key");
      return in.store().boolean();
    }
    CallSite one = call;
    one.args = {arg};
    infer_entry(in, one);
  }
  return in.store().boolean();
}

// The entry, and all its parts. Without keys there is always an entry, and the parts tell whether it held something.
typed::ValuePtr remove_series(Lowering &low, const CallSite &call, uint32_t map) {
  const Type *u64 = low.store().uint64();
  const Type *boolean = low.store().boolean();
  const Span span = call.node->span;
  const MapInfo &info = low.manifest().maps[map];
  const auto parts = static_cast<uint32_t>(info.parts);
  const Type *part_key = low.manifest().maps[parts].key;
  const uint32_t key = info.key ? low.new_local(info.key) : 0;
  const uint32_t removed = low.new_local(boolean);
  auto remove = [&](uint32_t from, typed::ValuePtr with) {
    auto out = make_value<typed::MapRemove>(boolean, span);
    out->map = from;
    out->key = std::move(with);
    return out;
  };
  auto out = make_value<typed::Sequence>(boolean, span);
  out->steps = low.collect([&] {
    if (info.key) {
      low.set_local(key, low.map_key(map, key_of(call), span), span);
      low.set_local(removed, remove(map, low.get_local(key, span)), span);
    } else {
      low.set_local(removed, make_const(boolean, 0, span), span);
    }
    auto each = make_step<typed::ForRange>(span);
    each->turns = make_const(u64, series_parts(info.value->series_length), span);
    each->body = low.collect([&] {
      typed::ValuePtr with = make_value<typed::LoopIndex>(u64, span);
      if (info.key) {
        auto pair = make_value<typed::Compose>(part_key, span);
        pair->parts.emplace_back(part_key->fields[0].offset, low.get_local(key, span));
        pair->parts.emplace_back(part_key->fields[1].offset, std::move(with));
        with = std::move(pair);
      }
      auto any = make_value<typed::Select>(boolean, span);
      any->condition = remove(parts, std::move(with));
      any->then = make_const(boolean, 1, span);
      any->otherwise = low.get_local(removed, span);
      low.set_local(removed, std::move(any), span);
    });
    low.add(std::move(each));
  });
  out->value = low.get_local(removed, span);
  return out;
}

typed::ValuePtr remove_entry(Lowering &low, const CallSite &call) {
  const uint32_t map = low.map_ref(as<MapAccess>(call.args[0])).map;
  if (low.manifest().maps[map].parts >= 0) return remove_series(low, call, map);
  auto out = make_value<typed::MapRemove>(low.store().boolean(), call.node->span);
  out->map = map;
  out->key = low.map_key(out->map, key_of(call), call.node->span);
  return out;
}

typed::ValuePtr lower_delete(Lowering &low, const CallSite &call) {
  auto *first = as<MapAccess>(call.args[0]);
  bool keyed = low.manifest().maps[low.map_index("@" + first->name)].key != nullptr;
  if (!names_entries(first, keyed, call.args.size())) return remove_entry(low, call);
  typed::ValuePtr last;
  for (Expr *arg : call.args) {
    if (last) {
      auto step = make_step<typed::Evaluate>(call.node->span);
      step->value = std::move(last);
      low.add(std::move(step));
    }
    CallSite one = call;
    one.args = {arg};
    last = remove_entry(low, one);
  }
  return last;
}

// find(@m, key, $out): one look-up instead of has_key() and a read.
const Type *infer_find(Inference &in, const CallSite &call) {
  auto *access = as<MapAccess>(call.args[0]);
  MapFacts *map = in.map_argument(access);
  if (!access->keys.empty()) {
    in.error(diag::MapKeyed, access->span, map->name, "already has its key");
  } else if (map->shape_known && map->keys.empty()) {
    in.error(diag::MapKeyed, access->span, map->name, "has no keys").with_hint("read it: `$x = " + map->name + "`");
  } else if (map->shape_known) {
    in.use_keys(*map, key_of(call), access->span);
    const Type *value = map->value;
    if (value && value->kind == TypeKind::Aggregate) value = aggregate_value(in.store(), value);
    if (map->value && !value)
      in.error(diag::NoValue, access->span, to_string(map->value)).with_hint("`print()` shows it");
    else if (value)
      in.set_variable(as<Variable>(call.args[2]), value);
  }
  return in.store().boolean();
}

typed::ValuePtr lower_find(Lowering &low, const CallSite &call) {
  TypeStore &store = low.store();
  Span span = call.node->span;
  uint32_t map = low.map_index("@" + as<MapAccess>(call.args[0])->name);
  const Type *stored = low.manifest().maps[map].value;
  uint32_t variable = low.input().names.local_of[call.args[2]];
  const Type *type = low.get_local(variable, span)->type;
  auto with_map = [&]<class Node>(std::unique_ptr<Node> node) {
    node->map = map;
    node->key = low.map_key(map, key_of({call.function, call.node, {call.args[0], call.args[1]}, span}), span);
    return node;
  };
  if (stored == type) {
    auto out = with_map(make_value<typed::MapFind>(store.boolean(), span));
    out->local = variable;
    return out;
  }
  // The variable has room for more than the map's values, or these are collected per CPU.
  uint32_t found = low.new_local(store.boolean());
  bool aggregate = stored->kind == TypeKind::Aggregate;
  uint32_t copy = aggregate ? 0 : low.new_local(stored);
  typed::ValuePtr condition, value;
  if (aggregate) {
    condition = with_map(make_value<typed::MapHas>(store.boolean(), span));
    value = with_map(make_value<typed::AggregateGet>(aggregate_value(store, stored), span));
  } else {
    auto find = with_map(make_value<typed::MapFind>(store.boolean(), span));
    find->local = copy;
    condition = std::move(find);
    value = low.get_local(copy, span);
  }
  auto out = make_value<typed::Sequence>(store.boolean(), span);
  out->steps = low.collect([&] {
    low.set_local(found, std::move(condition), span);
    auto branch = make_step<typed::Branch>(span);
    branch->condition = low.get_local(found, span);
    branch->then = low.collect([&] { low.set_local(variable, low.coerce(std::move(value), type), span); });
    low.add(std::move(branch));
  });
  out->value = low.get_local(found, span);
  return out;
}

typed::ValuePtr lower_has_key(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::MapHas>(low.store().boolean(), call.node->span);
  out->map = low.map_ref(as<MapAccess>(call.args[0])).map;
  out->key = low.map_key(out->map, key_of(call), call.node->span);
  return out;
}

constexpr Intrinsic kTable[] = {
    {"clear", infer_none, lower_action<ActionKind::ClearMap>},
    {"zero", infer_none, lower_action<ActionKind::ZeroMap>},
    {"delete", infer_delete, lower_delete},
    {"has_key", infer_entry, lower_has_key},
    {"find", infer_find, lower_find},
};

}  // namespace

std::span<const Intrinsic> map_intrinsics() { return kTable; }

}  // namespace awl::ast
