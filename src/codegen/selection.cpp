// The tests in front of a program: is this process meant? All depend on parameters that are constants for the verifier,
// which removes the tests that are not wanted, and with them the use of maps that were not made.
#include <linux/bpf.h>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

Val FunctionEmitter::param(ParamWord word) {
  return code_.load_volatile(code_.at(Code::mem(object_.params()), word * 8));
}

Val FunctionEmitter::process_id() { return code_.shift_right(pid_tgid(), 32); }

// Goes on if the condition holds, else leaves the program.
void FunctionEmitter::insist(Val condition) {
  Block pass = code_.block("meant");
  code_.branch(condition, pass, quit_);
  code_.enter(pass);
}

void FunctionEmitter::select_process() {
  auto is_process = [&](ParamWord word) {
    Val wanted = param(word);
    code_.if_(code_.truth(wanted), [&] { insist(code_.compare(Cmp::Equal, false, process_id(), wanted)); });
  };
  if (program_->filter_pid) is_process(kParamPid);
  if (!program_->selects) return;
  if (program_->preemptible) is_process(kParamUserPid);

  const Frame::Mark mark = frame_.mark();
  Val tests = param(kParamSelect);
  code_.if_(code_.truth(code_.bit_and(tests, kSelectPids)), [&] {
    Mem key = frame_.take(8);
    code_.store(key, process_id(), 4);
    insist(code_.truth(code_.call(BPF_FUNC_map_lookup_elem, {object_.select_map(SelectMap::Pids), key.pointer})));
  });
  code_.if_(code_.truth(code_.bit_and(tests, kSelectComms)), [&] {
    constexpr uint64_t kSize = 16;
    Mem key = frame_.take(kSize);
    code_.zero(key, kSize);
    code_.call(BPF_FUNC_get_current_comm, {key.pointer, code_.number(kSize)});
    insist(code_.truth(code_.call(BPF_FUNC_map_lookup_elem, {object_.select_map(SelectMap::Comms), key.pointer})));
  });
  frame_.release(mark);
  Val cgroups = param(kParamCgroups);
  code_.if_(code_.truth(cgroups), [&] {
    Block inside = code_.block("inside");
    for (uint32_t i = 0; i < kMaxCgroups; i++) {
      insist(code_.compare(Cmp::Less, false, code_.number(i), cgroups));
      Val is_inside =
          code_.call(BPF_FUNC_current_task_under_cgroup, {object_.select_map(SelectMap::Cgroups), code_.number(i)});
      Block next = code_.block("next");
      code_.branch(code_.equal(is_inside, 1), inside, next);
      code_.enter(next);
    }
    code_.jump(quit_);
    code_.enter(inside);
  });
}

}  // namespace awl::codegen
