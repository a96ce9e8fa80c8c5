// Users and cgroups. No getpwuid: in a static binary it needs the very libc that it was linked with.
#include <dirent.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <unordered_map>

#include "base/strings.h"
#include "runtime/symbols/ids.h"

namespace awl {

std::optional<std::string> UserTable::find(uint64_t uid) {
  auto known = names_.find(uid);
  if (known != names_.end()) return known->second;
  // Users may be added while a script runs; a changed file is read again.
  struct stat info{};
  if (stat(path_.c_str(), &info) != 0) return std::nullopt;
  int64_t stamp = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  if (stamp == stamp_) return std::nullopt;
  stamp_ = stamp;
  Result<std::string> text = read_file(path_);
  if (!text) return std::nullopt;
  for (const std::string &line : split(*text, '\n')) {
    std::vector<std::string> fields = split(line, ':');
    uint64_t id = 0;
    if (fields.size() < 3) continue;
    const std::string &number = fields[2];
    auto [end, err] = std::from_chars(number.data(), number.data() + number.size(), id);
    if (err == std::errc() && end == number.data() + number.size()) names_.emplace(id, fields[0]);
  }
  known = names_.find(uid);
  if (known == names_.end()) return std::nullopt;
  return known->second;
}

std::optional<std::string> user_name(uint64_t uid) {
  static UserTable table("/etc/passwd");
  return table.find(uid);
}

std::optional<std::string> CgroupTable::find(uint64_t id) {
  auto known = paths_.find(id);
  if (known != paths_.end()) return known->second;
  // A cgroup that is gone must not cost a walk for each of its events.
  auto now = std::chrono::steady_clock::now();
  if (walked_ && now - last_walk_ < std::chrono::seconds(1)) return std::nullopt;
  walked_ = true;
  struct stat info{};
  if (stat(root_.c_str(), &info) != 0) return std::nullopt;
  paths_.emplace(info.st_ino, "/");
  walk("");
  last_walk_ = std::chrono::steady_clock::now();
  known = paths_.find(id);
  if (known == paths_.end()) return std::nullopt;
  return known->second;
}

// A cgroup's id is the inode number of its directory, which readdir tells without a stat.
void CgroupTable::walk(const std::string &below) {
  DIR *dir = opendir((root_ + below).c_str());
  if (!dir) return;
  std::vector<std::string> children;
  while (const dirent *entry = readdir(dir)) {
    std::string_view name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    children.push_back(below + "/" + std::string(name));
    paths_.insert_or_assign(entry->d_ino, children.back());
  }
  closedir(dir);
  for (const std::string &child : children) walk(child);
}

std::string cgroup2_mount() {
  // "36 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw"
  Result<std::string> mounts = read_file("/proc/self/mountinfo");
  if (mounts) {
    for (const std::string &line : split(*mounts, '\n')) {
      size_t type = line.find(" - cgroup2 ");
      if (type == std::string::npos) continue;
      std::vector<std::string> fields = split(line, ' ');
      if (fields.size() > 4) return fields[4];
    }
  }
  return "/sys/fs/cgroup";
}

std::optional<uint64_t> cgroup_id(const std::string &path) {
  struct stat status{};
  const std::string root = "/sys/fs/cgroup";
  if (stat(path.c_str(), &status) == 0) return status.st_ino;
  if (!path.starts_with(root) && stat((root + "/" + path).c_str(), &status) == 0) return status.st_ino;
  return std::nullopt;
}

std::optional<std::string> cgroup_path(uint64_t id, std::string_view filter) {
  static CgroupTable table(cgroup2_mount());
  if (!filter.empty() && !glob_match(filter, "unified")) return std::nullopt;
  return table.find(id);
}

}  // namespace awl
