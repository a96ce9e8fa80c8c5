// Files inside of zip archives, as Android's packages keep their libraries: "/x.apk!/lib/liby.so".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace awl {

// What a path names. `member` is empty for everything that is no part of an archive.
struct BinaryPath {
  std::string file;    // to be opened
  std::string member;  // "lib/liby.so"
};
BinaryPath split_binary_path(std::string_view path);

struct ArchiveMember {
  uint64_t offset = 0, size = 0;  // of its content
};

// Errors: not a zip archive, no such member, or it is compressed, so that no process can map it.
Result<ArchiveMember> find_archive_member(std::string_view archive, std::string_view name);

// The member whose content is at an offset of the archive, its name in the archive. "" if there is none, or if it is
// compressed, or if the file is no archive.
std::string archive_member_at(std::string_view archive, uint64_t offset);
// The same of a file, of which no more is read than whether it is an archive if it is none.
std::string archive_member_at(const std::string &path, uint64_t offset);

}  // namespace awl
