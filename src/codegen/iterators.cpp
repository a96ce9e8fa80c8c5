#include <linux/bpf.h>

#include <algorithm>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

// The first member of every iterator's context is its struct bpf_iter_meta, and the first of that the seq_file.
Val FunctionEmitter::seq_file() {
  Mem meta = code_.pointer(code_.load(Code::mem(context()), 8), 8);
  return code_.pointer(code_.load(meta, 8), 8).pointer;
}

// Each object adds a word to the text of the iterator, by which its reader gets back in time.
void FunctionEmitter::mark_object() {
  Mem word = code_.local(8);
  code_.store(word, code_.number(0));
  code_.call(BPF_FUNC_seq_write, {seq_file(), word.pointer, code_.number(8)});
}

// What is too much for the reader's buffer is printed again into a larger one: the kernel runs the program once more.
void FunctionEmitter::step_of(const SeqPrint &step) {
  const auto size = static_cast<uint32_t>(step.format.size());
  if (step.args.empty()) {
    code_.call(BPF_FUNC_seq_write, {seq_file(), object_.constant_bytes(step.format, size), code_.number(size)});
    return;
  }
  const auto bytes = static_cast<uint32_t>(8 * step.args.size());
  Mem data = frame_.take(bytes);
  for (size_t i = 0; i < step.args.size(); i++) {
    const Value &arg = *step.args[i];
    Val word = arg.type->is_scalar() ? scalar(arg) : code_.address(snapshot(arg).pointer);
    code_.store(code_.at(data, 8 * i), word);
  }
  code_.from(step.span);
  code_.call(BPF_FUNC_seq_printf, {seq_file(), object_.constant_bytes(step.format, size + 1), code_.number(size + 1),
                                   data.pointer, code_.number(bytes)});
}

void FunctionEmitter::step_of(const SeqString &step) {
  const uint32_t size = step.value->type->size;
  Mem string = memory(*step.value);
  code_.from(step.span);
  Mem forgotten = frame_.take_far(8);  // or the verifier would follow what comes behind once for each length
  code_.store_volatile(forgotten, string_length(string, size));
  Val length = code_.opaque(code_.load_volatile(forgotten));
  code_.if_(code_.compare(Cmp::LessEqual, false, length, code_.number(size)),
            [&] { code_.call(BPF_FUNC_seq_write, {seq_file(), string.pointer, length}); });
  if (step.trailer.empty()) return;
  const auto more = static_cast<uint32_t>(step.trailer.size());
  code_.if_(code_.compare(Cmp::GreaterEqual, false, code_.add(length, 1), code_.number(size)), [&] {
    code_.call(BPF_FUNC_seq_write, {seq_file(), object_.constant_bytes(step.trailer, more), code_.number(more)});
  });
}

}  // namespace awl::codegen
