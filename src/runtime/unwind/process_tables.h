// Mappings of processes in the map awl_unwind_maps; private to this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "runtime/unwind/file_tables.h"
#include "runtime/unwind/tables.h"

namespace awl::runtime::unwind {

// What is told of processes is gathered, and sync() brings the map in line with it: a program that starts maps a dozen
// files one after the other.
class ProcessTables {
 public:
  // `map_fd`: not owned.
  ProcessTables(int map_fd, FileTables &files) : map_fd_(map_fd), files_(files) {}

  void map(uint32_t pid, const awl::Mapping &mapping);
  void fork(uint32_t pid, uint32_t parent);
  void exec(uint32_t pid);
  void end(uint32_t pid);
  // What /proc shows of it.
  void read(uint32_t pid);
  // Those that are known and not among `alive` have ended.
  void keep(const std::set<uint32_t> &alive);

  void sync();
  // Mappings that found no room in the map since the last call.
  size_t take_lost() { return std::exchange(lost_, 0); }

 private:
  struct Range {
    uint64_t start = 0, end = 0;
    uint64_t bias = 0;
    std::shared_ptr<const FileTable> file;
  };
  struct Entry {
    MappingKey key;
    Mapping value;
  };
  struct Process {
    uint32_t parent = 0;         // 0: not known
    std::vector<Range> ranges;   // by address, without overlaps; those with a table only
    std::vector<Entry> entered;  // by key
    bool changed = false;
    bool ended = false;
  };

  Process &change(uint32_t pid);
  void place(Process &process, uint32_t pid, const awl::Mapping &mapping);
  static std::vector<Entry> entries_of(uint32_t pid, const std::vector<Range> &ranges);
  void sync(uint32_t pid, Process &process);

  int map_fd_;
  FileTables &files_;
  std::unordered_map<uint32_t, Process> processes_;
  std::vector<uint32_t> changed_;
  size_t lost_ = 0;
};

}  // namespace awl::runtime::unwind
