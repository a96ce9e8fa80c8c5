#include "runtime/probes/binaries.h"

#include <dirent.h>
#include <fmt/format.h>
#include <glob.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "base/search_path.h"
#include "base/strings.h"
#include "runtime/symbols/process_maps.h"
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

// What the process calls `path` may be another file here, or none: only an equal inode counts.
std::string openable_path(const Mapping &mapping, int pid, const std::string &root, const ProbeRoots &roots) {
  for (const std::string &candidate : {mapping.path, root + mapping.path})
    if (auto id = file_id(candidate); id && id->inode == mapping.inode) return candidate;
  return fmt::format("{}/{}/map_files/{:x}-{:x}", roots.procfs, pid, mapping.start, mapping.end);
}

struct Seen {
  using File = std::tuple<std::string, uint64_t, std::string>;  // device, inode, path
  std::map<File, bool> is_archive;
  std::set<std::pair<File, std::string>> members;
};

void add_mapped(int pid, const ProbeRoots &roots, Seen &seen, std::vector<std::string> &out) {
  const Result<std::vector<Mapping>> mappings = mappings_of(static_cast<uint32_t>(pid), roots.procfs);
  if (!mappings) return;
  const std::string root = process_root(pid);
  for (const Mapping &mapping : *mappings) {
    if (mapping.inode == 0 || !mapping.path.starts_with('/')) continue;
    const Seen::File file{mapping.device, mapping.inode, mapping.path};
    const auto [known, fresh] = seen.is_archive.try_emplace(file, false);
    if (!fresh && !known->second) continue;
    const std::string path = openable_path(mapping, pid, root, roots);
    const std::string member = archive_member_at(path, mapping.offset);
    known->second = known->second || !member.empty();
    if (member.empty() && fresh) out.push_back(path);
    if (!member.empty() && seen.members.emplace(file, member).second) out.push_back(path + "!/" + member);
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
  Seen seen;
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

std::string place_identity(const ProbeTarget &target) {
  ProbeTarget out = target;
  const BinaryPath path = split_binary_path(target.scope);
  struct stat info{};
  struct statfs system{};
  if (!target.scope.starts_with('/') || stat(path.file.c_str(), &info) != 0) return target.text();
  // Containers of one image have overlays over the same files, each with a device of its own: what is put into such a
  // file is in all of them.
  const bool overlay = statfs(path.file.c_str(), &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
  out.scope =
      overlay ? fmt::format("overlay {} {} {}.{}", info.st_ino, info.st_size, info.st_ctim.tv_sec, info.st_ctim.tv_nsec)
              : fmt::format("{} {}", info.st_dev, info.st_ino);
  if (!path.member.empty()) out.scope += "!/" + path.member;
  return out.text();
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
    for (const std::string &folder : search_folders())
      if (folder.starts_with('/')) add_matching(fmt::format("{}{}/{}", root, folder, binary), seen, out);
  }
  if (out.empty()) return fail(fmt::format("no program or library matches `{}`", binary));
  std::ranges::sort(out);
  return out;
}

}  // namespace awl
