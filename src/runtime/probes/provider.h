// A provider knows one kind of probe: it parses and expands its targets, says what context the program
// gets (data for the compiler), and attaches (code for the runtime). One file a provider; all of them stand
// in providers.def.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/probes/user_types.h"
#include "runtime/types/type_store.h"

namespace awl {

// A parsed attach point. Which members mean something depends on the provider.
struct ProbeTarget {
  std::string provider;  // canonical: "kprobe", "begin"
  std::string scope;     // tracepoint: category; kprobe: module; uprobe, usdt: path of the binary
  std::string space;     // usdt: provider name inside the binary; uprobe: language ("cpp")
  std::string name;      // function, event, marker, unit ("hz", "ms", ...)
  std::string pin;       // iter: path that it is pinned to, "" if awl runs it
  std::string named;     // uprobe: the library that the script names, if glibc has moved the function to `scope`
  uint64_t offset = 0;   // kprobe, uprobe: bytes behind the function
  uint64_t address = 0;  // uprobe: 0xADDR instead of a name; kprobe likewise. Without has_address: where expand()
                         // found the name, 0 if not known; no part of text()
                         // watchpoint of an argument: `space` is the function, `offset` the number of the argument
  uint64_t count = 0;    // watchpoint: bytes; profile, interval: frequency or period in `name` units
  bool has_address = false;

  // Canonical text, e.g. "tracepoint:sched:sched_switch": what `probe` prints and -l lists.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool wildcard() const;  // scope, space or name has one
};

// Kernel program types that codegen and loader know.
enum class ProgType : uint8_t { RawTracepoint, Tracepoint, Kprobe, PerfEvent, Fentry, Fexit, Iter };

// How argN is reached from the program's context.
enum class ArgReach : uint8_t {
  None,
  Registers,  // pt_regs at the start of the context, calling convention of the architecture
  Usdt,       // described by the marker's note: looked up by attach cookie at run time
  Words,      // the context is an array of 64-bit words
};

// What a program attached to a target finds. One per distinct kind of target, not per attachment.
struct ProbeContext {
  ProgType prog_type = ProgType::RawTracepoint;
  ArgReach args_reach = ArgReach::None;  // of arg0, arg1, ...
  uint32_t arg_count = 0;                // how many argN there are; 0: none
  bool has_retval = false;               // `retval`, in the return register
  bool has_regs = false;                 // pt_regs at the start of the context: reg(), user and kernel ip
  bool has_func = false;                 // `func` makes sense
  bool user_code = false;                // fires in user code: pointers are user pointers, may be preempted
  bool args_trusted = false;             // the verifier knows what pointers in `args` point at: plain loads
  bool filter_pid = false;               // -p must be tested in the program (else done when attaching)
  // The process that runs the program is the one it is about: it can be narrowed to some (--comm, --cgroup, ...).
  [[nodiscard]] bool selects() const { return filter_pid || user_code; }
  // Struct behind `args`, null if none, reached from the context: Origin::Tracefs or Context, or pt_regs seen as a
  // struct of the parameters that they hold (Origin::Dwarf).
  const Type *args = nullptr;  // iter: behind `ctx`
  // Further members of `args` that are no part of that struct: variables of the program in its memory, or that have to
  // be computed, and those that cannot be read, with the reason.
  std::vector<UserVariable> variables;
  [[nodiscard]] const UserVariable *variable(std::string_view wanted) const;
  const Type *retval = nullptr;                   // type of `retval` where only debug information tells it
  const Type *retval_part_of = nullptr;           // a struct of which `retval` holds the first 8 bytes at most
  std::string no_retval;                          // why there is no `retval` although the probe is at a return
  AddressSpace arg_space = AddressSpace::Kernel;  // of pointers in argN
  std::vector<std::string> warnings;              // e.g. "function__entry of this binary does not fire by itself"
  std::string warning_hint;
  // The warnings do not hold if the script also attaches this target (its text()): "" if nothing helps.
  std::string warning_unless;
};

struct AttachOptions {
  int prog_fd = -1;
  uint64_t cookie =
      0;        // bpf_get_attach_cookie() in the program; usdt: index of the argument spec is added by the session
  int pid = 0;  // -p, 0 for all processes
  bool unsafe = false;
  bool session = false;  // attach_many: at entry and return
};

// One thing attached. Owns its descriptors; closing may take 50-90 ms each (RCU), so the session never
// destroys attachments one by one at the end: see Session.
class Attachment {
 public:
  Attachment() = default;
  explicit Attachment(std::vector<int> fds) : fds_(std::move(fds)) {}
  Attachment(Attachment &&other) noexcept : fds_(std::move(other.fds_)) { other.fds_.clear(); }
  Attachment &operator=(Attachment &&other) noexcept;
  Attachment(const Attachment &) = delete;
  Attachment &operator=(const Attachment &) = delete;
  ~Attachment();
  [[nodiscard]] const std::vector<int> &fds() const { return fds_; }
  // Hands the descriptors over to the caller, who closes them.
  [[nodiscard]] std::vector<int> release() { return std::exchange(fds_, {}); }

