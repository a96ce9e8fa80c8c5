// What maps hold at a moment, as it is printed and handed on.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/maps/map_reader.h"
#include "runtime/output/output.h"

namespace awl {

// All entries in printing order, the last `top` of them if that is not 0.
Result<MapView> snapshot(const LoadedMap &map, uint32_t top = 0);
// The entry with this key; without a value if there is none.
Result<MapView> snapshot_entry(const LoadedMap &map, std::span<const std::byte> key);

// The maps that the script names, by name.
std::vector<const LoadedMap *> script_maps(const std::vector<LoadedMap> &maps);

}  // namespace awl
