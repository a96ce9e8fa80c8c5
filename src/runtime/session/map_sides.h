// Taking what a map holds while programs go on filling it: nothing is lost, nothing is seen twice.
#pragma once

#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "runtime/maps/map_reader.h"
#include "runtime/session/shared_state.h"

namespace awl {

// Waits until every BPF program that was running has ended.
class GracePeriod {
 public:
  Result<void> wait();

 private:
  Fd outer_, inner_;
};

// A map that is taken from has two sides (MapInfo::twin). Programs read a word of awl_state for each operation and use
// the side it names; the other one is empty. take() changes the word and waits until no program can still use the
// side that was left: what it holds then is final.
class MapSides {
 public:
  MapSides(std::vector<LoadedMap> &maps, SharedState &state) : maps_(maps), state_(state), left_(maps.size()) {}

  // The side that programs have left.
  Result<LoadedMap> take(size_t map);
  // The same again, for a second look at it; nullopt if nothing was taken.
  [[nodiscard]] std::optional<LoadedMap> taken(size_t map) const;
  // Empties it. With `keep_keys` they go on with zeros on the side that is in use. Without effect if nothing was taken:
  // the record that should have shown it was lost, so it stays for the next one.
  Result<void> drop(size_t map, bool keep_keys);

 private:
  [[nodiscard]] LoadedMap other(size_t map) const {
    return {maps_[map].info, maps_[map].other_fd, -1, maps_[map].parts, maps_[map].other_parts_fd, -1};
  }

  std::vector<LoadedMap> &maps_;
  SharedState &state_;
  std::vector<bool> left_;  // by map: the other side holds what was taken
  GracePeriod grace_;
  bool quiet_ = false;  // the run has stopped, and no program of it is running any more
};

}  // namespace awl
