// What is mapped where in each process, now and before; private to this folder.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/symbols/file_symbols.h"
#include "runtime/symbols/mapping_events.h"
#include "runtime/symbols/process_maps.h"

namespace awl {

// A file as processes map it from an offset on, shared by all that do: an archive has a library at each.
struct MappedFile {
  std::string path;  // as the process calls it
  std::string device;
  uint64_t inode = 0;
  uint64_t offset = 0;
  std::string member;                    // of an archive, once it is open
  bool tried = false;                    // to open it
  std::shared_ptr<FileSymbols> symbols;  // null: not an ELF file, or out of reach
  struct stat status{};                  // when it was opened
  std::chrono::steady_clock::time_point checked_at;
  [[nodiscard]] std::string name() const { return member.empty() ? path : path + "!/" + member; }
};

// Part of a process' memory, [start, end).
struct MappedRange {
  uint64_t start = 0, end = 0;
  uint64_t offset = 0;  // of `start` in the file
  std::shared_ptr<MappedFile> file;
};
using AddressSpace = std::vector<MappedRange>;  // by address, without overlaps

// The folder in which a process' compiler writes names, kept open: a container's is out of reach once its last process
// has ended.
class OpenFolder {
 public:
  // Null if the process sees the same folder as we do, if it is gone, or if too many are open.
  static std::shared_ptr<OpenFolder> of_names(uint32_t pid);
  ~OpenFolder();
  OpenFolder(const OpenFolder &) = delete;
  OpenFolder &operator=(const OpenFolder &) = delete;
  [[nodiscard]] std::string path() const;

 private:
  explicit OpenFolder(int fd);
  int fd_;
};

struct ProcessMemory {
  // Newest first, shared with the parent until one of them changes. Older ones are kept: after exec() or dlclose()
  // events of before still have to be named.
  std::deque<std::shared_ptr<AddressSpace>> generations;
  std::chrono::steady_clock::time_point read_at;
  bool known = false;
  bool ended = false;
  uint64_t number = 0;    // tells processes apart that had one pid one after the other
  uint32_t parent = 0;    // 0: not known
  std::string inner_pid;  // as it sees itself, which is what it names its files by; "" until it maps unnamed code
  std::shared_ptr<OpenFolder> names;  // of a process that makes code, while it runs
  std::shared_ptr<JitSymbols> jit;
};

// Names of code that the process has made itself, from the file that its compiler writes.
JitSymbols &jit_symbols(uint32_t pid, ProcessMemory &process);

class AddressSpaces {
 public:
  // `debug_folders`: SymbolOptions.
  explicit AddressSpaces(std::vector<std::string> debug_folders) : debug_folders_(std::move(debug_folders)) {}
  // From here on follows what all processes do, or only those of `pids`. Without it, /proc is asked when a process is
  // asked for, which is too late for those that have ended.
  Result<void> watch(std::set<uint32_t> pids);
  [[nodiscard]] int descriptor() const { return events_ ? events_->descriptor() : -1; }
  // Takes what happened since; true if there was something.
  bool update();
  // Reads the mappings of processes that were there before watch(), for a few milliseconds; true if some are left.
  bool catch_up();

  // Reads what is mapped if it is not known.
  ProcessMemory &process(uint32_t pid);
  // Reads what is mapped now.
  ProcessMemory &read(uint32_t pid);
  // The symbols of a file that process `pid` maps at `start`, null if there are none.
  FileSymbols *symbols(uint32_t pid, uint64_t start, uint64_t end, MappedFile &file);

 private:
  void apply(const MappingEvent &event);
  void map(uint32_t pid, const Mapping &mapping);
  void read_mappings(uint32_t pid, ProcessMemory &process);
  void end(uint32_t pid);
  std::shared_ptr<MappedFile> file_of(uint32_t pid, const Mapping &mapping);
  void forget_files();
  [[nodiscard]] std::vector<std::string> places(uint32_t pid, uint64_t start, uint64_t end,
                                                const std::string &path) const;
  void open(uint32_t pid, uint64_t start, uint64_t end, MappedFile &file);

  std::vector<std::string> debug_folders_;
  std::unique_ptr<MappingEvents> events_;
  bool incomplete_ = false;       // events were lost: /proc is asked again, too
  std::set<uint32_t> wanted_;     // empty: all
  std::vector<uint32_t> before_;  // processes still to be read by catch_up()
  std::unordered_map<uint32_t, ProcessMemory> processes_;
  std::deque<std::pair<uint32_t, uint64_t>> ended_;  // pid and number, oldest first
  uint64_t next_number_ = 0;
  size_t forget_from_ = 0;
  std::unordered_map<std::string, std::shared_ptr<MappedFile>>
      mapped_;  // by device, inode, generation, offset and path
  std::unordered_map<std::string, std::shared_ptr<FileSymbols>> files_;  // by device, inode, time of change and member
};

}  // namespace awl
