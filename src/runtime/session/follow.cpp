#include "runtime/session/follow.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <set>

#include "base/strings.h"
#include "runtime/session/libbpf_options.h"

// The two programs are the same for every script, so they are written down as instructions here instead of being
// compiled into each Image. sched_process_fork comes before the child runs for the first time, in its parent;
// sched_process_free when nothing of the process is left, so that also what it does while it exits is seen. Threads
// are entered, too, which the event cannot tell apart; their ids are no process' until they are freed.

namespace awl {

namespace {

bpf_insn instruction(uint8_t code, uint8_t dst, uint8_t src, int16_t offset, int32_t immediate) {
  bpf_insn out{};
  out.code = code;
  out.dst_reg = dst & 15;
  out.src_reg = src & 15;
  out.off = offset;
  out.imm = immediate;
  return out;
}

class Assembler {
 public:
  void move(uint8_t dst, uint8_t src) { add(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0); }
  void set(uint8_t dst, int32_t value) { add(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value); }
  void plus(uint8_t dst, int32_t value) { add(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value); }
  void shift_right(uint8_t dst, int32_t bits) { add(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, bits); }
  void load32(uint8_t dst, uint8_t base, int16_t offset) { add(BPF_LDX | BPF_MEM | BPF_W, dst, base, offset, 0); }
  void store32(uint8_t base, int16_t offset, uint8_t src) { add(BPF_STX | BPF_MEM | BPF_W, base, src, offset, 0); }
  void store32_value(int16_t offset, int32_t value) { add(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, offset, value); }
  void call(int helper) { add(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
  void if_zero_skip(uint8_t reg, int16_t instructions) { add(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, instructions, 0); }
  void map(uint8_t dst, int fd) {
    add(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
    add(0, 0, 0, 0, 0);
  }
  void stack_address(uint8_t dst, int32_t offset) {
    move(dst, BPF_REG_10);
    plus(dst, offset);
  }
  void leave() {
    set(BPF_REG_0, 0);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  [[nodiscard]] const std::vector<bpf_insn> &code() const { return code_; }
  [[nodiscard]] size_t size() const { return code_.size(); }

 private:
  void add(uint8_t code, uint8_t dst, uint8_t src, int16_t offset, int32_t immediate) {
    code_.push_back(instruction(code, dst, src, offset, immediate));
  }
  std::vector<bpf_insn> code_;
};

constexpr int16_t kParent = -4, kChild = -8, kYes = -12;  // on the stack

std::vector<bpf_insn> on_fork(int map, int16_t child_pid) {
  Assembler add;  // the part behind the test, whose length the jump needs
  add.store32_value(kYes, 1);
  add.map(BPF_REG_1, map);
  add.stack_address(BPF_REG_2, kChild);
  add.stack_address(BPF_REG_3, kYes);
  add.set(BPF_REG_4, BPF_ANY);
  add.call(BPF_FUNC_map_update_elem);
  add.leave();

  Assembler out;
  out.load32(BPF_REG_6, BPF_REG_1, child_pid);
  out.store32(BPF_REG_10, kChild, BPF_REG_6);
  out.call(BPF_FUNC_get_current_pid_tgid);
  out.shift_right(BPF_REG_0, 32);
  out.store32(BPF_REG_10, kParent, BPF_REG_0);
  out.map(BPF_REG_1, map);
  out.stack_address(BPF_REG_2, kParent);
  out.call(BPF_FUNC_map_lookup_elem);
  out.if_zero_skip(BPF_REG_0, static_cast<int16_t>(add.size()));
  std::vector<bpf_insn> code = out.code();
  code.insert(code.end(), add.code().begin(), add.code().end());
  Assembler end;
  end.leave();
  code.insert(code.end(), end.code().begin(), end.code().end());
  return code;
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

// Where a field of an event's record stands.
Result<int16_t> place_of(const std::string &event, std::string_view field, const ProbeEnvironment &env) {
  if (auto record = TRY(env.types->find("tracepoint sched:" + event)))
    for (const Field &candidate : *TRY(env.types->fields(*record)))
      if (candidate.name == field) return static_cast<int16_t>(candidate.offset);
  return fail("the kernel does not describe the event sched:" + event);
}

Result<Attachment> attach(const char *name, const std::string &event, const std::vector<bpf_insn> &code) {
  auto options = libbpf_options<bpf_prog_load_opts>();
  const int program = bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, name, "GPL", code.data(), code.size(), &options);
  if (program < 0) return fail_errno("load the program that follows processes");
  AttachPlace place;
  place.target.provider = "tracepoint";
  place.target.scope = "sched";
  place.target.name = event;
  AttachOptions how;
  how.prog_fd = program;
  Result<Attachment> attached = find_provider("tracepoint")->attach(place, how);
  close(program);  // held by what it is attached to
  return attached;
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

Result<std::vector<Attachment>> follow_children(int map, const ProbeEnvironment &env) {
  const int16_t child = TRY(place_of("sched_process_fork", "child_pid", env));
  const int16_t freed = TRY(place_of("sched_process_free", "pid", env));
  std::vector<Attachment> out;
  out.push_back(TRY(attach("awl_fork", "sched_process_fork", on_fork(map, child))));
  out.push_back(TRY(attach("awl_free", "sched_process_free", on_free(map, freed))));
  return out;
}

Result<void> add_descendants(int map, const std::vector<uint32_t> &pids) {
  std::set<uint32_t> chosen(pids.begin(), pids.end());
  const std::map<uint32_t, uint32_t> all = parents();
  for (bool more = true; more;) {
    more = false;
    for (const auto &[pid, parent] : all) {
      if (!chosen.contains(parent) || !chosen.insert(pid).second) continue;
      more = true;
      const uint32_t yes = 1;
      if (bpf_map_update_elem(map, &pid, &yes, BPF_ANY) != 0) return fail_errno("name a process");
    }
  }
  return {};
}

}  // namespace awl
