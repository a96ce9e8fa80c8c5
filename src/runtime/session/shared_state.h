// The words that programs and runtime share: `awl_state` of the object, mapped.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "runtime/image/manifest.h"

namespace awl {

// A word of awl_state, for a program beside those of the script.
struct StatePlace {
  int map = -1;         // descriptor of the .bss map
  uint32_t offset = 0;  // bytes
};

class SharedState {
 public:
  SharedState() = default;
  // Maps the .bss map: `words` uint64 at `offset` bytes of its `size` bytes.
  static Result<SharedState> map(int map_fd, uint32_t size, uint32_t offset, uint32_t words);
  SharedState(SharedState &&other) noexcept { *this = std::move(other); }
  SharedState &operator=(SharedState &&other) noexcept;
  ~SharedState();

  [[nodiscard]] uint64_t load(uint32_t word) const { return __atomic_load_n(&words_[word], __ATOMIC_ACQUIRE); }
  void store(uint32_t word, uint64_t value) { __atomic_store_n(&words_[word], value, __ATOMIC_SEQ_CST); }

  [[nodiscard]] RunState run() const { return static_cast<RunState>(load(kStateRun)); }
  void stop() { store(kStateRun, static_cast<uint64_t>(RunState::Stopped)); }
  // Starting -> Running; false if a program has stopped the run already.
  bool start();

  [[nodiscard]] uint32_t size() const { return count_; }

 private:
  void *base_ = nullptr;
  size_t bytes_ = 0;
  uint64_t *words_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace awl
