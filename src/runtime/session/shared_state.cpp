#include "runtime/session/shared_state.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace awl {

Result<SharedState> SharedState::map(int map_fd, uint32_t size, uint32_t offset, uint32_t words) {
  if (offset % sizeof(uint64_t) != 0 || offset + words * sizeof(uint64_t) > size)
    return fail("awl_state does not fit its map");
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  SharedState state;
  state.bytes_ = (size + page - 1) / page * page;
  void *base = mmap(nullptr, state.bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (base == MAP_FAILED) return fail_errno("map awl_state");
  state.base_ = base;
  state.words_ = reinterpret_cast<uint64_t *>(static_cast<char *>(base) + offset);
  state.count_ = words;
  return state;
}

SharedState &SharedState::operator=(SharedState &&other) noexcept {
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(words_, other.words_);
  std::swap(count_, other.count_);
  return *this;
}

SharedState::~SharedState() {
  if (base_) munmap(base_, bytes_);
}

bool SharedState::start() {
  auto expected = static_cast<uint64_t>(RunState::Starting);
  return __atomic_compare_exchange_n(&words_[kStateRun], &expected, static_cast<uint64_t>(RunState::Running), false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

}  // namespace awl
