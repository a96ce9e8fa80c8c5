#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

// Where the flag of a scalar map stands: behind its value.
static uint32_t set_offset(const Type *value) { return (value->size + 7) / 8 * 8; }

// Memory that holds the key; a scalar map has one element, 0.
Mem FunctionEmitter::map_key(uint32_t map, const Value *key) {
  if (!key) {
    Mem index = frame_.take(4);
    code_.store(index, code_.number(0), 4);
    return index;
  }
  const Type *type = object_.map_info(map).key;
  if (!key->type->is_scalar()) return memory(*key);
  Mem memory = frame_.take(type->size);
  code_.store(memory, scalar(*key), type->size);
  return memory;
}

FunctionEmitter::ActiveMap FunctionEmitter::active_map(uint32_t map) {
  const MapInfo &info = object_.map_info(map);
  if (info.twin < 0) return {map, nullptr};
  return {map, code_.truth(code_.load_volatile(state_word(info.side_word)))};
}

Val FunctionEmitter::address_of(ActiveMap map) {
  Val address = object_.map(map.index);
  if (!map.on_twin) return address;
  return code_.select(map.on_twin, object_.map(static_cast<uint32_t>(object_.map_info(map.index).twin)), address);
}

// Each side has a call of its own: the verifier replaces the call of a known map by its instructions, which makes it
// twice as fast as one of a map that is known only when it runs.
Mem FunctionEmitter::lookup(ActiveMap map, Mem key) {
  auto look_in = [&](int32_t index) {
    return code_.call_pointer(BPF_FUNC_map_lookup_elem, {object_.map(static_cast<uint32_t>(index)), key.pointer})
        .pointer;
  };
  const MapInfo &info = object_.map_info(map.index);
  auto index = static_cast<int32_t>(map.index);
  if (!map.on_twin) return Code::mem(look_in(index));
  return Code::mem(code_.choose(map.on_twin, [&] { return look_in(info.twin); }, [&] { return look_in(index); }));
}

// `failed`: what the kernel said. Before Linux 6.4 it is an int, in the lower half of the register alone.
void FunctionEmitter::count_map_error(uint32_t map, Val failed) {
  const uint32_t full = kStateMapErrors + kMapErrorWords * map;
  code_.if_else(
      code_.equal(code_.extend(failed, 4, true), static_cast<uint64_t>(-E2BIG)),
      [&] { code_.atomic_add(state_word(full), code_.number(1)); },
      [&] { code_.atomic_add(state_word(full + 1), code_.number(1)); });
}

Val FunctionEmitter::scalar_of(const MapGet &value) {
  Frame::Mark mark = frame_.mark();
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  Mem element = lookup(active_map(value.map), key);
  frame_.release(mark);
  return code_.choose(
      code_.truth(element.pointer), [&] { return code_.load(element, value.type->size, value.type->is_signed); },
      [&] {
        note_failure(BPF_FUNC_map_lookup_elem, code_.number(static_cast<uint64_t>(-ENOENT)));
        return code_.number(0);
      });
}

void FunctionEmitter::into_map_get(const MapGet &value, Mem to) {
  Frame::Mark mark = frame_.mark();
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  Mem element = lookup(active_map(value.map), key);
  frame_.release(mark);
  code_.if_else(
      code_.truth(element.pointer), [&] { code_.copy(to, element, value.type->size); },
      [&] {
        note_failure(BPF_FUNC_map_lookup_elem, code_.number(static_cast<uint64_t>(-ENOENT)));
        code_.zero(to, value.type->size);
      });
}

Val FunctionEmitter::scalar_of(const MapFind &value) {
  Frame::Mark mark = frame_.mark();
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  Mem element = lookup(active_map(value.map), key);
  frame_.release(mark);
  const Variable &local = locals_[value.local];
  return code_.choose(
      code_.truth(element.pointer),
      [&] {
        if (local.type->is_scalar())
          code_.store(local.memory, code_.load(element, local.type->size, local.type->is_signed));
        else
          code_.copy(local.memory, element, local.type->size);
        return code_.number(1);
      },
      [&] { return code_.number(0); });
}

Val FunctionEmitter::scalar_of(const MapHas &value) {
  Frame::Mark mark = frame_.mark();
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  Mem element = lookup(active_map(value.map), key);
  frame_.release(mark);
  const MapInfo &info = object_.map_info(value.map);
  if (value.key || info.value->kind == TypeKind::Aggregate) return code_.flag(code_.truth(element.pointer));
  return code_.choose(
      code_.truth(element.pointer), [&] { return code_.load(code_.at(element, set_offset(info.value)), 8); },
      [&] { return code_.number(0); });
}

