// From the manifest's attach points to attached programs: first the plan, before anything is loaded, then the
// attaching.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/probes/provider.h"
#include "runtime/session/argument_watches.h"
#include "runtime/session/loader.h"
#include "runtime/session/session_program.h"

namespace awl {

// One exact probe.
struct PlannedProbe {
  const ProbeInfo *info = nullptr;
  const Provider *provider = nullptr;
  std::vector<AttachPlace> places;
  // Attach cookie of the first place. Low half: index of the name in AttachPlan::names, or of the constant with bit 31
  // if programs have this name as one; high half: the same of the function. Probes of one name share it, but a marker's
  // places have one each, an index.
  uint64_t cookie = 0;
  std::string text;  // its name
};

// What a run is for: everything but tests and benchmarks, or one of them with BEGIN and END.
enum class RunMode : uint8_t { Usual, Test, Bench };

// Which probes of the manifest are meant.
struct Selection {
  RunMode mode = RunMode::Usual;
  std::optional<std::regex> filter;  // --probe-filter: exact probes whose text does not match are left out
};

struct AttachPlan {
  std::vector<PlannedProbe> probes;       // in attaching order
  std::vector<const ProbeInfo *> begins;  // in the script's order
  std::vector<const ProbeInfo *> ends;
  std::vector<const ProbeInfo *> trials;   // test or bench
  std::vector<const ProbeInfo *> signals;  // self:signal:SIGUSR1
  std::vector<std::string> names;          // of probes, by attach cookie
  // Elements of awl_usdt, by attach cookie: markers come first in `names`, so that one cookie leads to both.
  std::vector<UsdtSpec> usdt;
  // Programs that are attached to all places of a ProbeInfo at once, with what they must be loaded for.
  std::map<std::string, uint32_t> multi;
  // Of those, programs of functions' entries that are attached together with that of their returns (SessionProgram).
  std::map<std::string, std::string> sessions;

  [[nodiscard]] bool nothing() const {
    return probes.empty() && begins.empty() && ends.empty() && trials.empty() && signals.empty();
  }
  // Names of the programs that are needed; the others are not loaded.
  [[nodiscard]] std::set<std::string> programs() const;
  // What the programs of fentry, fexit and iter are loaded for.
  [[nodiscard]] std::map<std::string, AttachTarget> attach_targets() const;
};

// Expands wildcards and finds all places. Probes that do not exist are errors, warnings or nothing, as
// `missing_probes` says. Nothing is decided by errors: the caller looks at the diagnostics.
AttachPlan plan_attachments(const Manifest &manifest, const ProbeEnvironment &env, const Selection &selection,
                            Diagnostics &diagnostics);

// Of a probe that is not there or cannot be attached: what `missing_probes` says, an error, a warning or nothing.
void report_probe(const ProbeInfo &info, const std::string &text, const Error &error, const std::string &missing_probes,
                  Diagnostics &diagnostics);

// A link to get a name in the BPF file system.
struct PinnedLink {
  int link = -1;
  std::string path;
  const PlannedProbe *probe = nullptr;
};

struct AttachResult {
  std::vector<Attachment> attachments;
  std::multimap<uint64_t, size_t> watchpoints;           // index in `attachments` by address
  std::unique_ptr<ArgumentWatches> arguments;            // of watchpoints whose addresses come with calls
  std::vector<int> iterators;                            // links of iter probes: attached, they wait to be run
  std::vector<PinnedLink> pins;                          // likewise of those that are to be pinned
  std::map<const ProbeInfo *, SessionProgram> sessions;  // by the probe of the entries
  size_t probes = 0;                                     // exact probes attached
  bool interrupted = false;                              // by a signal
};

// Detaches the watchpoints of an address; there may be none any more.
void detach_watchpoints(AttachResult &attached, uint64_t address);

// Watches the addresses that functions were called with, when attached.arguments has some.
void watch_arguments(AttachResult &attached, Diagnostics &diagnostics);

// Attaches one after the other; shows its progress on a terminal when there are many. `processes`: where addresses of a
// process are watched.
AttachResult attach_all(const AttachPlan &plan, const LoadedObject &object, const Manifest &manifest,
                        const ProbeEnvironment &env, std::vector<int> processes, bool quiet, Diagnostics &diagnostics);

}  // namespace awl
