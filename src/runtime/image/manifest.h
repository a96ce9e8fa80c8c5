// Manifest: everything the runtime must know about a compiled program besides its BPF object. Object and
// Manifest together are the Image, the only thing the runtime ever sees.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/source.h"
#include "runtime/types/btf.h"
#include "runtime/types/type.h"

namespace awl {

// --- Shared memory of the BPF programs (see codegen) -------------------------------------------------

// `awl_state`, an array of uint64 in .bss, mapped by the runtime.
enum StateWord : uint32_t {
  kStateRun = 0,           // RunState; alone in its cache line, read by every program
  kStateNeedWakeup = 8,    // set by the runtime before it sleeps, cleared by the program that wakes it
  kStateLostEvents = 16,   // ring buffer full
  kStateLostStacks = 17,   // stack map full or collision
  kStateScratchBusy = 18,  // no free scratch memory: the event was skipped
  kStateCutStacks = 19,    // the unwinder did not find the outermost frame
  kStateZero = 20,         // nobody writes it; a zero that the verifier does not know
  kStateNotFollowed = 21,  // tasks that found no room in awl_pids
  kStateMapErrors = 24,    // kMapErrorWords for each map; behind them Manifest::places
};
// Updates refused because the map is full, and for other reasons.
constexpr uint32_t kMapErrorWords = 2;
enum class RunState : uint64_t { Starting = 0, Running = 1, Stopped = 2 };  // programs but BEGIN/END act on Running

// `awl_params`, an array of uint64 in .rodata, set before loading.
enum ParamWord : uint32_t {
  kParamPid = 0,              // -p: process to trace, 0 for all
  kParamChildPid = 1,         // process started by -c
  kParamStartTime = 2,        // CLOCK_BOOTTIME at start, nanoseconds
  kParamBootToWall = 3,       // added to CLOCK_BOOTTIME gives wall clock, nanoseconds
  kParamCpus = 4,             // possible CPUs
  kParamTaiOffset = 5,        // CLOCK_TAI minus CLOCK_BOOTTIME at start, nanoseconds
  kParamPidSpace = 6,         // inode number of awl's pid namespace
  kParamSelect = 7,           // SelectBits: which of the tests below a process must pass
  kParamCgroups = 8,          // elements of awl_cgroups
  kParamUserPid = 9,          // process that probes in user code are meant for, 0 for all
  kParamPidSpaceDevice = 10,  // device of awl's pid namespace, 0 if that is the first one
  kParamCount = 16,
};

// Which processes are meant: programs test it first (ProbeContext::selects). Maps that no test needs are not made.
enum SelectBits : uint64_t {
  kSelectPids = 1,      // the process is a key of awl_pids {uint32 pid: uint32}
  kSelectComms = 2,     // the thread's name is a key of awl_comms {char[16]: uint32}
  kSelectCgroups = 4,   // it is in one of kParamCgroups control groups
  kSelectPid = 8,       // the process is kParamPid
  kSelectUserPid = 16,  // the process is kParamUserPid
};
// awl_cgroups is an array of control groups; a process must be in one of them or below it.
constexpr uint32_t kMaxCgroups = 4;
// Entries of awl_pids with --follow: processes and threads at a time.
constexpr uint32_t kMaxFollowed = 65536;

// Every ring buffer record starts with this, 8 bytes; offsets in ArgSlot count from the record's start.
struct RecordHeader {
  uint32_t action;  // index in Manifest::actions
  uint32_t cpu;
};

// --- Maps ----------------------------------------------------------------------------------------------

enum class MapRole : uint8_t { User, Stack, RingBuffer, Internal, Twin, Parts };

struct MapInfo {
  std::string name;      // "@x", "@" ; internal maps: name in the object
  std::string bpf_name;  // in the object: "AT_x"
  MapRole role = MapRole::User;
  uint32_t bpf_type = 0;  // enum bpf_map_type
  uint32_t max_entries = 0;
  uint32_t flags = 0;
  const Type *key = nullptr;    // null: scalar map, an array with one element
  const Type *value = nullptr;  // as the script sees it
  uint32_t value_size = 0;      // in the BPF map. Scalar non-aggregates: value padded to 8, then uint64 set
  bool per_cpu = false;
  uint32_t stack_frames = 0;  // role Stack
  Span span;                  // first use
  // A map that is printed and cleared at once has a second one of its shape (role Twin): programs use the one that
  // `side_word` of awl_state names (0: this one, 1: the twin), the runtime changes the word, waits until no program
  // can still use the other, and has that to itself.
  int32_t twin = -1;  // index in Manifest::maps
  uint32_t side_word = 0;
  // Of a tseries() with more than kSeriesInOne intervals: index of the map (role Parts) that holds them. Its key is
  // {key, uint64 part} or, without keys, uint64 part, and its value a tseries() of kSeriesPart intervals; interval i is
  // in part i / kSeriesPart % series_parts(length). This map then has the keys alone. With a twin each has its own.
  int32_t parts = -1;
};

// --- Actions: what a ring buffer record asks the runtime to do ----------------------------------------

enum class ActionKind : uint8_t {
#define AWL_ACTION(kind, ...) kind,
#include "runtime/image/actions.def"
#undef AWL_ACTION
};

// What an action of a kind needs to be carried out: see actions.def.
struct ActionShape {
  bool has_format, has_map;
  size_t least_args;
};
constexpr ActionShape kActionShapes[] = {
#define AWL_ACTION(kind, handler, format, map, arguments) {format, map, arguments},
#include "runtime/image/actions.def"
#undef AWL_ACTION
};
constexpr const ActionShape &shape_of(ActionKind kind) { return kActionShapes[static_cast<size_t>(kind)]; }

// Print and clear (or zero) of a map in a row are one step: see MapInfo::twin.
enum class MapTake : uint8_t {
  No,
  First,  // print: changes sides, shows the side that programs have left
  More,   // print: shows that side again; clear and zero: empty it
};

struct ArgSlot {
  const Type *type = nullptr;
  uint32_t offset = 0;  // in the record
};

struct Action {
  ActionKind kind = ActionKind::Printf;
  std::string format;
  std::vector<ArgSlot> args;
  int32_t map = -1;  // index in Manifest::maps
  uint32_t top = 0;  // PrintMap: last entries only, 0 for all
  uint64_t div = 0;  // PrintMap: divide values, 0 for not
  MapTake take = MapTake::No;
  uint32_t size = 0;  // bytes of the record
  Span span;
};

// --- Probes ------------------------------------------------------------------------------------------

struct ProbeInfo {
  std::string provider;  // canonical name of a provider: "kprobe"
  std::string text;      // canonical attach point; may hold wildcards: "kprobe:vfs_*"
  std::string program;   // name of its BPF program in the object
  Span span;
  uint32_t source_index = 0;  // order in the script
  bool needs_cookie = false;  // the program may ask for the name of its probe
};

// Places in the script where a helper can fail without the script seeing it: an address that cannot be read, an entry
// that a map does not have. Without -k only reads of user space's text, at addresses other than 0. Each has words of
// awl_state: how often it failed, how it did last, and, without -k, whether it has ever not failed.
struct HelperSite {
  Span span;
  uint32_t helper = 0;  // enum bpf_func_id
};
constexpr uint32_t kHelperSiteWords = 3;

// What can go wrong at a place of the script while it runs, and is counted there.
enum class RunError : uint8_t {
  DivideByZero,
  LoopTooLong,  // a range of more turns than the kernel makes: it made none
  LoopCut,      // `while` ended because the kernel makes no more turns
};

struct ErrorPlace {
  RunError error = RunError::DivideByZero;
  Span span;
};

struct ConfigValues {
  uint64_t max_strlen = 1024;
  uint64_t max_map_keys = 4096;
  uint64_t max_probes = 1024;  // a limit only where the script sets it: see max_probes_set
  uint64_t max_cat_bytes = 10240;
  uint64_t ring_buffer_bytes = 8 << 20;
  uint64_t log_size = 1000000;
  bool print_maps_on_exit = true;
  bool cpp_demangle = true;
  bool show_debug_info = false;  // lines of source and inlined functions in user stacks
  bool unsafe = false;
  bool helper_errors = false;  // -k
  bool max_probes_set = false;
  std::string missing_probes = "error";
  std::string str_trunc_trailer = "..";
  StackMode stack_mode = StackMode::Bpftrace;
  bool unwind_stacks = false;  // user_stack
};

// A parameter of the script, as it was when the program was written. Those with a word may be changed when it is run.
struct ScriptParam {
  std::string name;   // "$1", "--name"; "$#": the number of positional ones
  std::string text;   // what was given, where it is a text
  int64_t value = 0;  // else
  bool is_flag = false;
  uint32_t word = 0;  // of awl_params, 0: the program was made for this value
  std::string fixed;  // then: why
};

// What the machine alone knows on which the program runs: a word of awl_params, set before loading.
enum class MachineFact : uint8_t {
  KernelSymbol,  // address of the symbol `name`
  Cgroup,        // id of the control group at the path `name`
};

struct MachineWord {
  MachineFact fact = MachineFact::KernelSymbol;
  std::string name;
  uint32_t word = 0;  // of awl_params
  Span span;          // first use
};

struct Manifest {
  // The script and what it imports, for diagnostics at load and run time.
  std::vector<SourceFile> files;
  std::vector<Expansion> expansions;
  std::string script_text;
  ConfigValues config;
  std::vector<MapInfo> maps;
  std::vector<Action> actions;
  std::vector<ProbeInfo> probes;
  std::vector<std::string> strings;      // strftime formats, probe names, ...
  std::vector<CoreStruct> core_structs;  // what to relocate against
  std::vector<HelperSite> helper_sites;
  uint32_t helper_site_word = 0;           // of the first site
  std::vector<ErrorPlace> places;          // counted in awl_state behind the maps
  uint32_t state_words = kStateMapErrors;  // size of awl_state
  std::vector<ScriptParam> params;
  std::vector<MachineWord> machine;  // their words are behind those of params
  bool unwinds = false;              // has the maps of the unwinder (runtime/unwind)
  bool has_c = false;                // functions in C are linked in: what they touch of the kernel is not known

  [[nodiscard]] uint32_t place_word(size_t place) const {
    return static_cast<uint32_t>(kStateMapErrors + kMapErrorWords * maps.size() + place);
  }
};

struct Image {
  std::string object;  // BPF ELF
  Manifest manifest;
};

}  // namespace awl
