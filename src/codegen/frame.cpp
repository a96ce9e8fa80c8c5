#include "codegen/frame.h"

#include <linux/bpf.h>

#include <algorithm>

#include "codegen/object.h"

namespace awl::codegen {

namespace {

constexpr uint32_t kLargestOnStack = 64;
constexpr uint32_t kStackBudget = 256;  // the rest is for spilled registers and locals
constexpr uint32_t kBusyWord = 8;       // in front of an element's memory; used where programs may be preempted
constexpr uint32_t kPreemptibleElements = 4;

}  // namespace

Frame::Frame(Code &code, Object &object, Role role)
    : code_(code),
      object_(object),
      stack_budget_(role == Role::Program  ? kStackBudget
                    : role == Role::Caller ? kStackBudget / 2
                                           : kStackBudget / 4),
      header_(role == Role::Function ? 0 : kBusyWord) {}

Frame::Frame(Code &code, const Frame &outer)
    : code_(code),
      object_(outer.object_),
      stack_budget_(outer.stack_budget_ / 2),
      header_(outer.header_),
      scratch_top_(outer.scratch_top_),
      scratch_peak_(outer.scratch_top_) {}

Mem Frame::take(uint32_t bytes) {
  uint32_t rounded = std::max((bytes + 7) / 8 * 8, 8u);
  if (rounded <= kLargestOnStack) {
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].busy || slots_[i].bytes != rounded) continue;
      slots_[i].busy = true;
      taken_.push_back(i);
      return slots_[i].memory;
    }
    if (stack_bytes_ + rounded <= stack_budget_) {
      stack_bytes_ += rounded;
      taken_.push_back(slots_.size());
      slots_.push_back({code_.local(rounded), rounded, true});
      return slots_.back().memory;
    }
  }
  return take_far(rounded);
}

Mem Frame::take_far(uint32_t bytes) { return scratch_at(take_scratch(std::max(bytes, 8u))); }

uint32_t Frame::take_scratch(uint32_t bytes) {
  uint32_t offset = scratch_top_;
  scratch_top_ += (bytes + 7) / 8 * 8;
  scratch_peak_ = std::max(scratch_peak_, scratch_top_);
  return offset;
}

Mem Frame::scratch_at(uint32_t offset) {
  if (!base_) base_ = code_.pointer_slot();
  return code_.at(Code::mem(code_.get_pointer(base_)), header_ + offset);
}

void Frame::cover(const Frame &called) {
  scratch_peak_ = std::max(scratch_peak_, called.scratch_peak_);
  if (called.uses_scratch() && !base_) base_ = code_.pointer_slot();
}

void Frame::release(Mark mark) {
  while (taken_.size() > mark.taken) {
    slots_[taken_.back()].busy = false;
    taken_.pop_back();
  }
  scratch_top_ = mark.scratch_top;
}

void Frame::acquire_scratch(Block exit, bool preemptible, Span program) {
  uint32_t elements = preemptible ? kPreemptibleElements : 1;
  uint32_t first = object_.reserve_scratch(kBusyWord + scratch_peak_, elements, program);
  Mem index = code_.local(4);
  Block found = code_.block("scratch");
  for (uint32_t i = 0; i < elements; ++i) {
    code_.store(index, code_.number(first + i), 4);
    Mem element = code_.call_pointer(BPF_FUNC_map_lookup_elem, {object_.scratch(), index.pointer});
    Block present = code_.block("present");
    code_.branch(code_.truth(element.pointer), present, exit);
    code_.enter(present);
    code_.set_pointer(base_, element.pointer);
    if (!preemptible) {
      code_.jump(found);
      break;
    }
    Block busy = code_.block("busy");
    code_.branch(code_.equal(code_.compare_exchange(element, code_.number(0), code_.number(1)), 0), found, busy);
    code_.enter(busy);
  }
  if (preemptible) {
    code_.atomic_add(code_.at(Code::mem(object_.state()), kStateScratchBusy * 8), code_.number(1));
    code_.jump(exit);
  }
  code_.enter(found);
}

void Frame::release_scratch() { code_.store_volatile(Code::mem(code_.get_pointer(base_)), code_.number(0)); }

}  // namespace awl::codegen
