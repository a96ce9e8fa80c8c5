#include "runtime/session/follow.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/fd.h"
#include "base/strings.h"
#include "runtime/session/bpf_assembler.h"
#include "runtime/session/libbpf_options.h"

// The programs are the same for every script, so they are written down as instructions here instead of being
// compiled into each Image. sched_process_fork comes before the child runs for the first time, in its parent;
// sched_process_free when nothing of the process is left, so that also what it does while it exits is seen. Threads
// are entered, too, which the event cannot tell apart; their ids are no process' until they are freed.
//
// The events have the numbers of the first pid namespace. Inside another one, where `pid` and so the keys of the map
// are its own, the number of a child is read from its struct pid; and since that is gone when the task is freed, a
// third program keeps the number from the time of sched_process_exit, in which the task itself runs.

namespace awl {

namespace {

constexpr int16_t kParent = -4, kChild = -8, kYes = -12;  // on the stack

// Behind a call that gives 0 if it was successful.
void count_failure(Assembler &out, StatePlace place) {
  Assembler count;
  count.map_value(BPF_REG_1, place.map, place.offset);
  count.set(BPF_REG_2, 1);
  count.atomic_add64(BPF_REG_1, 0, BPF_REG_2);
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(count.size()));
  out.append(count);
}

std::vector<bpf_insn> on_fork(int map, StatePlace lost, int16_t child_pid) {
  Assembler enter;  // the part behind the test, whose length the jump needs
  enter.store32_value(kYes, 1);
  enter.map(BPF_REG_1, map);
  enter.stack_address(BPF_REG_2, kChild);
  enter.stack_address(BPF_REG_3, kYes);
  enter.set(BPF_REG_4, BPF_ANY);
  enter.call(BPF_FUNC_map_update_elem);
  count_failure(enter, lost);

  Assembler out;
  out.load32(BPF_REG_6, BPF_REG_1, child_pid);
  out.store32(BPF_REG_10, kChild, BPF_REG_6);
  out.call(BPF_FUNC_get_current_pid_tgid);
  out.shift_right(BPF_REG_0, 32);
  out.store32(BPF_REG_10, kParent, BPF_REG_0);
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, kParent);
  out.call(BPF_FUNC_map_lookup_elem);
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(enter.size()));
  out.append(enter);
  out.leave();
  return out.code();
}

std::vector<bpf_insn> on_free(int map, int16_t pid) {
  Assembler out;
  out.load32(BPF_REG_6, BPF_REG_1, pid);
  out.store32(BPF_REG_10, kChild, BPF_REG_6);
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, kChild);
  out.call(BPF_FUNC_map_delete_elem);
  out.leave();
  return out.code();
}

// --- Inside a pid namespace

constexpr uint32_t kExiting = 65536;  // tasks between their exit and their end

// Where the number of a task stands: task->thread_pid->numbers[level of the namespace].nr
struct PidPlaces {
  int32_t thread_pid = 0, level = 0, numbers = 0, number = 0;
  int32_t each = 0;  // bytes of an element of numbers
};

std::optional<int32_t> offset_of(TypeStore &types, const Type *owner, std::string_view name) {
  const auto fields = types.fields(owner);
  if (!fields) return std::nullopt;
  for (const Field &field : **fields) {
    if (field.name == name) return static_cast<int32_t>(field.offset);
    if (!field.name.empty() || field.type->kind != TypeKind::Struct) continue;
    if (const auto inner = offset_of(types, field.type, name)) return static_cast<int32_t>(field.offset) + *inner;
  }
  return std::nullopt;
}

Result<PidPlaces> pid_places(const ProbeEnvironment &env) {
  PidPlaces out;
  const std::tuple<const char *, const char *, int32_t *> wanted[] = {
      {"struct task_struct", "thread_pid", &out.thread_pid},
      {"struct pid", "level", &out.level},
      {"struct pid", "numbers", &out.numbers},
      {"struct upid", "nr", &out.number}};
  for (const auto &[owner, name, place] : wanted) {
    const auto type = TRY(env.types->find(owner));
    const auto offset = type ? offset_of(*env.types, *type, name) : std::nullopt;
    if (!offset)
      return fail(fmt::format("following inside a pid namespace needs `{}` of `{}`, which the kernel does not describe",
                              name, owner),
                  "run awl outside of the container, with --container");
    *place = *offset;
    out.each = static_cast<int32_t>((*type)->size);  // of the last one
  }
  return out;
}

