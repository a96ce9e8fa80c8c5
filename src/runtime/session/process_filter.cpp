#include "runtime/session/process_filter.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "runtime/session/follow.h"
#include "runtime/symbols/ids.h"

namespace awl {

namespace {

constexpr size_t kShortestId = 4;  // a shorter one would find anything
constexpr size_t kCommSize = 16;

// The one that awl runs in.
PidNamespace own_pid_namespace() {
  struct stat status{};
  if (stat("/proc/self/ns/pid", &status) != 0) return {};
  return {status.st_ino, status.st_dev};
}

bool is_cgroup(const std::string &path) {
  struct statfs info{};
  return statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

Result<int> open_cgroup(const std::string &path) {
  const std::string root = cgroup2_mount();
  if (!is_cgroup(root))
    return fail("this system has no hierarchy of control groups of version 2", "mount one: mount -t cgroup2 none DIR");
  const std::string below = root + (path.starts_with('/') ? "" : "/") + path;
  const std::string &place = is_cgroup(path) ? path : below;
  const int fd = is_cgroup(place) ? open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (fd >= 0) return fd;
  return fail(fmt::format("there is no such control group below {}", root),
              "/proc/PID/cgroup tells that of a process; `systemd-cgls` shows all");
}

// What runtimes put around a container's id.
std::string_view bare_id(std::string_view name) {
  constexpr std::string_view kScope = ".scope", kService = ".service";
  if (name.ends_with(kScope)) name.remove_suffix(kScope.size());
  if (name.ends_with(kService)) name.remove_suffix(kService.size());
  for (std::string_view prefix : {"docker-", "libpod-", "crio-", "cri-containerd-", "containerd-", "nerdctl-",
                                  "lxc.payload.", "machine-", "buildkit-"})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return name;
}

void walk_cgroups(const std::string &folder, std::string_view id, std::vector<std::string> &out) {
  DIR *dir = opendir(folder.c_str());
  if (!dir) return;
  std::vector<std::string> below;
  while (const dirent *entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    const std::string path = folder + "/" + entry->d_name;
    // Its parts are inside it: a program that tests the group sees them, too.
    if (bare_id(name).starts_with(id))
      out.push_back(path);
    else
      below.push_back(path);
  }
  closedir(dir);
  for (const std::string &child : below) walk_cgroups(child, id, out);
}

Result<std::string> container_cgroup(const std::string &id) {
  const std::vector<std::string> found = find_container(cgroup2_mount(), id);
  if (found.size() == 1) return found.front();
  if (found.empty())
    return fail("no control group carries this id", "`docker ps`, `podman ps` or `crictl ps` lists containers");
  return fail(fmt::format("{} control groups begin with it: {} and {}", found.size(), found[0], found[1]),
              "give more of the id");
}

Error say(std::string_view what, const std::string &name, Error error) {
  error.message = fmt::format("{} `{}`: {}", what, name, error.message);
  return error;
}

}  // namespace

std::vector<std::string> find_container(const std::string &root, std::string_view id) {
  std::vector<std::string> out;
  if (id.size() >= kShortestId) walk_cgroups(root, id, out);
  std::ranges::sort(out);
  return out;
}

std::vector<int> ProcessFilter::processes(int child) const {
  std::vector<int> named = pids;
  if (child != 0) named.push_back(child);
  if (!follow) return named;
  const std::set<uint32_t> all = with_descendants({named.begin(), named.end()});
  return {all.begin(), all.end()};
}

Result<ProcessSelection> ProcessSelection::make(const ProcessFilter &filter, int child) {
  ProcessSelection out;
  out.follow_ = filter.follow;
  out.only_pid_ = filter.only_pid();
  if (out.only_pid_ == 0) out.pids_.assign(filter.pids.begin(), filter.pids.end());
  if (child != 0 && filter.follow) out.pids_.push_back(static_cast<uint32_t>(child));
  if (child != 0 && !filter.follow) out.user_pid_ = child;
  out.comms_ = filter.comms;
  std::vector<std::string> cgroups = filter.cgroups;
  for (const std::string &id : filter.containers) {
    Result<std::string> path = container_cgroup(id);
    if (!path) return std::unexpected(say("container", id, std::move(path).error()));
    cgroups.push_back(*path);
  }
  if (cgroups.size() > kMaxCgroups)
    return fail(fmt::format("{} control groups, {} are possible", cgroups.size(), kMaxCgroups),
                "a group that holds them all holds what is in them");
  for (const std::string &path : cgroups) {
    Result<int> fd = open_cgroup(path);
    if (!fd) return std::unexpected(say("control group", path, std::move(fd).error()));
    out.cgroups_.emplace_back(*fd);
  }
  return out;
}

void ProcessSelection::set_params(LoadOptions &load) const {
  load.params[kParamPid] = static_cast<uint64_t>(only_pid_);
  load.params[kParamUserPid] = static_cast<uint64_t>(user_pid_);
  const PidNamespace numbers = own_pid_namespace();
  load.params[kParamPidSpace] = numbers.inode;
  load.params[kParamPidSpaceDevice] = numbers.first() ? 0 : numbers.device;
  load.params[kParamCgroups] = cgroups_.size();
  if (only_pid_ != 0) load.params[kParamSelect] |= kSelectPid;
  if (user_pid_ != 0) load.params[kParamSelect] |= kSelectUserPid;
  if (!cgroups_.empty()) load.params[kParamSelect] |= kSelectCgroups;
  if (!pids_.empty()) {
    load.params[kParamSelect] |= kSelectPids;
    load.select_maps["awl_pids"] = follow_ ? kMaxFollowed : static_cast<uint32_t>(pids_.size());
  }
  if (!comms_.empty()) {
    load.params[kParamSelect] |= kSelectComms;
    load.select_maps["awl_comms"] = static_cast<uint32_t>(comms_.size());
  }
  if (!cgroups_.empty()) load.select_maps["awl_cgroups"] = kMaxCgroups;
}

Result<void> ProcessSelection::apply(const LoadedObject &object, const ProbeEnvironment &env) {
  const uint32_t yes = 1;
  const int pids = object.map("awl_pids"), comms = object.map("awl_comms"), cgroups = object.map("awl_cgroups");
  for (const uint32_t pid : pids_)
    if (pids >= 0 && bpf_map_update_elem(pids, &pid, &yes, BPF_ANY) != 0) return fail_errno("name a process");
  for (const std::string &comm : comms_) {
    std::array<char, kCommSize> key{};  // the kernel cuts names in the same way
    std::memcpy(key.data(), comm.data(), std::min(comm.size(), kCommSize - 1));
    if (comms >= 0 && bpf_map_update_elem(comms, key.data(), &yes, BPF_ANY) != 0) return fail_errno("name a thread");
  }
  for (uint32_t i = 0; i < cgroups_.size(); i++)
    if (const int group = cgroups_[i].get(); cgroups >= 0 && bpf_map_update_elem(cgroups, &i, &group, BPF_ANY) != 0)
      return fail_errno("name a control group");
  if (!follow_ || pids < 0) return {};
  const PidNamespace numbers = own_pid_namespace();
  const StatePlace lost = object.state_place(kStateNotFollowed);
  followers_ =
      TRY(numbers.first() ? follow_children(pids, lost, env) : follow_children_inside(pids, lost, numbers, env));
  return add_descendants(pids, pids_);
}

}  // namespace awl
