// Which processes a run is about: -p, -c, --follow, --comm, --cgroup, --container.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "runtime/probes/provider.h"
#include "runtime/session/loader.h"

namespace awl {

// As the user gives it. Several of one kind: one of them; several kinds: all of these.
struct ProcessFilter {
  std::vector<int> pids;
  bool follow = false;                  // what they, or the command of -c, start as well
  std::vector<std::string> comms;       // names of threads
  std::vector<std::string> cgroups;     // paths in the file system, or below the hierarchy's root
  std::vector<std::string> containers;  // ids, or their beginnings

  // The only process that is meant, 0 if there is no such.
  [[nodiscard]] int only_pid() const { return pids.size() == 1 && !follow ? pids.front() : 0; }
  // Those that -p and -c name, with --follow also what they have started until now. `child`: the command of -c, 0 if
  // there is none.
  [[nodiscard]] std::vector<int> processes(int child) const;
};

// The filter made ready for the programs: parameters before they are loaded, maps after it.
class ProcessSelection {
 public:
  // Opens the control groups. `child`: the command of -c, 0 if there is none. Errors: no such group or container, more
  // of them than a program can test.
  static Result<ProcessSelection> make(const ProcessFilter &filter, int child);

  void set_params(LoadOptions &load) const;
  // Fills the maps. With --follow attaches what keeps awl_pids up to date, and adds the children that are there
  // already.
  Result<void> apply(const LoadedObject &object, const ProbeEnvironment &env);

 private:
  std::vector<uint32_t> pids_;  // of awl_pids
  bool follow_ = false;
  int only_pid_ = 0, user_pid_ = 0;
  std::vector<std::string> comms_;
  std::vector<Fd> cgroups_;
  std::vector<Attachment> followers_;
};

// The directories below `root` that are control groups of a container, by its id or a beginning of it:
// "docker-ID.scope", "crio-ID.scope", "lxc.payload.NAME", ".../ID".
std::vector<std::string> find_container(const std::string &root, std::string_view id);

}  // namespace awl
