// The BPF maps of the unwinder (tables.h), filled and kept up to date with what processes map.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace awl::runtime::unwind {

// Which processes are entered.
struct UnwindScope {
  std::vector<uint32_t> first;  // -p, -c: before all others
  bool only_first = false;      // no others
  bool children = false;        // with only_first: also what these start (--follow); all are entered then
  // Files that processes will map which are not there yet: those that probes are in. What these are linked to is read
  // as well.
  std::vector<std::string> files = {};
};

// A file whose code is left to frame pointers.
struct LeftOut {
  std::string path;
  std::string reason;
};

// The maps of tables.h: descriptors, not owned.
struct UnwindMaps {
  int mappings = -1;  // awl_unwind_maps
  int files = -1;     // awl_unwind_files
  int inodes = -1;    // awl_unwind_inodes
};

// A thread of its own reads the files and enters the mappings: the processes that are there at the start, then what the
// kernel tells of new ones. Entries of processes that have ended are taken away.
class UnwindTables {
 public:
  // `maps`: open for as long as this lives. Errors: the kernel has no perf events to tell of processes.
  static Result<std::unique_ptr<UnwindTables>> start(const UnwindMaps &maps, UnwindScope scope);
  ~UnwindTables();
  UnwindTables(const UnwindTables &) = delete;
  UnwindTables &operator=(const UnwindTables &) = delete;

  // Waits until everything is entered that was there at the start; false if it takes longer than `limit`.
  bool wait(std::chrono::milliseconds limit);
  // Waits until everything is entered that the process maps at the time of the call; false if it takes longer or is
  // not wanted any more.
  bool catch_up(uint32_t pid, std::chrono::milliseconds limit, const std::function<bool()> &unwanted);
  // What was left out since the last call.
  std::vector<LeftOut> left_out();

 private:
  struct Impl;
  explicit UnwindTables(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace awl::runtime::unwind