// On the stack; kIds is {pid, tgid}.
constexpr int16_t kIds = -24, kNumber = kIds, kProcess = kIds + 4, kPointer = -32, kLevel = -36;

// Ids of the current task as the namespace numbers it, zeroes if it is not directly in there.
void get_ids(Assembler &out, const PidNamespace &space) {
  out.set64(BPF_REG_1, space.device);
  out.set64(BPF_REG_2, space.inode);
  out.stack_address(BPF_REG_3, kIds);
  out.set(BPF_REG_4, sizeof(bpf_pidns_info));
  out.call(BPF_FUNC_get_ns_current_pid_tgid);
}

// Reads `bytes` at `offset` of what the register points at.
void read_kernel(Assembler &out, int16_t to, uint8_t from, int32_t offset, int32_t bytes) {
  out.move(BPF_REG_3, from);
  out.plus(BPF_REG_3, offset);
  out.stack_address(BPF_REG_1, to);
  out.set(BPF_REG_2, bytes);
  out.call(BPF_FUNC_probe_read_kernel);
}

void read_pid(Assembler &out, uint8_t to, uint8_t task, const PidPlaces &places) {
  read_kernel(out, kPointer, task, places.thread_pid, 8);
  out.load64(to, BPF_REG_10, kPointer);
}

void look_up(Assembler &out, int map, int16_t key) {
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, key);
  out.call(BPF_FUNC_map_lookup_elem);
}

void update(Assembler &out, int map, int16_t key, int16_t value) {
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, key);
  out.stack_address(BPF_REG_3, value);
  out.set(BPF_REG_4, BPF_ANY);
  out.call(BPF_FUNC_map_update_elem);
}

void remove(Assembler &out, int map, int16_t key) {
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, key);
  out.call(BPF_FUNC_map_delete_elem);
}

// The arguments are {parent, child}; the parent is the current task, and its level that of the namespace.
std::vector<bpf_insn> on_fork_inside(int map, StatePlace lost, const PidNamespace &space, const PidPlaces &places) {
  Assembler enter;
  enter.load64(BPF_REG_7, BPF_REG_6, 0);
  read_pid(enter, BPF_REG_7, BPF_REG_7, places);
  read_kernel(enter, kLevel, BPF_REG_7, places.level, 4);
  enter.load64(BPF_REG_7, BPF_REG_6, 8);
  read_pid(enter, BPF_REG_7, BPF_REG_7, places);
  enter.load32(BPF_REG_1, BPF_REG_10, kLevel);
  enter.multiply(BPF_REG_1, places.each);
  enter.add_to(BPF_REG_7, BPF_REG_1);
  read_kernel(enter, kChild, BPF_REG_7, places.numbers + places.number, 4);
  enter.store32_value(kYes, 1);
  update(enter, map, kChild, kYes);
  count_failure(enter, lost);

  Assembler out;
  out.move(BPF_REG_6, BPF_REG_1);
  get_ids(out, space);
  look_up(out, map, kProcess);
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(enter.size()));
  out.append(enter);
  out.leave();
  return out.code();
}

// From the number outside, which is all that will be known, to the one inside.
std::vector<bpf_insn> on_exit_inside(int map, int exiting, const PidNamespace &space) {
  Assembler keep;
  keep.call(BPF_FUNC_get_current_pid_tgid);
  keep.store32(BPF_REG_10, kChild, BPF_REG_0);
  update(keep, exiting, kChild, kNumber);

  Assembler out;
  get_ids(out, space);
  look_up(out, map, kNumber);
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(keep.size()));
  out.append(keep);
  out.leave();
  return out.code();
}

std::vector<bpf_insn> on_free_inside(int map, int exiting, int16_t pid) {
  Assembler drop;
  drop.load32(BPF_REG_1, BPF_REG_0, 0);
  drop.store32(BPF_REG_10, kParent, BPF_REG_1);
  remove(drop, map, kParent);
  remove(drop, exiting, kChild);

  Assembler out;
  out.load32(BPF_REG_6, BPF_REG_1, pid);
  out.store32(BPF_REG_10, kChild, BPF_REG_6);
  look_up(out, exiting, kChild);
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(drop.size()));
  out.append(drop);
  out.leave();
  return out.code();
}

