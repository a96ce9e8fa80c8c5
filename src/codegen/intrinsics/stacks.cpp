// kstack and ustack: the frames go into a stack map, the program keeps their id.
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "codegen/function.h"
#include "runtime/unwind/walk.h"

namespace awl::codegen {

using namespace typed;

// The kernel starts at the program itself, which the function's trampoline called: neither is what is asked for. The
// other types of programs get the registers of the place that was probed.
uint64_t FunctionEmitter::tracing_frames() const {
  constexpr uint64_t kProgramAndTrampoline = 2;
  const bool traces = program_ && (program_->prog_type == ProgType::Fentry || program_->prog_type == ProgType::Fexit);
  return traces ? kProgramAndTrampoline : 0;
}

void FunctionEmitter::into_stack(const StackTrace &value, Mem to) {
  uint64_t flags = value.type->stack_user ? uint64_t{BPF_F_USER_STACK} : tracing_frames();
  Val id = value.unwound ? scalar(*value.unwound)
                         : code_.call(BPF_FUNC_get_stackid, {context(), object_.map(value.map), code_.number(flags)});
  // Only user addresses need their process; kernel stacks of all processes count as one.
  Val process = value.type->stack_user ? code_.shift_right(pid_tgid(code_, object_, frame_), 32) : code_.number(0);
  code_.store(to, id, 4);
  code_.store(code_.at(to, 4), process, 4);
  // Other errors mean that there is no such stack: a kernel thread has none in user space.
  auto is = [&](int error) { return code_.equal(id, static_cast<uint64_t>(-static_cast<int64_t>(error))); };
  code_.if_(code_.compare(Cmp::Less, true, id, code_.number(0)), [&] {
    Val lost = code_.select(is(EEXIST), code_.number(1), code_.flag(is(ENOMEM)));
    code_.atomic_add(state_word(kStateLostStacks), lost);
  });
}

Val FunctionEmitter::scalar_of(const Unwind &value) {
  namespace unwind = runtime::unwind;
  height_ = std::max(height_, 3u);  // the walk, and its step that bpf_loop calls
  Frame::Mark mark = frame_.mark();
  Val process = code_.shift_right(pid_tgid(code_, object_, frame_), 32);
  Mem walk = frame_.take_far(sizeof(unwind::Walk));
  code_.from(value.span);
  Val found = code_.call(object_.c_function(value.function).function,
                         {walk.pointer, process, code_.number(value.frames), code_.number(value.keep)});
  frame_.release(mark);
  code_.if_(code_.compare(Cmp::Greater, true, found, code_.number(unwind::cut_bit - 1)),
            [&] { code_.atomic_add(state_word(kStateCutStacks), code_.number(1)); });
  // The bit goes; errors stay what they are.
  return code_.extend(found, 4, true);
}

}  // namespace awl::codegen
