#include "runtime/session/map_sides.h"

#include <bpf/bpf.h>

#include <utility>

namespace awl {

// An update of a map of maps returns when no program can use the map that was there before (since Linux 4.14, for this
// purpose: commit 1ae80cf31938). Non-sleepable programs run inside RCU read sections, and awl makes no others.
Result<void> GracePeriod::wait() {
  if (!inner_) inner_ = Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, "awl_inner", 4, 8, 1, nullptr));
  if (!inner_) return fail_errno("make a map");
  if (!outer_) {
    bpf_map_create_opts options{};
    options.sz = sizeof(options);
    options.inner_map_fd = static_cast<uint32_t>(inner_.get());
    outer_ = Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "awl_outer", 4, 4, 1, &options));
  }
  if (!outer_) return fail_errno("make a map of maps");
  const uint32_t zero = 0;
  const int inner = inner_.get();
  if (bpf_map_update_elem(outer_.get(), &zero, &inner, BPF_ANY) < 0) return fail_errno("wait for programs");
  return {};
}

Result<LoadedMap> MapSides::take(size_t map) {
  // What was shown and not cleared since, because that record was lost, must not be seen again.
  if (left_[map]) TRY(drop(map, false));
  const uint32_t word = maps_[map].info->side_word;
  std::swap(maps_[map].fd, maps_[map].other_fd);
  std::swap(maps_[map].parts_fd, maps_[map].other_parts_fd);
  state_.store(word, state_.load(word) ^ 1);
  left_[map] = true;
  // Once the run has stopped and the programs of that time have ended, none is left that could still use it: what waits
  // in the buffer is then worked off without the milliseconds of a wait each.
  const bool stopped = state_.run() == RunState::Stopped;
  if (!stopped || !quiet_) TRY(grace_.wait());
  quiet_ = stopped;
  return other(map);
}

std::optional<LoadedMap> MapSides::taken(size_t map) const {
  if (!left_[map]) return std::nullopt;
  return other(map);
}

Result<void> MapSides::drop(size_t map, bool keep_keys) {
  if (!left_[map]) return {};
  if (keep_keys) TRY(copy_keys(other(map), maps_[map]));
  TRY(clear_map(other(map)));
  left_[map] = false;
  return {};
}

}  // namespace awl
