#include "runtime/probes/binaries.h"

#include <dirent.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>

#include "base/strings.h"
#include "runtime/symbols/zip_archive.h"

namespace awl {

namespace {

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t modified = 0;  // nanoseconds
  friend auto operator<=>(const FileId &, const FileId &) = default;
};

std::optional<FileId> file_id(const std::string &path) {
  struct stat info{};
  if (stat(split_binary_path(path).file.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

// One line of /proc/PID/maps: "7f00-7f10 r-xp 00000000 08:01 1234    /usr/lib/x.so".
struct Mapping {
  std::string path;
  uint64_t begin = 0, end = 0, inode = 0;
};

std::optional<Mapping> parse_mapping(std::string_view line) {
  std::array<std::string_view, 5> words;
  for (std::string_view &word : words) {
    size_t end = line.find(' ');
    if (end == std::string_view::npos) return std::nullopt;
    word = line.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(' ', end), line.size()));
  }
  if (words[1].size() < 3 || words[1][2] != 'x' || !line.starts_with('/')) return std::nullopt;
  Mapping mapping;
  mapping.path = line;
  // map_files names its entries without leading zeros, maps has them: numbers, not text.
  const char *end = words[0].data() + words[0].size();
  auto [dash, bad_begin] = std::from_chars(words[0].data(), end, mapping.begin, 16);
  if (bad_begin != std::errc() || dash == end) return std::nullopt;
  auto [rest, bad_end] = std::from_chars(dash + 1, end, mapping.end, 16);
  auto inode = parse_unsigned(words[4]);
  if (bad_end != std::errc() || rest != end || !inode || *inode == 0) return std::nullopt;
  mapping.inode = *inode;
  return mapping;
}

// What the process calls `path` may be another file here, or none: only an equal inode counts.
std::string openable_path(const Mapping &mapping, int pid, const std::string &root, const ProbeRoots &roots) {
  for (const std::string &candidate : {mapping.path, root + mapping.path})
    if (auto id = file_id(candidate); id && id->inode == mapping.inode) return candidate;
  return fmt::format("{}/{}/map_files/{:x}-{:x}", roots.procfs, pid, mapping.begin, mapping.end);
}

void add_mapped(int pid, const ProbeRoots &roots, std::set<std::pair<uint64_t, std::string>> &seen,
                std::vector<std::string> &out) {
  auto maps = read_file(fmt::format("{}/{}/maps", roots.procfs, pid));
  if (!maps) return;
  std::string root = process_root(pid);
  for (const std::string &line : split(*maps, '\n')) {
    auto mapping = parse_mapping(line);
    if (mapping && seen.insert({mapping->inode, mapping->path}).second)
      out.push_back(openable_path(*mapping, pid, root, roots));
  }
}

// Files matching a shell pattern that are ELF files, each once under its first name.
void add_matching(const std::string &pattern, std::set<FileId> &seen, std::vector<std::string> &out) {
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; i++) {
      std::string path = found.gl_pathv[i];
      auto id = file_id(path);
      if (id && !seen.contains(*id) && open_binary(path)) {
        seen.insert(*id);
        out.push_back(std::move(path));
      }
    }
  }
  globfree(&found);
}

}  // namespace

Result<std::shared_ptr<ElfFile>> open_binary(const std::string &path) {
  struct Entry {
    FileId id;
    std::shared_ptr<ElfFile> file;
  };
  constexpr size_t kKept = 16;
  static std::mutex mutex;
  static std::deque<Entry> cache;
  auto id = file_id(path);
  if (!id) return fail_errno(fmt::format("cannot open `{}`", path));
  std::lock_guard lock(mutex);
  for (const Entry &entry : cache)
    if (entry.id == *id && entry.file->path() == path) return entry.file;
  auto file = TRY(ElfFile::open(path));
  cache.push_front({*id, file});
  if (cache.size() > kKept) cache.pop_back();
  return file;
}

Result<std::vector<std::string>> mapped_binaries(int pid, const ProbeRoots &roots) {
  std::vector<std::string> out;
  std::set<std::pair<uint64_t, std::string>> seen;
  if (pid != 0) {
    std::string maps = fmt::format("{}/{}/maps", roots.procfs, pid);
    if (access(maps.c_str(), R_OK) != 0)
      return errno == ENOENT ? fail(fmt::format("no process {}", pid))
                             : fail_errno(fmt::format("cannot read `{}`", maps));
    add_mapped(pid, roots, seen, out);
  } else if (DIR *folder = opendir(roots.procfs.c_str())) {
    while (dirent *entry = readdir(folder))
      if (auto number = parse_unsigned(entry->d_name)) add_mapped(static_cast<int>(*number), roots, seen, out);
    closedir(folder);
  }
  std::ranges::sort(out);
  return out;
}

Result<std::string> program_of(int pid, const ProbeRoots &roots) {
  std::string link = fmt::format("{}/{}/exe", roots.procfs, pid);
  std::array<char, PATH_MAX> target{};
  ssize_t length = readlink(link.c_str(), target.data(), target.size());
  if (length < 0)
    return errno == ENOENT ? fail(fmt::format("no process {}, or it is a kernel thread", pid))
                           : fail_errno(fmt::format("cannot read `{}`", link));
  std::string path(target.data(), static_cast<size_t>(length));
  auto id = file_id(link);
  for (const std::string &candidate : {path, process_root(pid) + path})
    if (id && file_id(candidate) == id) return candidate;
  return link;
}

std::string shown_path(const std::string &given, const std::string &path) {
  const bool relative = given.find('/') != std::string::npos && !given.starts_with('/');
  return relative && !has_wildcard(given) ? given : path;
}

Result<std::vector<std::string>> find_binaries(std::string_view binary, const ProbeEnvironment &env) {
  if (binary == "*") return mapped_binaries(env.pid, env.roots);
  if (!has_wildcard(binary) || file_id(std::string(binary))) return std::vector{TRY(resolve_binary(binary, env.pid))};
  std::vector<std::string> out;
  std::set<FileId> seen;
  std::string root = process_root(env.pid);
  if (binary.find('/') != std::string_view::npos) {
    add_matching((binary.starts_with('/') ? root : std::string()) + std::string(binary), seen, out);
  } else {
    const char *path = std::getenv("PATH");
    for (const std::string &folder : split(path ? path : "/usr/bin:/bin", ':'))
      if (folder.starts_with('/')) add_matching(fmt::format("{}{}/{}", root, folder, binary), seen, out);
  }
  if (out.empty()) return fail(fmt::format("no program or library matches `{}`", binary));
  std::ranges::sort(out);
  return out;
}

}  // namespace awl
