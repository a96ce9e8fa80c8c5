#include "runtime/session/event_loop.h"

#include <bpf/libbpf.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "runtime/session/signals.h"

// How the reader sleeps. Programs send records without waking anybody (a wake-up costs the traced process 1-2 us)
// unless the reader has said that it is going to sleep:
//
//   reader:  NeedWakeup = 1; handle what is there; epoll_wait
//   program: NeedWakeup ? (NeedWakeup = 0, submit with BPF_RB_FORCE_WAKEUP) : submit with BPF_RB_NO_WAKEUP
//
// A program that reads the word just before the reader sets it submits without waking, perhaps after the reader's last
// look. So the first sleep after arming is short, and a second look follows; only then comes the long one. After a
// wake-up the reader rests a little before it arms again, so that a stream of events costs one wake-up for many of
// them.

namespace awl {
namespace {

constexpr size_t kPass = 16384;          // records between two looks at signals and at what else ends a run,
constexpr int64_t kPassNs = 50'000'000;  // and the time: some take long, clear() waits for all programs
constexpr size_t kBusy = 1024;           // records in a pass that mean: more are coming, do not sleep
constexpr int kShortSleepMs = 2;         // closes the gap described above
constexpr int kLongSleepMs = 1000;
constexpr int kWatchSleepMs = 100;  // instead, while symbols of processes that may end soon are kept
constexpr long kRestNs = 200'000;
constexpr int kLooks = 50;                  // for records that are being written, a rest between two
constexpr int64_t kLookNs = 1'000'000'000;  // between looks at the counters of losses

constexpr uint64_t kRingTag = 1000, kSymbolsTag = 1001;  // beyond the values of RunEnd
constexpr uint64_t kBackgroundTag = 1002, kOtherTag = 1003;

void rest_a_little() {
  const timespec pause = {0, kRestNs};
  nanosleep(&pause, nullptr);
}

}  // namespace

EventLoop::~EventLoop() {
  if (ring_) ring_buffer__free(ring_);
}

Result<void> EventLoop::open(const Watched &watched) {
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return fail_errno("epoll_create1");
  if (watched.ring >= 0) {
    ring_ = ring_buffer__new(watched.ring, &EventLoop::on_record, this, nullptr);
    if (!ring_) return fail_errno("map the ring buffer");
    ring_fd_ = watched.ring;
    // Edge-triggered: a record that is being written counts as readable and would keep the reader spinning.
    epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = kRingTag}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watched.ring, &event) != 0) return fail_errno("watch the ring buffer");
  }
  if (symbols_.descriptor() >= 0) {
    epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = kSymbolsTag}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, symbols_.descriptor(), &event);  // else they are looked at when it wakes
  }
  epoll_event background = {.events = EPOLLIN, .data = {.u64 = kBackgroundTag}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, actions_.background(), &background);
  watch(watched.signals, EPOLLIN, RunEnd::Signal);
  watch(watched.user_signals, EPOLLIN, RunEnd::UserSignal);
  // Told of once each.
  for (const int process : watched.processes) watch(process, EPOLLIN | EPOLLONESHOT, RunEnd::ProcessEnded);
  processes_ = watched.processes.size();
  watch(watched.child, EPOLLIN, RunEnd::ChildEnded);
  watch(watched.output, 0, RunEnd::OutputGone);  // EPOLLERR and EPOLLHUP come unasked
  return {};
}

void EventLoop::watch(int fd, uint32_t events, RunEnd end) {
  if (fd < 0) return;
  epoll_event event = {.events = events, .data = {.u64 = static_cast<uint64_t>(end)}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);  // fails for files, which do not hang up
}

Result<void> EventLoop::watch_also(int fd, std::function<void()> act) {
  act_ = std::move(act);
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kOtherTag}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno("watch a descriptor");
  return {};
}

