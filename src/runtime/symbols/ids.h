// The tables behind user_name() and cgroup_path().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "runtime/symbols/symbols.h"

namespace awl {

class UserTable {
 public:
  explicit UserTable(std::string path) : path_(std::move(path)) {}
  std::optional<std::string> find(uint64_t uid);

 private:
  std::string path_;
  int64_t stamp_ = -1;
  std::unordered_map<uint64_t, std::string> names_;
};

class CgroupTable {
 public:
  explicit CgroupTable(std::string root) : root_(std::move(root)) {}
  std::optional<std::string> find(uint64_t id);

 private:
  void walk(const std::string &below);

  std::string root_;
  std::unordered_map<uint64_t, std::string> paths_;
  std::chrono::steady_clock::time_point last_walk_;
  bool walked_ = false;
};

// Where the cgroup v2 hierarchy is mounted.
std::string cgroup2_mount();
// The number of a group's directory; `path` from the root, or from where the hierarchy is mounted. Nullopt: no such
// path.
std::optional<uint64_t> cgroup_id(const std::string &path);

}  // namespace awl
