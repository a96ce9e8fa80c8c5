#include "runtime/symbols/zip_archive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/diagnostic.h"
#include "base/fd.h"
#include "base/file_mapping.h"

namespace awl {

namespace {

// "PK\5\6" at the end leads to the table of entries, "PK\1\2" each, and that to "PK\3\4" in front of each content.
constexpr std::string_view kEnd("PK\5\6", 4), kEntry("PK\1\2", 4), kContent("PK\3\4", 4);
constexpr size_t kEndSize = 22, kEntrySize = 46, kContentSize = 30;
constexpr size_t kLongestComment = 65535;

// Little-endian, 0 behind the end.
template <class T>
T number(std::string_view bytes, size_t offset) {
  T value = 0;
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

Result<ArchiveMember> member_of(std::string_view archive, std::string_view entry, std::string_view name) {
  constexpr uint32_t kElsewhere = 0xffffffff;  // in a field for archives of more than 4 GiB
  if (number<uint16_t>(entry, 10) != 0 || (number<uint16_t>(entry, 8) & 1) != 0)
    return fail(fmt::format("`{}` is compressed in its archive", name),
                "only what is stored as it is can be mapped and probed; unpack it");
  const uint32_t size = number<uint32_t>(entry, 24), start = number<uint32_t>(entry, 42);
  const std::string_view content = archive.substr(std::min<size_t>(start, archive.size()));
  if (size == kElsewhere || start == kElsewhere || !content.starts_with(kContent))
    return fail("the archive is damaged, or larger than 4 GiB");
  const uint64_t offset =
      uint64_t{start} + kContentSize + number<uint16_t>(content, 26) + number<uint16_t>(content, 28);
  if (offset > archive.size() || size > archive.size() - offset) return fail("the archive is damaged");
  return ArchiveMember{offset, size};
}

// The table of entries and what follows.
std::optional<std::string_view> table_of(std::string_view archive) {
  const size_t from = archive.size() > kEndSize + kLongestComment ? archive.size() - kEndSize - kLongestComment : 0;
  const size_t end = archive.rfind(kEnd);
  if (end == std::string_view::npos || end < from || archive.size() - end < kEndSize) return std::nullopt;
  return archive.substr(std::min<size_t>(number<uint32_t>(archive, end + 16), archive.size()));
}

bool at_entry(std::string_view table) { return table.size() >= kEntrySize && table.starts_with(kEntry); }

std::string_view name_of(std::string_view entry) { return entry.substr(kEntrySize, number<uint16_t>(entry, 28)); }

void next_entry(std::string_view &table) {
  const size_t size =
      kEntrySize + number<uint16_t>(table, 28) + number<uint16_t>(table, 30) + number<uint16_t>(table, 32);
  table.remove_prefix(std::min(size, table.size()));
}

}  // namespace

BinaryPath split_binary_path(std::string_view path) {
  const size_t at = path.find("!/");
  struct stat info{};
  if (at == std::string_view::npos || stat(std::string(path).c_str(), &info) == 0) return {std::string(path), ""};
  return {std::string(path.substr(0, at)), std::string(path.substr(at + 2))};
}

Result<ArchiveMember> find_archive_member(std::string_view archive, std::string_view name) {
  std::optional<std::string_view> table = table_of(archive);
  if (!table) return fail("it is not a zip archive");
  std::vector<std::string> names;
  for (; at_entry(*table); next_entry(*table)) {
    if (name_of(*table) == name) return member_of(archive, *table, name);
    names.emplace_back(name_of(*table));
  }
  const std::string similar = nearest(std::string(name), names);
  return fail(fmt::format("there is no `{}` in the archive", name),
              similar.empty() ? "" : fmt::format("did you mean `{}`?", similar));
}

std::string archive_member_at(std::string_view archive, uint64_t offset) {
  std::optional<std::string_view> table = table_of(archive);
  for (; table && at_entry(*table); next_entry(*table)) {
    if (number<uint32_t>(*table, 42) > offset) continue;  // begins behind it
    const Result<ArchiveMember> member = member_of(archive, *table, name_of(*table));
    if (member && offset >= member->offset && offset - member->offset < member->size)
      return std::string(name_of(*table));
  }
  return "";
}

std::string archive_member_at(const std::string &path, uint64_t offset) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  char begin[kContent.size()];
  if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      pread(file.get(), begin, sizeof(begin), 0) != sizeof(begin) || std::string_view(begin, sizeof(begin)) != kContent)
    return "";
  const Result<FileMapping> mapped = FileMapping::map(file.get(), static_cast<size_t>(info.st_size));
  return mapped ? archive_member_at(std::string_view(mapped->data(), mapped->size()), offset) : "";
}

}  // namespace awl
