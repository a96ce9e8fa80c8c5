#include "runtime/unwind/unwind_tables.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/symbols/mapping_events.h"
#include "runtime/unwind/process_tables.h"

namespace awl::runtime::unwind {

namespace {

using Clock = std::chrono::steady_clock;

// Without reading processes that were there at the start, behind a question: who asks will soon ask again.
constexpr std::chrono::milliseconds kPause(20);

// Of rows in kernel memory: an eighth of the machine's, but no more than a gigabyte, which is a thousand large
// programs.
size_t most_bytes() {
  constexpr size_t kShare = 8, kMost = size_t{1} << 30;
  const auto pages = static_cast<size_t>(std::max(sysconf(_SC_PHYS_PAGES), 1L));
  return std::min(pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) / kShare, kMost);
}

}  // namespace

struct UnwindTables::Impl {
  Impl(const UnwindMaps &maps, UnwindScope which)
      : scope(std::move(which)), files(maps.files, maps.inodes, most_bytes()), processes(maps.mappings, files) {}
  ~Impl() {
    if (thread.joinable()) {
      stopping = true;
      eventfd_write(wake_fd, 1);
      thread.join();
    }
    if (wake_fd >= 0) close(wake_fd);
  }

  void run();
  void prepare_files();
  void take_events();
  void apply(const MappingEvent &event);
  void read_all();
  void answer();
  void publish(bool all_read);
  [[nodiscard]] bool wanted(uint32_t pid) const {
    return !scope.only_first || scope.children || std::ranges::find(scope.first, pid) != scope.first.end();
  }

  // Of the thread.
  UnwindScope scope;
  FileTables files;
  ProcessTables processes;
  std::unique_ptr<MappingEvents> events;
  std::vector<uint32_t> before;  // processes still to be read, the last first
  Clock::time_point pause_until{};

  int wake_fd = -1;  // there is something to answer, or it is the end
  std::atomic<bool> stopping = false;
  std::thread thread;

  std::mutex mutex;  // for what follows
  std::condition_variable progress;
  std::vector<uint32_t> questions;  // of catch_up()
  uint64_t asked = 0, answered = 0;
  bool ready = false;
  std::vector<LeftOut> left_out;
};

void UnwindTables::Impl::run() {
  // Each moment in which a table is missing cuts stacks. Of the thread only; where it is not allowed, it goes without.
  constexpr int kHighest = -20;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kHighest);
  prepare_files();
  while (!stopping) {
    take_events();
    const bool reads = !before.empty() && Clock::now() >= pause_until;
    if (reads) {
      processes.read(before.back());
      before.pop_back();
    }
    processes.sync();
    answer();
    if (before.empty() && !ready) files.settle();
    publish(before.empty());
    if (reads || events->waiting()) continue;
    pollfd sources[] = {{events->descriptor(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    poll(sources, std::size(sources), before.empty() ? -1 : static_cast<int>(kPause.count()));
    eventfd_t unused = 0;
    if (sources[1].revents != 0) eventfd_read(wake_fd, &unused);
  }
}

void UnwindTables::Impl::prepare_files() {
  constexpr size_t kMost = 64;  // a pattern over all of /usr/bin is not worth it
  std::vector<std::string> todo = scope.files;
  for (size_t i = 0; i < todo.size() && todo.size() <= kMost && !stopping; i++) {
    files.prepare(todo[i]);
    const Result<std::shared_ptr<ElfFile>> elf = ElfFile::open(todo[i]);
    if (!elf) continue;
    for (const std::string &library : (*elf)->needed_libraries())
      if (const Result<std::string> path = resolve_binary(library);
          path && std::ranges::find(todo, *path) == todo.end())
        todo.push_back(*path);
  }
}

// What the kernel has told by now is taken first, since the processes as they are come after it.
void UnwindTables::Impl::answer() {
  std::vector<uint32_t> pids;
  {
    const std::scoped_lock lock(mutex);
    pids.swap(questions);
  }
  if (pids.empty()) return;
  take_events();
  for (const uint32_t pid : pids) processes.read(pid);
  processes.sync();
  files.settle();
  pause_until = Clock::now() + kPause;
  const std::scoped_lock lock(mutex);
  answered += pids.size();
  progress.notify_all();
}

void UnwindTables::Impl::take_events() {
  for (const MappingEvent &event : events->take())
    if (wanted(event.pid)) apply(event);
  if (events->lost()) read_all();
}

void UnwindTables::Impl::apply(const MappingEvent &event) {
  switch (event.kind) {
    case MappingEvent::Kind::Map: processes.map(event.pid, event.mapping); break;
    case MappingEvent::Kind::Fork: processes.fork(event.pid, event.parent); break;
    case MappingEvent::Kind::Exec: processes.exec(event.pid); break;
    case MappingEvent::Kind::Exit: processes.end(event.pid); break;
  }
}

void UnwindTables::Impl::read_all() {
  std::vector<uint32_t> all = all_processes();
  std::erase_if(all, [&](uint32_t pid) { return !wanted(pid); });
  processes.keep({all.begin(), all.end()});
  before = std::move(all);
  // Ours is a large program that nobody asks about.
  const auto own = std::ranges::find(before, static_cast<uint32_t>(getpid()));
  if (own != before.end()) std::rotate(before.begin(), own, own + 1);
}

void UnwindTables::Impl::publish(bool done) {
  std::vector<LeftOut> left = files.take_left_out();
  if (processes.take_lost() > 0) left.push_back({"", "there are too many mappings in all processes together"});
  if (left.empty() && done == ready) return;
  const std::scoped_lock lock(mutex);
  std::ranges::move(left, std::back_inserter(left_out));
  if (done && !ready) progress.notify_all();
  ready = ready || done;
}

UnwindTables::UnwindTables(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UnwindTables::~UnwindTables() = default;

Result<std::unique_ptr<UnwindTables>> UnwindTables::start(const UnwindMaps &maps, UnwindScope scope) {
#if !defined(__x86_64__)
  return fail("stacks without frame pointers can be walked on x86-64 only");
#endif
  auto impl = std::make_unique<Impl>(maps, std::move(scope));
  impl->events = TRY(MappingEvents::open(MappingEvents::Wake::AtOnce));
  impl->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl->wake_fd < 0) return fail_errno("eventfd");
  impl->read_all();
  for (const uint32_t pid : impl->scope.first) {
    std::erase(impl->before, pid);
    impl->before.push_back(pid);
  }
  // Signals are the main thread's.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  impl->thread = std::thread([self = impl.get()] { self->run(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return std::unique_ptr<UnwindTables>(new UnwindTables(std::move(impl)));
}

bool UnwindTables::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(impl_->mutex);
  return impl_->progress.wait_for(lock, limit, [&] { return impl_->ready; });
}

bool UnwindTables::catch_up(uint32_t pid, std::chrono::milliseconds limit, const std::function<bool()> &unwanted) {
  constexpr std::chrono::milliseconds kTurn(100);
  std::unique_lock lock(impl_->mutex);
  impl_->questions.push_back(pid);
  const uint64_t mine = ++impl_->asked;
  eventfd_write(impl_->wake_fd, 1);
  const auto answered = [&] { return impl_->answered >= mine; };
  for (auto end = Clock::now() + limit; Clock::now() < end && !unwanted();)
    if (impl_->progress.wait_for(lock, kTurn, answered)) return true;
  return false;
}

std::vector<LeftOut> UnwindTables::left_out() {
  const std::scoped_lock lock(impl_->mutex);
  return std::exchange(impl_->left_out, {});
}

}  // namespace awl::runtime::unwind
