#include "runtime/symbols/address_spaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "runtime/symbols/zip_archive.h"

// Stacks are shown when they are printed, often at the end of a run, and by then many of their processes have ended. So
// the kernel is asked to tell of every mapping of code as it is made, and what it told is kept: some hundred bytes for
// a process, files that several of them map are shared. Processes that were there before are read from /proc, a few at
// a time, so that the start does not wait for it.

namespace awl {

namespace {

using Clock = std::chrono::steady_clock;
// How long a process' mappings, and the file behind a name, are believed where nobody tells of changes.
constexpr auto kAge = std::chrono::seconds(1);
constexpr auto kCatchUp = std::chrono::milliseconds(3);
constexpr size_t kGenerations = 4;
constexpr size_t kEnded = 16384;  // processes that are remembered after their end
constexpr size_t kFiles = 16384;  // from here on files that are mapped no more are looked for
// Files held open for the case that their last process ends: a container's are out of reach then.
constexpr size_t kHeldOpen = 8192;

bool same_space(const AddressSpace &old, const AddressSpace &now) {
  return std::ranges::equal(old, now, [](const MappedRange &a, const MappedRange &b) {
    return a.start == b.start && a.end == b.end && a.offset == b.offset && a.file->inode == b.file->inode &&
           a.file->path == b.file->path;
  });
}

void push_generation(ProcessMemory &process, std::shared_ptr<AddressSpace> space) {
  process.generations.push_front(std::move(space));
  if (process.generations.size() > kGenerations) process.generations.pop_back();
}

// Puts a range over what was there.
void place(AddressSpace &space, MappedRange range) {
  AddressSpace out;
  out.reserve(space.size() + 1);
  for (const MappedRange &old : space) {
    if (old.start < range.start) {
      out.push_back(old);
      out.back().end = std::min(old.end, range.start);
    }
    if (old.end > range.end) {
      out.push_back(old);
      MappedRange &rest = out.back();
      rest.start = std::max(old.start, range.end);
      rest.offset = old.offset + (rest.start - old.start);
    }
  }
  auto at = std::ranges::lower_bound(out, range.start, {}, &MappedRange::start);
  out.insert(at, std::move(range));
  space = std::move(out);
}

bool overlaps(const AddressSpace &space, const Mapping &mapping) {
  return std::ranges::any_of(
      space, [&](const MappedRange &range) { return range.start < mapping.end && mapping.start < range.end; });
}

bool same_content(const struct stat &a, const struct stat &b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// True for code in memory that stands for no program: anonymous, shared, or a file that never had a name.
bool is_memory(const Mapping &mapping) {
  constexpr std::string_view kNames[] = {"/dev/zero", "/memfd:", "/SYSV", "/anon_hugepage", "[anon:"};
  if (mapping.path.empty()) return mapping.inode == 0;
  return std::ranges::any_of(kNames, [&](std::string_view name) { return mapping.path.starts_with(name); });
}

// The process' pid as itself sees it.
std::string inner_pid(uint32_t pid) {
  if (Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid))) {
    for (const std::string &line : split(*status, '\n'))
      if (line.starts_with("NSpid:")) return line.substr(line.find_last_of("\t ") + 1);
  }
  return std::to_string(pid);
}

int open_folders = 0;

}  // namespace

