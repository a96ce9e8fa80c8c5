// What the kernel tells about all processes while it happens: mappings of code, fork, exec, exit (the side-band records
// of perf_event_open(2)); for this folder and the unwinder.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/symbols/process_maps.h"

namespace awl {

struct MappingEvent {
  enum class Kind : uint8_t { Map, Fork, Exec, Exit };
  Kind kind = Kind::Map;
  uint64_t time = 0;   // CLOCK_MONOTONIC, nanoseconds
  uint64_t order = 0;  // in which they were read: that of a CPU's events of one time
  uint32_t pid = 0;
  uint32_t parent = 0;  // Fork
  Mapping mapping;      // Map
};

class MappingEvents {
 public:
  enum class Wake : uint8_t { WhenMuch, AtOnce };  // when the descriptor becomes readable: much is waiting, anything is
  // Errors: not allowed, no perf events in this kernel. Needs Linux 3.16 (exec told from a new name).
  static Result<std::unique_ptr<MappingEvents>> open(Wake wake = Wake::WhenMuch);
  ~MappingEvents();
  MappingEvents(const MappingEvents &) = delete;
  MappingEvents &operator=(const MappingEvents &) = delete;

  // For poll(2); edge-triggered by nature: take() all.
  [[nodiscard]] int descriptor() const { return epoll_; }
  // Everything that happened before the call and was not taken yet, in order.
  std::vector<MappingEvent> take();
  // Something was read that take() will give only when it is called again.
  [[nodiscard]] bool waiting() const { return !waiting_.empty(); }
  // Records were dropped because nobody took them in time; reset by the call.
  bool lost();

 private:
  struct Buffer {
    int fd = -1;
    void *base = nullptr;
    size_t size = 0;  // with the page of positions
  };

  MappingEvents() = default;
  Result<void> open_cpu(int cpu, Wake wake);
  void read(Buffer &buffer);
  void parse(uint32_t type, uint16_t flags, std::span<const char> body);

  std::vector<Buffer> buffers_;
  int epoll_ = -1;
  bool lost_ = false;
  uint64_t read_ = 0;                  // events so far
  std::vector<MappingEvent> waiting_;  // later than the last take()
};

// The body of a record behind its header; false if it is none that is wanted or is cut off.
bool parse_mapping_event(uint32_t type, uint16_t flags, std::span<const char> body, MappingEvent &event);

}  // namespace awl
