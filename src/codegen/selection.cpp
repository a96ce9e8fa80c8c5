// The test in front of a program: is this process meant? Which tests there are is a parameter, a constant for the
// verifier: where none is wanted it removes the call, and where some are, the others with their maps that were not
// made. The tests stand in a function of their own, once for all programs.
#include <linux/bpf.h>
#include <llvm/IR/Function.h>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

Val param(Code &code, Object &object, ParamWord word) {
  return code.load_volatile(code.at(Code::mem(object.params()), word * 8));
}

// The helper knows only processes that are directly in the namespace. In the first one, where most run, what asks for
// it is no more than the load of a parameter: the verifier removes the rest.
Val pid_tgid(Code &code, Object &object, Frame &frame) {
  constexpr int kKey = BPF_FUNC_get_ns_current_pid_tgid;
  if (Val known = code.remembered(kKey)) return known;
  Val device = param(code, object, kParamPidSpaceDevice);
  auto in_namespace = [&] {
    constexpr uint64_t kSize = sizeof(bpf_pidns_info);  // {pid, tgid}, zeroes if it is in another
    const Frame::Mark mark = frame.mark();
    Mem info = frame.take(kSize);
    code.call(kKey, {device, param(code, object, kParamPidSpace), info.pointer, code.number(kSize)});
    Val ids = code.load(info, kSize, false);
    frame.release(mark);
    return ids;
  };
  Val ids = code.choose(code.truth(device), in_namespace, [&] { return code.call(BPF_FUNC_get_current_pid_tgid, {}); });
  code.remember(kKey, ids);
  return ids;
}

namespace {

// uint64 awl_meant(tests): 1 if the process passes all of these SelectBits.
class SelectionEmitter {
 public:
  explicit SelectionEmitter(Object &object)
      : object_(object),
        function_(object.add_selection()),
        code_(object, function_),
        frame_(code_, object, Frame::Role::Function) {}

  llvm::Function *emit() {
    code_.enter(&function_->getEntryBlock());
    code_.from(Span{});
    no_ = code_.block("no");
    process_ = code_.shift_right(pid_tgid(code_, object_, frame_), 32);
    if_asked(kSelectPid, [&] { insist(is(kParamPid)); });
    if_asked(kSelectUserPid, [&] { insist(is(kParamUserPid)); });
    if_asked(kSelectPids, [&] { insist(is_one_of_pids()); });
    if_asked(kSelectComms, [&] { insist(is_one_of_comms()); });
    if_asked(kSelectCgroups, [&] { insist_on_cgroups(); });
    code_.leave(code_.number(1));
    code_.enter(no_);
    code_.leave(code_.number(0));
    return function_;
  }

 private:
  template <class Test>
  void if_asked(SelectBits bit, Test test) {
    code_.if_(code_.truth(code_.bit_and(function_->getArg(0), bit)), test);
  }

  void insist(Val condition) {
    Block pass = code_.block("meant");
    code_.branch(condition, pass, no_);
    code_.enter(pass);
  }

  Val is(ParamWord word) { return code_.compare(Cmp::Equal, false, process_, param(code_, object_, word)); }

  Val has(SelectMap map, Mem key) {
    return code_.truth(code_.call(BPF_FUNC_map_lookup_elem, {object_.select_map(map), key.pointer}));
  }

  Val is_one_of_pids() {
    Mem key = frame_.take(8);
    code_.store(key, process_, 4);
    return has(SelectMap::Pids, key);
  }

  Val is_one_of_comms() {
    constexpr uint64_t kSize = 16;
    Mem key = frame_.take(kSize);
    code_.zero(key, kSize);
    code_.call(BPF_FUNC_get_current_comm, {key.pointer, code_.number(kSize)});
    return has(SelectMap::Comms, key);
  }

  void insist_on_cgroups() {
    Val cgroups = param(code_, object_, kParamCgroups);
    Block inside = code_.block("inside");
    for (uint32_t i = 0; i < kMaxCgroups; i++) {
      insist(code_.compare(Cmp::Less, false, code_.number(i), cgroups));
      Val is_inside =
          code_.call(BPF_FUNC_current_task_under_cgroup, {object_.select_map(SelectMap::Cgroups), code_.number(i)});
      Block next = code_.block("next");
      code_.branch(code_.equal(is_inside, 1), inside, next);
      code_.enter(next);
    }
    code_.jump(no_);
    code_.enter(inside);
  }

  Object &object_;
  llvm::Function *function_;
  Code code_;
  Frame frame_;
  Block no_ = nullptr;
  Val process_ = nullptr;
};

}  // namespace

llvm::Function *Object::selection() {
  if (!selection_) selection_ = SelectionEmitter(*this).emit();
  return selection_;
}

void FunctionEmitter::select_process() {
  if (!program_->selects) return;
  uint64_t possible = kSelectPids | kSelectComms | kSelectCgroups;
  if (program_->filter_pid) possible |= kSelectPid;
  if (program_->preemptible) possible |= kSelectUserPid;
  Val tests = code_.bit_and(param(code_, object_, kParamSelect), possible);
  code_.if_(code_.truth(tests), [&] {
    Block meant = code_.block("meant");
    code_.branch(code_.truth(code_.call(object_.selection(), {tests})), meant, quit_);
    code_.enter(meant);
  });
}

}  // namespace awl::codegen