std::shared_ptr<OpenFolder> OpenFolder::of_names(uint32_t pid) {
  constexpr int kMost = 128;
  const std::string root = process_root(static_cast<int>(pid));
  if (root.empty() || open_folders >= kMost) return nullptr;
  const int fd = ::open((root + "/tmp").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? nullptr : std::shared_ptr<OpenFolder>(new OpenFolder(fd));
}

OpenFolder::OpenFolder(int fd) : fd_(fd) { open_folders++; }
OpenFolder::~OpenFolder() {
  open_folders--;
  close(fd_);
}

std::string OpenFolder::path() const { return fmt::format("/proc/self/fd/{}", fd_); }

JitSymbols &jit_symbols(uint32_t pid, ProcessMemory &process) {
  if (process.jit) return *process.jit;
  const std::string inner = process.inner_pid.empty() ? inner_pid(pid) : process.inner_pid;
  const std::string file = fmt::format("perf-{}.map", inner);
  std::vector<std::string> places;
  if (process.names) places.push_back(process.names->path() + "/" + file);
  for (const uint32_t seen_by : {pid, process.parent})
    if (seen_by != 0) places.push_back(fmt::format("/proc/{}/root/tmp/{}", seen_by, file));
  std::string path = fmt::format("/tmp/perf-{}.map", pid);
  struct stat info{};
  auto there = std::ranges::find_if(places, [&](const std::string &place) { return stat(place.c_str(), &info) == 0; });
  if (there != places.end()) path = *there;
  process.jit = std::make_shared<JitSymbols>(std::move(path), "/tmp/" + file);
  return *process.jit;
}

Result<void> AddressSpaces::watch(std::set<uint32_t> pids) {
  wanted_ = std::move(pids);
  events_ = TRY(MappingEvents::open());
  before_ = wanted_.empty() ? all_processes() : std::vector<uint32_t>(wanted_.begin(), wanted_.end());
  return {};
}

bool AddressSpaces::update() {
  if (!events_) return false;
  const std::vector<MappingEvent> events = events_->take();
  for (const MappingEvent &event : events)
    if (wanted_.empty() || wanted_.contains(event.pid)) apply(event);
  if (events_->lost()) incomplete_ = true;
  return !events.empty();
}

bool AddressSpaces::catch_up() {
  const auto until = Clock::now() + kCatchUp;
  while (!before_.empty() && Clock::now() < until) {
    const uint32_t pid = before_.back();
    before_.pop_back();
    if (!processes_[pid].known) read(pid);
  }
  return !before_.empty();
}

void AddressSpaces::apply(const MappingEvent &event) {
  switch (event.kind) {
    case MappingEvent::Kind::Map: map(event.pid, event.mapping); break;
    case MappingEvent::Kind::Fork: {
      std::shared_ptr<AddressSpace> inherited;
      if (const auto &generations = process(event.parent).generations; !generations.empty())
        inherited = generations.front();
      ProcessMemory &child = processes_[event.pid];
      child.known = true;
      child.ended = false;
      child.number = ++next_number_;
      child.parent = event.parent;
      child.jit = nullptr;
      child.inner_pid.clear();
      if (inherited) push_generation(child, std::move(inherited));
      break;
    }
    case MappingEvent::Kind::Exec: {
      ProcessMemory &process = processes_[event.pid];
      process.known = true;
      push_generation(process, std::make_shared<AddressSpace>());
      break;
    }
    case MappingEvent::Kind::Exit: end(event.pid); break;
  }
}

void AddressSpaces::map(uint32_t pid, const Mapping &mapping) {
  ProcessMemory &memory = process(pid);
  // A compiler at work: its names stand in a file that is called after its own idea of its pid.
  if (memory.inner_pid.empty() && is_memory(mapping)) {
    memory.inner_pid = inner_pid(pid);
    memory.names = OpenFolder::of_names(pid);
  }
  if (memory.generations.empty()) push_generation(memory, std::make_shared<AddressSpace>());
  const bool keep_old = overlaps(*memory.generations.front(), mapping);
  if (keep_old || memory.generations.front().use_count() > 1) {
    auto copy = std::make_shared<AddressSpace>(*memory.generations.front());
    if (keep_old)
      push_generation(memory, std::move(copy));
    else
      memory.generations.front() = std::move(copy);
  }
  place(*memory.generations.front(), {mapping.start, mapping.end, mapping.offset, file_of(pid, mapping)});
}

void AddressSpaces::end(uint32_t pid) {
  auto at = processes_.find(pid);
  if (at == processes_.end()) return;
  ProcessMemory &process = at->second;
  process.ended = true;
  // The file of a container is out of reach once its last process has ended, so what a compiler wrote is read now.
  if (!process.inner_pid.empty()) jit_symbols(pid, process).refresh();
  process.names = nullptr;
  ended_.emplace_back(pid, process.number);
  if (ended_.size() <= kEnded) return;
  auto oldest = processes_.find(ended_.front().first);
  if (oldest != processes_.end() && oldest->second.ended && oldest->second.number == ended_.front().second)
    processes_.erase(oldest);
  ended_.pop_front();
}

ProcessMemory &AddressSpaces::process(uint32_t pid) {
  ProcessMemory &process = processes_[pid];
  const bool told = events_ && !incomplete_ && (wanted_.empty() || wanted_.contains(pid));
  if (!process.known || (!told && !process.ended && Clock::now() - process.read_at > kAge)) return read(pid);
  return process;
}

ProcessMemory &AddressSpaces::read(uint32_t pid) {
  ProcessMemory &process = processes_[pid];
  read_mappings(pid, process);
  process.known = true;
  process.read_at = Clock::now();
  return process;
}

void AddressSpaces::read_mappings(uint32_t pid, ProcessMemory &process) {
  // A process that has ended keeps what is known of it.
  const Result<std::vector<Mapping>> mappings = mappings_of(pid);
  if (!mappings || mappings->empty()) return;
  auto space = std::make_shared<AddressSpace>();
  for (const Mapping &mapping : *mappings)
    space->push_back({mapping.start, mapping.end, mapping.offset, file_of(pid, mapping)});
  if (!process.generations.empty() && same_space(*process.generations.front(), *space)) return;
  push_generation(process, std::move(space));
}

std::shared_ptr<MappedFile> AddressSpaces::file_of(uint32_t pid, const Mapping &mapping) {
  std::string key =
      fmt::format("{} {} {} {} {}", mapping.device, mapping.inode, mapping.generation, mapping.offset, mapping.path);
  std::shared_ptr<MappedFile> &file = mapped_[key];
  const auto now = Clock::now();
  if (file && file->symbols && mapping.inode != 0 && now - file->checked_at > kAge) {
    // Somebody may have written another program into the same file.
    file->checked_at = now;
    struct stat status{};
    for (const std::string &place : places(pid, mapping.start, mapping.end, mapping.path)) {
      if (stat(place.c_str(), &status) != 0 || status.st_ino != mapping.inode) continue;
      if (!same_content(status, file->status)) file = nullptr;
      break;
    }
  }
  if (file) return file;
  forget_files();
  file = std::make_shared<MappedFile>();
  file->path = mapping.path;
  file->device = mapping.device;
  file->inode = mapping.inode;
  file->offset = mapping.offset;
  if (events_ && files_.size() < kHeldOpen) open(pid, mapping.start, mapping.end, *file);
  return file;
}

// Files that no process has mapped any more, once there are many: a compiler's tests are a program each.
void AddressSpaces::forget_files() {
  if (mapped_.size() < forget_from_) return;
  std::erase_if(mapped_, [](const auto &entry) { return entry.second && entry.second.use_count() == 1; });
  std::erase_if(files_, [](const auto &entry) { return !entry.second || entry.second.use_count() == 1; });
  forget_from_ = std::max(kFiles, 2 * mapped_.size());
}

std::vector<std::string> AddressSpaces::places(uint32_t pid, uint64_t start, uint64_t end,
                                               const std::string &path) const {
  const auto process = processes_.find(pid);
  return places_of(pid, process != processes_.end() ? process->second.parent : 0, start, end, path);
}

void AddressSpaces::open(uint32_t pid, uint64_t start, uint64_t end, MappedFile &file) {
  file.tried = true;
  file.checked_at = Clock::now();
  if (file.path == "[vdso]") {
    auto [at, fresh] = files_.try_emplace("[vdso]");
    if (fresh) at->second = open_vdso();
    file.symbols = at->second;
    return;
  }
  if (file.inode == 0) return;
  for (const std::string &place : places(pid, start, end, file.path)) {
    struct stat &status = file.status;
    if (stat(place.c_str(), &status) != 0 || status.st_ino != file.inode) continue;
    file.member = archive_member_at(place, file.offset);
    std::string key = fmt::format("{} {} {} {} {}", file.device, status.st_ino, status.st_mtim.tv_sec,
                                  status.st_mtim.tv_nsec, file.member);
    auto known = files_.find(key);
    if (known == files_.end()) {
      Result<std::shared_ptr<ElfFile>> elf = ElfFile::open(file.member.empty() ? place : place + "!/" + file.member);
      // The process may end between two looks at its mappings; the next place is a name that stays.
      if (!elf && elf.error().sys_errno != 0) continue;
      // Its debug file is looked for beside it where the process sees it, and is opened later.
      if (elf) (*elf)->set_name(file.name());
      auto symbols =
          elf ? std::make_shared<FileSymbols>(*elf, process_root(static_cast<int>(pid)), debug_folders_) : nullptr;
      known = files_.emplace(std::move(key), std::move(symbols)).first;
    }
    file.symbols = known->second;
    return;
  }
}

FileSymbols *AddressSpaces::symbols(uint32_t pid, uint64_t start, uint64_t end, MappedFile &file) {
  if (!file.tried) open(pid, start, end, file);
  return file.symbols.get();
}

}  // namespace awl
