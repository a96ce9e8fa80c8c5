// Rows of files in the map awl_unwind_files; private to this folder.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/symbols/process_maps.h"
#include "runtime/unwind/unwind_file.h"
#include "runtime/unwind/unwind_tables.h"

namespace awl::runtime::unwind {

struct FileTable {
  uint32_t number = 0;  // key in awl_unwind_files
  CodeLayout layout;
  size_t bytes = 0;  // of kernel memory
};

class FileTables {
 public:
  // awl_unwind_files and awl_unwind_inodes: not owned. `most_bytes`: of rows, for all files together.
  FileTables(int files_fd, int inodes_fd, size_t most_bytes)
      : map_fd_(files_fd), inodes_fd_(inodes_fd), most_bytes_(most_bytes) {}

  // The table of the file that a process maps, read if it is new. Null if there is nothing to walk by. `parent`: of the
  // process, 0 if not known. Tables that are held by nobody else are given back some time later.
  std::shared_ptr<const FileTable> table_of(uint32_t pid, uint32_t parent, const awl::Mapping &mapping);

  // Reads a file that some process will map, if it is new.
  void prepare(const std::string &path);

  // Waits until programs see all tables that were read.
  void settle();

  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] std::vector<LeftOut> take_left_out() { return std::exchange(left_out_, {}); }

 private:
  using Key = std::array<uint64_t, 5>;  // device, inode, time of change (s, ns), size

  struct Publishing {
    std::string path;
    std::future<int> error;
  };

  void publish(uint32_t number, int table, const std::string &path);
  bool finish(Publishing &one);
  // Null as above. Errors: it cannot be opened now, at this place.
  Result<std::shared_ptr<const FileTable>> table_of_file(const std::string &place, const struct stat &status,
                                                         const awl::Mapping &mapping);
  std::shared_ptr<const FileTable> add(const ElfFile &elf, const std::string &path);
  Result<std::shared_ptr<const FileTable>> enter(const std::vector<Row> &rows, const ElfFile &elf);
  std::optional<uint32_t> free_number() const;
  void give_back_unused();
  void enter_inode(const awl::Mapping &mapping, uint64_t size, const FileTable &table);
  void forget_inodes(uint32_t number);

  // Programs come again (a shell's, a compiler's): tables that are not used cost nothing to keep while they are few.
  static constexpr size_t kKeepBytes = size_t{64} << 20;

  int map_fd_, inodes_fd_;
  size_t most_bytes_;
  size_t bytes_ = 0;
  size_t look_from_ = kKeepBytes;  // bytes from which on unused tables are looked for
  uint32_t next_number_ = 0;
  std::vector<bool> taken_ = std::vector<bool>(max_files);
  std::map<Key, std::shared_ptr<const FileTable>> files_;  // null: nothing to walk by
  std::map<std::array<uint64_t, 3>, uint32_t> inodes_;     // what is in awl_unwind_inodes: FileKey -> number
  std::vector<Publishing> publishing_;                     // tables on their way into awl_unwind_files
  std::vector<LeftOut> left_out_;
};

}  // namespace awl::runtime::unwind