 private:
  std::vector<int> fds_;
};

// Encoded location of one USDT argument, as the BPF side reads it (element of the internal map
// "awl_usdt": struct UsdtSpec by index).
// Memory: *(reg + constant) in user memory; IndexedMemory: *(reg + (index << index_shift) + constant)
enum class UsdtArgKind : uint32_t { Constant, Register, Memory, IndexedMemory };
struct UsdtArg {
  uint64_t constant = 0;    // Constant: the value; Memory: offset to add to the register
  uint32_t kind = 0;        // UsdtArgKind
  uint32_t reg_offset = 0;  // of the register in pt_regs
  uint32_t shift = 0;       // bits to shift left then right again: 64 - 8 * size
  uint32_t is_signed = 0;
  uint32_t index_offset = 0;  // IndexedMemory: of the index register in pt_regs
  uint32_t index_shift = 0;   // IndexedMemory: 0 to 3
  friend bool operator==(const UsdtArg &, const UsdtArg &) = default;
};
constexpr uint32_t kUsdtMaxArgs = 12;
struct UsdtSpec {
  uint64_t cookie = 0;  // the attachment's own cookie (probe name index)
  uint64_t arg_count = 0;
  UsdtArg args[kUsdtMaxArgs];
};

// One place to attach to, ready: several per target are possible (inlined USDT markers).
struct AttachPlace {
  ProbeTarget target;             // exact, no wildcards
  std::optional<UsdtSpec> usdt;   // for usdt markers
  uint64_t file_offset = 0;       // uprobe, usdt
  uint64_t semaphore_offset = 0;  // usdt reference counter, 0 if none
};

struct ListEntry {
  std::string text;                 // "tracepoint:syscalls:sys_enter_openat"
  std::vector<std::string> params;  // -lv: "int dfd", "const char * filename"
};

// Where the kernel shows itself; tests put directories of their own here. Attaching always uses the real ones.
struct ProbeRoots {
  std::string tracefs;  // "": tracefs_path()
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  std::string btf = "/sys/kernel/btf/vmlinux";
  std::string traceable;  // list of kernel functions instead of tracefs' own (--traceable-functions)
};

// What providers need to know of the run.
struct ProbeEnvironment {
  TypeStore *types = nullptr;
  int pid = 0;  // -p, the first if there are several, 0 if none: whose files are meant where none is named
  std::vector<int> pids = {};  // all of -p
  int attach_pid = 0;          // the only process to attach to, 0 for all
  int child_pid = 0;           // -c: the only process for probes in user code; their programs test it as well
  bool unsafe = false;
  std::string missing_probes = "error";
  ProbeRoots roots = {};
  std::string child_program = {};   // -c: the file of the command
  UserTypes *user_types = nullptr;  // null: no debug information of user programs
};

// What makes a program run. Events are what the kernel attaches it to; the session itself runs all others, by
// BPF_PROG_TEST_RUN, and their providers attach to nothing.
enum class Occasion : uint8_t { Event, Begin, End, Test, Bench, Signal };

// What the verifier must know a program for.
struct AttachTarget {
  std::string name;          // kernel function, iterator, function of a BPF program
  uint32_t bpf_program = 0;  // id of that program
};

// What a probe costs, in nanoseconds. What counts is the order of magnitude: user probes, tracepoints and raw
// tracepoints as measured on Linux 6.18, kernel functions as estimated from 6.12 in an emulator.
struct ProbeCost {
  double attach = 200e3;          // one place by a system call of its own
  double attach_in_link = 200e3;  // one place of a link to many
  double event = 100;
};

// A provider that watches memory: where the address is the argument of a function (a target without has_address), the
// process that calls it stops until the address is watched, or goes on.
enum class Watching : uint8_t { Nothing, StopsCaller, CallerGoesOn };

class Provider {
 public:
  virtual ~Provider() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;                  // "kprobe"
  [[nodiscard]] virtual std::vector<std::string_view> aliases() const = 0;  // {"k"}
  [[nodiscard]] virtual std::string_view syntax() const = 0;                // "kprobe:[MODULE:]FUNCTION[+OFFSET]"
  [[nodiscard]] virtual std::string_view doc() const = 0;                   // one line for help

  [[nodiscard]] virtual Occasion occasion() const { return Occasion::Event; }

