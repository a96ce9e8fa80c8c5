// Waits for records and for whatever ends a run.
#pragma once

#include <functional>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "runtime/session/actions.h"
#include "runtime/session/losses.h"
#include "runtime/session/shared_state.h"
#include "runtime/symbols/symbols.h"

struct ring_buffer;

namespace awl {

// Why a run ended.
// UserSignal: no end, SIGUSR1 came and the caller goes on with run() afterwards.
enum class RunEnd : uint8_t { Exit, Signal, ProcessEnded, ChildEnded, OutputGone, UserSignal };

class EventLoop {
 public:
  EventLoop(SharedState &state, Actions &actions, Losses &losses, UserSymbols &symbols, Output &output)
      : state_(state), actions_(actions), losses_(losses), symbols_(symbols), output_(output) {}
  ~EventLoop();
  EventLoop(const EventLoop &) = delete;
  EventLoop &operator=(const EventLoop &) = delete;

  // `ring_fd` -1: the script sends no records. Descriptors that are -1 are not watched.
  struct Watched {
    int ring = -1;
    int signals = -1;
    int user_signals = -1;
    std::vector<int> processes;  // -p, each readable when it has ended: the last one ends the run
    int child = -1;              // -c
    int output = -1;             // hang-up ends the run
  };
  Result<void> open(const Watched &watched);

  // `act` is called by run() whenever the descriptor can be read.
  Result<void> watch_also(int fd, std::function<void()> act);

  RunEnd run();
  // Handles what is in the ring buffer now, in batches as long as there is more, and waits some milliseconds for what
  // is being written; not beyond exit().
  void drain();
  // Drops what is in the ring buffer now.
  void discard();

 private:
  // A bounded number of records, in bounded time; how many there were. `cut_`: there may be more.
  size_t pass();
  // Records are there, or are being written.
  [[nodiscard]] bool pending() const;
  static int on_record(void *self, void *data, size_t size);
  void watch(int fd, uint32_t events, RunEnd end);
  // nullopt: go on.
  std::optional<RunEnd> wait(int timeout_ms, bool &woken_by_ring);
  void look_at_losses();

  SharedState &state_;
  Actions &actions_;
  Losses &losses_;
  UserSymbols &symbols_;
  Output &output_;
  std::function<void()> act_;
  ring_buffer *ring_ = nullptr;
  int ring_fd_ = -1;
  Fd epoll_;
  size_t in_pass_ = 0;
  int64_t pass_ends_ = 0;
  bool cut_ = false;
  size_t processes_ = 0;  // that have not ended
  bool dropping_ = false;
  int64_t next_look_ns_ = 0;
};

}  // namespace awl
