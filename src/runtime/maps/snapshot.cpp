#include "runtime/maps/snapshot.h"

#include <algorithm>

namespace awl {

Result<MapView> snapshot(const LoadedMap &map, uint32_t top) {
  MapView view{map.info, TRY(read_map(map)), 0};
  sort_entries(*map.info, view.entries, top);
  return view;
}

Result<MapView> snapshot_entry(const LoadedMap &map, std::span<const std::byte> key) {
  std::optional<MapEntry> entry = TRY(read_entry(map, key));
  if (!entry) entry = MapEntry{{key.begin(), key.end()}, {}};
  return MapView{map.info, {*std::move(entry)}, 0};
}

std::vector<const LoadedMap *> script_maps(const std::vector<LoadedMap> &maps) {
  std::vector<const LoadedMap *> out;
  for (const LoadedMap &map : maps)
    if (map.info->role == MapRole::User && map.fd >= 0) out.push_back(&map);
  std::ranges::sort(out, {}, [](const LoadedMap *map) -> const std::string & { return map->info->name; });
  return out;
}

}  // namespace awl