  // Which part behind the name may be a path, so that a '/' there does not begin a predicate; 0: none.
  [[nodiscard]] virtual size_t path_part() const { return 0; }
  // Parts of the attach point behind the provider's name, split at ':' outside quotes.
  virtual Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const = 0;
  // The reverse of it, ProbeTarget::text().
  [[nodiscard]] virtual std::string text(const ProbeTarget &target) const;
  // Exact targets that a target with wildcards stands for, sorted; {target} itself if it has none and exists.
  // Unknown names are errors with a did-you-mean hint where the place can be listed.
  virtual Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const = 0;
  // Context of an exact target. With `needs_args` false the struct behind `args` need not be made.
  virtual Result<ProbeContext> context(const ProbeTarget &target, bool needs_args,
                                       const ProbeEnvironment &env) const = 0;
  // All places of an exact target, in attaching order.
  virtual Result<std::vector<AttachPlace>> places(const ProbeTarget &target, const ProbeEnvironment &env) const;
  // What programs of this target must be loaded for.
  [[nodiscard]] virtual std::optional<AttachTarget> load_target(const AttachPlace &) const { return std::nullopt; }
  // Attaches a loaded program.
  virtual Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const = 0;
  // Many places of one program by few system calls. The program must have been loaded with this
  // expected_attach_type; 0: such targets are attached one by one.
  [[nodiscard]] virtual uint32_t multi_attach_type(const ProbeTarget &) const { return 0; }
  // cookies[i] goes with places[i]; options.cookie is not used.
  virtual Result<Attachment> attach_many(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                         const AttachOptions &options) const;
  // The provider of the entries of the functions whose returns these are, if one link of the kernel can be at both.
  [[nodiscard]] virtual const Provider *entries() const { return nullptr; }
  // Whether the kernel calls the programs of one event in the order of attaching, not in the reverse one.
  [[nodiscard]] virtual bool attaches_forward() const { return false; }
  // Fires in user code, and can be attached to one process alone.
  [[nodiscard]] virtual bool in_user_code() const { return false; }
  [[nodiscard]] virtual Watching watching() const { return Watching::Nothing; }
  // What is attached is an iterator, which waits to be read (or pinned).
  [[nodiscard]] virtual bool is_iterator() const { return false; }
  [[nodiscard]] virtual bool needs_tracefs() const { return false; }
  [[nodiscard]] virtual ProbeCost cost() const { return {}; }
  // What to do when a kernel that lets other programs load refuses (EPERM) those of this target.
  [[nodiscard]] virtual std::string_view refusal_hint(const ProbeTarget &) const { return {}; }

  // Probes matching the target's wildcards; `verbose` fills params.
  virtual Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                              const ProbeEnvironment &env) const;
  // What it fires at has no list (an address, a name that the script chooses): listings show the syntax.
  [[nodiscard]] virtual bool listed_by_syntax() const { return false; }
  // An error if this kernel has no such probes: listings that name no provider leave them out.
  [[nodiscard]] virtual Result<> available(const ProbeEnvironment &) const { return {}; }
  // Included in a listing of everything (`awl -l`, `awl -l '*foo*'`).
  [[nodiscard]] virtual bool listed_by_default() const { return false; }
  // Included in searches of what one process or file has (`-p PID`, `*:/path/to/file:name`).
  [[nodiscard]] virtual bool listed_in_programs() const { return false; }
  // Several exact targets may share one program when the body does not use `args`.
  [[nodiscard]] virtual bool shares_program() const { return true; }
  // The same when the body uses neither argN nor `probe`.
  [[nodiscard]] virtual bool shares_bare_program() const { return shares_program(); }
};

// All providers, in the order in which they are listed.
const std::vector<const Provider *> &all_providers();
// By name or alias, case-insensitive; null if unknown.
const Provider *find_provider(std::string_view name);

// Attached to nothing (see Occasion): such programs act whatever the state of the run.
bool is_run_by_session(std::string_view provider);

// Splits and parses an attach point: "k:vfs_read" -> kprobe. Unknown providers get a did-you-mean hint.
Result<ProbeTarget> parse_attach_point(std::string_view text, const ProbeEnvironment &env);
// The same for text whose provider may be a wildcard, `*:vfs_read`: a target for each provider that is listed by
// default and has such probes; in user programs if a file is named or with -p.
Result<std::vector<ProbeTarget>> parse_attach_points(std::string_view text, const ProbeEnvironment &env);

// `awl -l [PATTERN[,PATTERN]...]`: each over one provider or all that are listed by default ("*:*", "*foo*", "foo").
// Patterns that match nothing are no errors: `unmatched` gets a message for each of them.
Result<std::vector<ListEntry>> list_probes(std::string_view patterns, bool verbose, const ProbeEnvironment &env,
                                           std::vector<Error> *unmatched = nullptr);

}  // namespace awl
