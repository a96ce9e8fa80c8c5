#include <linux/bpf.h>

#include "ast/typed/walk.h"
#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

namespace {

// True if evaluating it changes something, or may leave the program: this has to happen whether or not there is room
// for the record, and not while a record is reserved.
bool has_effects(const Value &value) {
  return any_of(value, [](const Value &part) {
    if (part.kind == Kind::HelperCall) {
      int helper = static_cast<const HelperCall &>(part).helper;
      return helper == BPF_FUNC_send_signal || helper == BPF_FUNC_send_signal_thread ||
             helper == BPF_FUNC_override_return || helper == BPF_FUNC_probe_write_user;
    }
    return part.kind == Kind::LocalAdd || part.kind == Kind::MapRemove || part.kind == Kind::MapFind ||
           part.kind == Kind::MapAddGet || part.kind == Kind::Sequence || part.kind == Kind::Call ||
           part.kind == Kind::CCall;
  });
}

}  // namespace

// Arguments are evaluated into the reserved record, so that nothing is copied, unless one of them has effects.
void FunctionEmitter::step_of(const Emit &step) {
  const Action &action = object_.manifest().actions[step.action];
  bool early = false;
  for (const ValuePtr &arg : step.args) early = early || has_effects(*arg);
  std::vector<Val> scalars(step.args.size());
  std::vector<Mem> memories(step.args.size());
  for (size_t i = 0; early && i < step.args.size(); ++i) {
    if (step.args[i]->type->is_scalar())
      scalars[i] = scalar(*step.args[i]);
    else
      memories[i] = snapshot(*step.args[i]);
  }
  code_.from(step.span);
  Val cpu = code_.call_once(BPF_FUNC_get_smp_processor_id, {});
  Mem record =
      code_.call_pointer(BPF_FUNC_ringbuf_reserve, {object_.ring_buffer(), code_.number(action.size), code_.number(0)});
  code_.if_else(
      code_.truth(record.pointer),
      [&] {
        code_.store(record, code_.number(step.action), 4);
        code_.store(code_.at(record, 4), cpu, 4);
        for (size_t i = 0; i < step.args.size(); ++i) {
          const ArgSlot &slot = action.args[i];
          Mem to = code_.at(record, slot.offset);
          if (!early)
            put_argument(*step.args[i], to, slot.type->size);
          else if (scalars[i])
            code_.store(to, scalars[i], slot.type->size);
          else
            code_.copy(to, memories[i], slot.type->size);
        }
        code_.from(step.span);
        submit(record);
      },
      [&] { code_.atomic_add(state_word(kStateLostEvents), code_.number(1)); });
}

Mem FunctionEmitter::snapshot(const Value &value) {
  Mem copy = frame_.take(value.type->size);
  into(value, copy);
  return copy;
}

void FunctionEmitter::put_argument(const Value &value, Mem to, uint32_t bytes) {
  Frame::Mark mark = frame_.mark();
  // What is behind the end of a string is not looked at by who prints it.
  if (value.kind == Kind::ReadString)
    into_string(static_cast<const ReadString &>(value), to, false);
  else if (value.kind == Kind::ReadBuffer)
    into_buffer(static_cast<const ReadBuffer &>(value), to, false);
  else
    put(value, to, bytes);
  frame_.release(mark);
}

// Waking the reader for each record would cost microseconds, so it is woken only if it said that it is about to sleep.
void FunctionEmitter::submit(Mem record) {
  Mem need = state_word(kStateNeedWakeup);
  Val flags = code_.choose(
      code_.truth(code_.load_volatile(need)),
      [&] {
        code_.store_volatile(need, code_.number(0));
        return code_.number(BPF_RB_FORCE_WAKEUP);
      },
      [&] { return code_.number(BPF_RB_NO_WAKEUP); });
  code_.call(BPF_FUNC_ringbuf_submit, {record.pointer, flags});
}

}  // namespace awl::codegen
