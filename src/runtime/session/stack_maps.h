// Frames of stacks, looked up in the stack maps of the programs.
#pragma once

#include <vector>

#include "runtime/maps/map_reader.h"
#include "runtime/output/value.h"

namespace awl {

class StackMaps : public StackSource {
 public:
  // Those of the maps that hold stacks.
  void add(const std::vector<LoadedMap> &maps);
  std::vector<uint64_t> frames(const Type *type, int32_t id) override;

 private:
  std::vector<LoadedMap> maps_;
};

// True if names of user code are among what the programs print or keep in maps.
bool shows_user_symbols(const Manifest &manifest);

}  // namespace awl
