// Mappings of a process, as /proc/PID/maps lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

struct Mapping {
  uint64_t start = 0, end = 0;  // [start, end)
  uint64_t offset = 0;          // of `start` in the file
  bool executable = false;
  bool deleted = false;  // the file has no name any more
  std::string device;    // "fd:01"
  uint64_t inode = 0;    // 0 if there is no file behind it
  // Of the inode: tells files apart that had one number one after the other. 0: not known, /proc does not say.
  uint64_t generation = 0;
  std::string path;  // "/usr/bin/x", "[vdso]", "" for anonymous memory
};

// The path without the kernel's mark that the file has no name any more.
std::string_view clean_path(std::string_view path);

// Executable mappings in order of address; lines that are not understood are left out.
std::vector<Mapping> parse_maps(std::string_view text);
// Those of a process; none if it is the kernel's own.
Result<std::vector<Mapping>> mappings_of(uint32_t pid, const std::string &procfs = "/proc");

// Where the file of a mapping is looked for: the mapped file itself, even if deleted; then by name in the process' file
// system; for one that has ended, in its parent's (0: not known), then in ours. Behind a name there may be another file
// by now: the inode tells.
std::vector<std::string> places_of(uint32_t pid, uint32_t parent, uint64_t start, uint64_t end,
                                   const std::string &path);

// Ids of all processes that /proc shows.
std::vector<uint32_t> all_processes();

}  // namespace awl
