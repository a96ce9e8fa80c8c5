#include "runtime/symbols/process_maps.h"

#include <dirent.h>
#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"

namespace awl {

namespace {

std::string_view next_word(std::string_view &line) {
  size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) {
    line = {};
    return {};
  }
  line.remove_prefix(begin);
  size_t end = std::min(line.find(' '), line.size());
  std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool parse_number(std::string_view text, uint64_t &number, int base) {
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return err == std::errc() && end == text.data() + text.size();
}

// "7f10-7f20 r-xp 00001000 fd:01 1234    /usr/lib/libc.so.6 (deleted)"
bool parse_line(std::string_view line, Mapping &mapping) {
  std::string_view range = next_word(line), permissions = next_word(line), offset = next_word(line);
  std::string_view device = next_word(line), inode = next_word(line);
  size_t dash = range.find('-');
  if (dash == std::string_view::npos || permissions.size() < 4) return false;
  if (!parse_number(range.substr(0, dash), mapping.start, 16) || !parse_number(range.substr(dash + 1), mapping.end, 16))
    return false;
  if (!parse_number(offset, mapping.offset, 16) || !parse_number(inode, mapping.inode, 10)) return false;
  mapping.executable = permissions[2] == 'x';
  mapping.device = device;
  size_t path = line.find_first_not_of(' ');
  if (path == std::string_view::npos) return true;
  mapping.path = clean_path(line.substr(path));
  mapping.deleted = mapping.path.size() != line.size() - path;
  return true;
}

}  // namespace

std::string_view clean_path(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return path;
}

std::vector<Mapping> parse_maps(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    Mapping mapping;
    if (parse_line(text.substr(0, end), mapping) && mapping.executable) mappings.push_back(std::move(mapping));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return mappings;
}

Result<std::vector<Mapping>> mappings_of(uint32_t pid, const std::string &procfs) {
  return parse_maps(TRY(read_file(fmt::format("{}/{}/maps", procfs, pid))));
}

std::vector<std::string> places_of(uint32_t pid, uint32_t parent, uint64_t start, uint64_t end,
                                   const std::string &path) {
  std::vector<std::string> out = {fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, start, end),
                                  fmt::format("/proc/{}/root{}", pid, path)};
  if (parent != 0) out.push_back(fmt::format("/proc/{}/root{}", parent, path));
  out.push_back(path);
  return out;
}

std::vector<uint32_t> all_processes() {
  std::vector<uint32_t> pids;
  DIR *folder = opendir("/proc");
  if (!folder) return pids;
  while (const dirent *entry = readdir(folder)) {
    uint64_t pid = 0;
    if (parse_number(entry->d_name, pid, 10)) pids.push_back(static_cast<uint32_t>(pid));
  }
  closedir(folder);
  return pids;
}

}  // namespace awl
