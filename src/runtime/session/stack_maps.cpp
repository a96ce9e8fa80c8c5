#include "runtime/session/stack_maps.h"

#include <bpf/bpf.h>

#include <algorithm>

#include "runtime/unwind/walk.h"

namespace awl {

void StackMaps::add(const std::vector<LoadedMap> &maps) {
  for (const LoadedMap &map : maps)
    if (map.info->role == MapRole::Stack && map.fd >= 0) maps_.push_back(map);
}

std::vector<uint64_t> StackMaps::frames(const Type *type, int32_t id) {
  if (id < 0) return {};
  if (id & runtime::unwind::walked_bit) return walked_frames(static_cast<uint32_t>(id));
  for (const LoadedMap &map : maps_) {
    if (map.info->stack_frames != type->stack_frames) continue;
    // The kernel writes the map's whole value.
    const size_t bytes = std::max<size_t>(map.info->value_size, map.info->stack_frames * sizeof(uint64_t));
    std::vector<uint64_t> addresses((bytes + 7) / 8);
    if (addresses.empty() || bpf_map_lookup_elem(map.fd, &id, addresses.data()) != 0) continue;
    size_t count = 0;
    while (count < addresses.size() && count < type->stack_frames && addresses[count] != 0) count++;
    addresses.resize(count);
    return addresses;
  }
  return {};
}

std::vector<uint64_t> StackMaps::walked_frames(uint32_t key) const {
  runtime::unwind::KeptStack stack;
  if (walked_fd_ < 0 || bpf_map_lookup_elem(walked_fd_, &key, &stack) != 0) return {};
  return {stack.frames, stack.frames + std::min<uint64_t>(stack.count, runtime::unwind::max_frames)};
}

namespace {

bool has_user_symbols(const Type *type) {
  if (!type) return false;
  if (type->kind == TypeKind::Stack) return type->stack_user;
  if (type->display == Display::UserSymbol) return true;
  if (type->kind == TypeKind::Array) return has_user_symbols(type->target);
  return type->kind == TypeKind::Tuple &&
         std::ranges::any_of(type->fields, [](const Field &field) { return has_user_symbols(field.type); });
}

}  // namespace

bool shows_user_symbols(const Manifest &manifest) {
  for (const MapInfo &map : manifest.maps)
    if (has_user_symbols(map.key) || has_user_symbols(map.value)) return true;
  for (const Action &action : manifest.actions)
    for (const ArgSlot &slot : action.args)
      if (has_user_symbols(slot.type)) return true;
  return false;
}

}  // namespace awl
