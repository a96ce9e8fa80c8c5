#include "runtime/symbols/mapping_events.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/strings.h"

namespace awl {

namespace {

constexpr size_t kDataPages = 64;               // for each CPU: some hundred starts of programs
constexpr uint32_t kWakeAt = 64 * 1024;         // bytes
constexpr uint32_t kExecutable = 4;             // PROT_EXEC
constexpr std::string_view kNoFile = "//anon";  // what perf calls memory without a file

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

template <class T>
T load(std::span<const char> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

// {u32 pid, tid; u64 address, length, offset; u32 major, minor; u64 inode, generation; u32 protection, flags; char
// path[]}
constexpr size_t kMapPath = 64;

bool parse_map(std::span<const char> body, MappingEvent &event) {
  if (body.size() <= kMapPath || (load<uint32_t>(body, 56) & kExecutable) == 0) return false;
  Mapping &mapping = event.mapping;
  mapping.start = load<uint64_t>(body, 8);
  mapping.end = mapping.start + load<uint64_t>(body, 16);
  mapping.offset = load<uint64_t>(body, 24);
  mapping.device = fmt::format("{:02x}:{:02x}", load<uint32_t>(body, 32), load<uint32_t>(body, 36));
  mapping.inode = load<uint64_t>(body, 40);
  mapping.generation = load<uint64_t>(body, 48);
  mapping.executable = true;
  std::string_view path(body.data() + kMapPath, body.size() - kMapPath);
  mapping.path = clean_path(path.substr(0, path.find('\0')));
  if (mapping.path == kNoFile) mapping.path.clear();
  return mapping.end > mapping.start;
}

}  // namespace

bool parse_mapping_event(uint32_t type, uint16_t flags, std::span<const char> body, MappingEvent &event) {
  // Each record ends with the time, which the attributes ask for.
  if (body.size() < 24) return false;
  event.time = load<uint64_t>(body, body.size() - 8);
  body = body.first(body.size() - 8);
  event.pid = load<uint32_t>(body, 0);
  switch (type) {
    case PERF_RECORD_MMAP2: event.kind = MappingEvent::Kind::Map; return parse_map(body, event);
    case PERF_RECORD_COMM: event.kind = MappingEvent::Kind::Exec; return (flags & PERF_RECORD_MISC_COMM_EXEC) != 0;
    case PERF_RECORD_FORK:  // {u32 pid, parent pid, tid, parent tid}: also of threads
      event.kind = MappingEvent::Kind::Fork;
      event.parent = load<uint32_t>(body, 4);
      return event.pid != event.parent;
    case PERF_RECORD_EXIT: event.kind = MappingEvent::Kind::Exit; return event.pid == load<uint32_t>(body, 8);
    default: return false;
  }
}

Result<std::unique_ptr<MappingEvents>> MappingEvents::open(Wake wake) {
  std::unique_ptr<MappingEvents> events(new MappingEvents());
  events->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (events->epoll_ < 0) return fail_errno("epoll_create1");
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  for (int cpu = 0; cpu < cpus; cpu++) TRY(events->open_cpu(cpu, wake));
  return events;
}

Result<void> MappingEvents::open_cpu(int cpu, Wake wake) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.sample_type = PERF_SAMPLE_TIME;
  attr.sample_id_all = 1;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 1;
  attr.exclude_kernel = 1;
  attr.watermark = 1;
  attr.wakeup_watermark = wake == Wake::AtOnce ? 1 : kWakeAt;
  const long fd = syscall(__NR_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0 && errno == ENODEV) return {};  // this CPU is switched off
  if (fd < 0) return fail_errno("perf_event_open");
  Buffer buffer;
  buffer.fd = static_cast<int>(fd);
  buffer.size = (kDataPages + 1) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  buffer.base = mmap(nullptr, buffer.size, PROT_READ | PROT_WRITE, MAP_SHARED, buffer.fd, 0);
  if (buffer.base == MAP_FAILED) {
    const int error = errno;
    ::close(buffer.fd);
    return fail_errno("map the records of processes", error);
  }
  buffers_.push_back(buffer);
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 0}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, buffer.fd, &event);
  return {};
}

MappingEvents::~MappingEvents() {
  for (const Buffer &buffer : buffers_) {
    munmap(buffer.base, buffer.size);
    ::close(buffer.fd);
  }
  if (epoll_ >= 0) ::close(epoll_);
}

bool MappingEvents::lost() { return std::exchange(lost_, false); }

void MappingEvents::parse(uint32_t type, uint16_t flags, std::span<const char> body) {
  MappingEvent event;
  if (type == PERF_RECORD_LOST) {
    lost_ = true;
  } else if (parse_mapping_event(type, flags, body, event)) {
    event.order = read_++;
    waiting_.push_back(std::move(event));
  }
}

void MappingEvents::read(Buffer &buffer) {
  auto *page = static_cast<perf_event_mmap_page *>(buffer.base);
  const uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
  uint64_t tail = page->data_tail;
  if (head == tail) return;
  const char *data = static_cast<const char *>(buffer.base) + page->data_offset;
  const uint64_t size = page->data_size;
  std::string wrapped;
  while (tail < head) {
    // Headers are aligned to 8 bytes, so they do not wrap.
    perf_event_header header;
    std::memcpy(&header, data + tail % size, sizeof(header));
    if (header.size < sizeof(header) || header.size > head - tail) break;
    const uint64_t at = tail % size, before_end = std::min<uint64_t>(header.size, size - at);
    std::span<const char> record(data + at, header.size);
    if (before_end < header.size) {
      wrapped.assign(data + at, before_end);
      wrapped.append(data, header.size - before_end);
      record = wrapped;
    }
    parse(header.type, header.misc, record.subspan(sizeof(header)));
    tail += header.size;
  }
  __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

// A process moves between CPUs, each with a buffer of its own: what one CPU told after the others were read must wait
// for what those told in the meantime.
std::vector<MappingEvent> MappingEvents::take() {
  const uint64_t until = now_ns();
  for (Buffer &buffer : buffers_) read(buffer);
  if (waiting_.empty()) return {};
  std::ranges::sort(waiting_, {}, [](const MappingEvent &event) { return std::pair(event.time, event.order); });
  auto later = std::ranges::lower_bound(waiting_, until, {}, &MappingEvent::time);
  std::vector<MappingEvent> out(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(later));
  waiting_.erase(waiting_.begin(), later);
  return out;
}

}  // namespace awl
