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
  // That of the stacks that awl walked itself, -1 if there is none.
  void add_walked(int fd) { walked_fd_ = fd; }
  std::vector<uint64_t> frames(const Type *type, int32_t id) override;

 private:
  [[nodiscard]] std::vector<uint64_t> walked_frames(uint32_t key) const;
  int walked_fd_ = -1;
  std::vector<LoadedMap> maps_;
};

// True if names of user code are among what the programs print or keep in maps.
bool shows_user_symbols(const Manifest &manifest);

}  // namespace awl
