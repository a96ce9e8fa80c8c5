#include "base/file_mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace awl {

// One mapping, as the signal's handler knows it. A range stays in the list for ever and is used again by a later
// mapping, so that the handler walks the list without a lock.
struct MappedRange {
  std::atomic<uintptr_t> begin = 0, end = 0;
  MappedRange *next = nullptr;
};

namespace {

std::atomic<MappedRange *> ranges = nullptr;
std::mutex changing;  // of the list, by threads; the handler does not take it
std::vector<MappedRange *> unused;
uintptr_t page_size = 0;  // 0: the handler is not in place
struct sigaction old_action;

bool is_mapped(uintptr_t address) {
  for (const MappedRange *range = ranges.load(); range; range = range->next)
    if (address >= range->begin.load() && address < range->end.load()) return true;
  return false;
}

// mmap() is no more than its system call, which makes it safe here.
void on_bus_error(int, siginfo_t *info, void *) {
  const int saved = errno;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  void *page = static_cast<char *>(info->si_addr) - address % page_size;
  if (info->si_code != BUS_ADRERR || !is_mapped(address) ||
      mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
    sigaction(SIGBUS, &old_action, nullptr);  // the access is tried again and ends as it would have
  errno = saved;
}

void handle_bus_errors() {
  if (page_size != 0) return;
  page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &old_action);
}

MappedRange *enter(const void *begin, size_t size) {
  const std::lock_guard lock(changing);
  handle_bus_errors();
  MappedRange *range = nullptr;
  if (unused.empty()) {
    range = new MappedRange;
    range->next = ranges.load();
    ranges.store(range);
  } else {
    range = unused.back();
    unused.pop_back();
  }
  range->begin = reinterpret_cast<uintptr_t>(begin);
  range->end = reinterpret_cast<uintptr_t>(begin) + size;
  return range;
}

void leave(MappedRange *range) {
  const std::lock_guard lock(changing);
  range->end = 0;
  unused.push_back(range);
}

}  // namespace

Result<FileMapping> FileMapping::map(int fd, size_t size) {
  void *memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return fail_errno("map a file");
  FileMapping out;
  out.data_ = static_cast<char *>(memory);
  out.size_ = size;
  out.range_ = enter(memory, size);
  return out;
}

FileMapping &FileMapping::operator=(FileMapping &&other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(range_, other.range_);
  return *this;
}

FileMapping::~FileMapping() {
  if (!data_) return;
  leave(range_);
  munmap(data_, size_);
}

}  // namespace awl
