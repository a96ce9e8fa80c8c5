// What the walk in BPF (walk.bpf.cc) calls in the kernel; compiled for BPF only.
#pragma once

#include <linux/bpf.h>
#include <stdint.h>

namespace awl::runtime::unwind {

// A helper of the kernel, by number.
template <class Function>
Function helper(uint64_t number) {
  return reinterpret_cast<Function>(number);
}
static inline void *lookup(void *map, const void *key) {
  return helper<void *(*)(void *, const void *)>(BPF_FUNC_map_lookup_elem)(map, key);
}
static inline int64_t insert(void *map, const void *key, const void *value) {
  return helper<int64_t (*)(void *, const void *, const void *, uint64_t)>(BPF_FUNC_map_update_elem)(map, key, value,
                                                                                                     BPF_NOEXIST);
}
static inline bool read_kernel(void *to, uint32_t bytes, uint64_t address) {
  return helper<int64_t (*)(void *, uint32_t, uint64_t)>(BPF_FUNC_probe_read_kernel)(to, bytes, address) == 0;
}
static inline bool read_kernel(uint64_t *to, uint64_t address) { return read_kernel(to, sizeof(*to), address); }
static inline bool read_user(void *to, uint32_t bytes, uint64_t address) {
  return helper<int64_t (*)(void *, uint32_t, uint64_t)>(BPF_FUNC_probe_read_user)(to, bytes, address) == 0;
}

struct task_struct;
static inline task_struct *current_task() { return helper<task_struct *(*)()>(BPF_FUNC_get_current_task_btf)(); }

constexpr int page_bits = 12;

// The same number, about which the compiler knows nothing. It would leave out the masks by which the verifier sees that
// an index is inside, and make a branch of what is computed to have none: the verifier follows each to its end.
static inline uint64_t opaque(uint64_t value) {
  asm volatile("" : "+r"(value));
  return value;
}

}  // namespace awl::runtime::unwind