// Where a field of an event's record stands.
Result<int16_t> place_of(const std::string &event, std::string_view field, const ProbeEnvironment &env) {
  if (auto record = TRY(env.types->find("tracepoint sched:" + event)))
    for (const Field &candidate : *TRY(env.types->fields(*record)))
      if (candidate.name == field) return static_cast<int16_t>(candidate.offset);
  return fail("the kernel does not describe the event sched:" + event);
}

Result<Attachment> attach(const char *name, std::string_view provider, const std::string &event,
                          const std::vector<bpf_insn> &code) {
  auto options = libbpf_options<bpf_prog_load_opts>();
  const bool raw = provider == "rawtracepoint";
  // Held by what it is attached to.
  const Fd program(bpf_prog_load(raw ? BPF_PROG_TYPE_RAW_TRACEPOINT : BPF_PROG_TYPE_TRACEPOINT, name, "GPL",
                                 code.data(), code.size(), &options));
  if (!program) return fail_errno("load the program that follows processes");
  AttachPlace place;
  place.target.provider = provider;
  if (!raw) place.target.scope = "sched";
  place.target.name = event;
  AttachOptions how;
  how.prog_fd = program.get();
  return find_provider(provider)->attach(place, how);
}

uint32_t parent_of(uint32_t pid) {
  // "1234 (name) S PARENT ...", and a name may hold anything.
  Result<std::string> text = read_file(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = text ? text->rfind(") ") : std::string::npos;
  if (name_end == std::string::npos || name_end + 4 >= text->size()) return 0;
  uint32_t parent = 0;
  std::from_chars(text->data() + name_end + 4, text->data() + text->size(), parent);
  return parent;
}

std::map<uint32_t, uint32_t> parents() {
  std::map<uint32_t, uint32_t> out;
  DIR *folder = opendir("/proc");
  if (!folder) return out;
  while (const dirent *entry = readdir(folder))
    if (const auto pid = parse_unsigned(entry->d_name)) out[static_cast<uint32_t>(*pid)] = 0;
  closedir(folder);
  for (auto &[pid, parent] : out) parent = parent_of(pid);
  return out;
}

}  // namespace

Result<std::vector<Attachment>> follow_children(int map, StatePlace lost, const ProbeEnvironment &env) {
  const int16_t child = TRY(place_of("sched_process_fork", "child_pid", env));
  const int16_t freed = TRY(place_of("sched_process_free", "pid", env));
  std::vector<Attachment> out;
  out.push_back(TRY(attach("awl_fork", "tracepoint", "sched_process_fork", on_fork(map, lost, child))));
  out.push_back(TRY(attach("awl_free", "tracepoint", "sched_process_free", on_free(map, freed))));
  return out;
}

Result<std::vector<Attachment>> follow_children_inside(int map, StatePlace lost, const PidNamespace &space,
                                                       const ProbeEnvironment &env) {
  const int16_t freed = TRY(place_of("sched_process_free", "pid", env));
  const PidPlaces places = TRY(pid_places(env));
  const int exiting = bpf_map_create(BPF_MAP_TYPE_HASH, "awl_exiting", 4, 4, kExiting, nullptr);
  if (exiting < 0) return fail_errno("make a map of processes that exit", -exiting);
  std::vector<Attachment> out;
  out.emplace_back(std::vector<int>{exiting});
  out.push_back(
      TRY(attach("awl_fork", "rawtracepoint", "sched_process_fork", on_fork_inside(map, lost, space, places))));
  out.push_back(TRY(attach("awl_exit", "tracepoint", "sched_process_exit", on_exit_inside(map, exiting, space))));
  out.push_back(TRY(attach("awl_free", "tracepoint", "sched_process_free", on_free_inside(map, exiting, freed))));
  return out;
}

std::set<uint32_t> with_descendants(std::set<uint32_t> pids) {
  const std::map<uint32_t, uint32_t> all = parents();
  for (size_t before = 0; before != pids.size();) {
    before = pids.size();
    for (const auto &[pid, parent] : all)
      if (pids.contains(parent)) pids.insert(pid);
  }
  return pids;
}

Result<void> add_descendants(int map, const std::vector<uint32_t> &pids) {
  const uint32_t yes = 1;
  for (const uint32_t pid : with_descendants({pids.begin(), pids.end()}))
    if (bpf_map_update_elem(map, &pid, &yes, BPF_ANY) != 0) return fail_errno("name a process");
  return {};
}

}  // namespace awl
