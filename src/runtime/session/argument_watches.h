// watchpoint:FUNCTION+argN: when the function is entered, its argument is an address that is watched from then on. A
// program at the entry tells of addresses that are new and stops the process (SIGSTOP), unless the script prefers
// asyncwatchpoint; user space sets a debug register and lets it go on.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/fd.h"
#include "base/result.h"
#include "runtime/probes/provider.h"

struct ring_buffer;

namespace awl {

// What is set once the address is known.
struct ArgumentWatch {
  const Provider *provider = nullptr;
  AttachPlace entry;       // of the function
  AttachOptions watching;  // of the script's program; pid: the process
  Span span;               // of the probe
  std::string text;        // of the probe
};

class ArgumentWatches {
 public:
  static Result<std::unique_ptr<ArgumentWatches>> make();
  ~ArgumentWatches();
  ArgumentWatches(const ArgumentWatches &) = delete;
  ArgumentWatches &operator=(const ArgumentWatches &) = delete;

  // Attaches to the function's entry.
  Result<void> add(ArgumentWatch watch);
  // Readable when there are new addresses.
  [[nodiscard]] int descriptor() const;

  struct Set {
    uint64_t address = 0;
    Attachment attachment;
  };
  // Watches the new addresses. The warnings are of those that cannot be watched.
  std::vector<Set> take(Diagnostics &diagnostics);
  // The address is watched no more: the next call with it watches it again.
  void forget(uint64_t address);
  // Takes the programs at the entries away, lets the process go on, and warns of calls that found no register free.
  // Waits for the kernel.
  void end(Diagnostics &diagnostics);

 private:
  struct Record {
    uint64_t address, watch;
  };
  ArgumentWatches() = default;
  static int on_record(void *self, void *data, size_t size);
  void set_full(bool full);
  void watch(const Record &record, std::vector<Set> &done, Diagnostics &diagnostics);
  void let_go_on(const ArgumentWatch &watch) const;

  Fd known_, state_, records_;  // maps
  ring_buffer *ring_ = nullptr;
  std::deque<ArgumentWatch> watches_;
  std::vector<Attachment> entries_;
  std::vector<Record> new_;
  bool ended_ = false;
};

}  // namespace awl