Val FunctionEmitter::scalar_of(const MapRemove &value) {
  Frame::Mark mark = frame_.mark();
  const MapInfo &info = object_.map_info(value.map);
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  if (value.key) {
    Val result = code_.call(BPF_FUNC_map_delete_elem, {address_of(active_map(value.map)), key.pointer});
    frame_.release(mark);
    return code_.flag(code_.equal(result, 0));
  }
  if (info.value->kind == TypeKind::Aggregate) return clear_aggregate(value.map, key, mark);
  Mem element = lookup(active_map(value.map), key);
  frame_.release(mark);
  return code_.choose(
      code_.truth(element.pointer),
      [&] {
        Mem set = code_.at(element, set_offset(info.value));
        Val old = code_.load(set, 8);
        code_.zero(element, set_offset(info.value) + 8);
        return old;
      },
      [&] { return code_.number(0); });
}

void FunctionEmitter::step_of(const MapSet &step) {
  const Type *type = object_.map_info(step.map).value;
  if (!step.key) {
    // The element of an array always exists, and the value is written into it.
    Val number = type->is_scalar() ? scalar(*step.value) : nullptr;
    Mem bytes = type->is_scalar() ? Mem{} : memory(*step.value);
    Mem key = map_key(step.map, nullptr);
    code_.from(step.span);
    Mem element = lookup(active_map(step.map), key);
    code_.if_(code_.truth(element.pointer), [&] {
      if (number)
        code_.store(element, number, type->size);
      else
        code_.copy(element, bytes, type->size);
      code_.store(code_.at(element, set_offset(type)), code_.number(1));
    });
    return;
  }
  Mem value;
  if (type->is_scalar()) {
    value = frame_.take(type->size);
    code_.store(value, scalar(*step.value), type->size);
  } else {
    value = memory(*step.value);
  }
  Mem key = map_key(step.map, step.key.get());
  code_.from(step.span);
  Val failed = code_.call(BPF_FUNC_map_update_elem,
                          {address_of(active_map(step.map)), key.pointer, value.pointer, code_.number(BPF_ANY)});
  code_.if_(code_.truth(failed), [&] { count_map_error(step.map, failed); });
}

// --- Adding in place

Val FunctionEmitter::add_in_place(Mem at, Val delta, uint32_t bytes, bool want_old) {
  if (bytes == 8 || bytes == 4) {
    if (want_old) return code_.atomic_fetch_add(at, delta, bytes);
    code_.atomic_add(at, delta, bytes);
    return code_.number(0);
  }
  Val old = code_.load(at, bytes);  // BPF has no narrower atomics
  code_.store(at, code_.add(old, delta), bytes);
  return old;
}

// Adds to the value, which is inserted if it is missing. Whoever inserts first wins, the others add. Gives the value
// before, where it is wanted.
Val FunctionEmitter::map_add(uint32_t map, const Value *key, Val delta, bool want_old) {
  const Type *type = object_.map_info(map).value;
  Frame::Mark mark = frame_.mark();
  Mem key_memory = map_key(map, key);
  ActiveMap active = active_map(map);
  Mem element = lookup(active, key_memory);
  auto add = [&](Mem at) {
    Val old = add_in_place(at, delta, type->size, want_old);
    if (!key) code_.store(code_.at(at, set_offset(type)), code_.number(1));
    return old;
  };
  Val result = code_.choose(
      code_.truth(element.pointer), [&] { return add(element); },
      [&] {
        if (!key) return code_.number(0);  // not reached: the element of an array exists
        Mem zero = frame_.take(type->size);
        code_.store(zero, code_.number(0), type->size);
        Val failed = code_.call(BPF_FUNC_map_update_elem,
                                {address_of(active), key_memory.pointer, zero.pointer, code_.number(BPF_NOEXIST)});
        Mem inserted = lookup(active, key_memory);
        return code_.choose(
            code_.truth(inserted.pointer), [&] { return add(inserted); },
            [&] {
              count_map_error(map, failed);
              return code_.number(0);
            });
      });
  frame_.release(mark);
  return result;
}

void FunctionEmitter::step_of(const MapAdd &step) {
  Val delta = scalar(*step.delta);
  map_add(step.map, step.key.get(), delta, false);
}

Val FunctionEmitter::scalar_of(const MapAddGet &value) {
  const Type *type = object_.map_info(value.map).value;
  Val delta = code_.number(static_cast<uint64_t>(value.delta));
  Val old = widen(map_add(value.map, value.key.get(), delta, true), type);
  return value.give_old ? old : widen(code_.add(old, delta), type);
}

}  // namespace awl::codegen