int EventLoop::on_record(void *self, void *data, size_t size) {
  auto *loop = static_cast<EventLoop *>(self);
  if (!loop->dropping_) loop->actions_.handle({static_cast<const std::byte *>(data), size});
  loop->cut_ = ++loop->in_pass_ >= kPass || clock_ns(CLOCK_MONOTONIC_COARSE) >= loop->pass_ends_;
  return loop->cut_ ? -EAGAIN : 0;  // the record is consumed either way
}

size_t EventLoop::pass() {
  in_pass_ = 0;
  cut_ = false;
  pass_ends_ = clock_ns(CLOCK_MONOTONIC_COARSE) + kPassNs;
  if (ring_) ring_buffer__consume(ring_);
  if (in_pass_ > 0) output_.end_of_batch();
  return in_pass_;
}

// The kernel calls the buffer readable also while its first record is being written, which keeps back those behind it.
bool EventLoop::pending() const {
  pollfd ring = {.fd = ring_fd_, .events = POLLIN, .revents = 0};
  return ring_fd_ >= 0 && poll(&ring, 1, 0) == 1;
}

void EventLoop::drain() {
  for (int looks = 0; looks < kLooks; looks++) {
    do {
      pass();
    } while (cut_ && !actions_.exiting());
    if (actions_.exiting() || !pending()) break;
    rest_a_little();
  }
  actions_.pass_on_background();
}

void EventLoop::discard() {
  dropping_ = true;
  do {
    pass();
  } while (cut_);
  dropping_ = false;
}

std::optional<RunEnd> EventLoop::wait(int timeout_ms, bool &woken_by_ring) {
  epoll_event events[8];
  const int count = epoll_wait(epoll_.get(), events, 8, timeout_ms);
  std::optional<RunEnd> end;
  for (int i = 0; i < count; i++) {
    if (events[i].data.u64 == kRingTag)
      woken_by_ring = true;
    else if (events[i].data.u64 == kBackgroundTag)
      actions_.pass_on_background();
    else if (events[i].data.u64 == kOtherTag)
      act_();
    else if (events[i].data.u64 == static_cast<uint64_t>(RunEnd::ProcessEnded) && --processes_ > 0)
      continue;
    else if (events[i].data.u64 != kSymbolsTag && (!end || *end == RunEnd::UserSignal))  // what ends the run goes first
      end = static_cast<RunEnd>(events[i].data.u64);
  }
  return end;
}

void EventLoop::look_at_losses() {
  const int64_t now = clock_ns(CLOCK_MONOTONIC_COARSE);
  if (now < next_look_ns_) return;
  next_look_ns_ = now + kLookNs;
  losses_.look(state_);
}

RunEnd EventLoop::run() {
  bool rest = false;
  while (true) {
    // Records first, whatever else has happened: what was sent before the end belongs to the run.
    size_t most = 0;
    bool hurry = false;  // more to be learnt of processes
    do {
      hurry = symbols_.update();
      most = pass();
      if (actions_.exiting()) return RunEnd::Exit;
      if (output_.broken()) return RunEnd::OutputGone;
      if (Signals::stop_requested()) return RunEnd::Signal;
      look_at_losses();
    } while (most > kBusy);
    // exit() whose record found no room in the ring buffer.
    if (most == 0 && state_.run() == RunState::Stopped && pass() == 0 && !pending()) return RunEnd::Exit;

    if (rest) {
      rest_a_little();
      rest = false;
    }
    state_.store(kStateNeedWakeup, 1);
    if (pass() > 0) {
      rest = true;
      if (actions_.exiting()) continue;
    }
    if (const auto end = wait(kShortSleepMs, rest)) return *end;
    if (rest) continue;
    if (pass() > 0) {
      rest = true;
      continue;
    }
    if (hurry) continue;
    if (const auto end = wait(symbols_.descriptor() >= 0 ? kWatchSleepMs : kLongSleepMs, rest)) return *end;
  }
}

}  // namespace awl
