#include <linux/bpf.h>

#include <algorithm>

#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

static bool has_signed_values(const Type *aggregate) { return aggregate->target && aggregate->target->is_signed; }

// Every CPU has a value of its own; additions are atomic all the same, because a program may interrupt another one on
// its CPU. Uncontended that costs next to nothing.
void FunctionEmitter::step_of(const AggregateUpdate &step) {
  const MapInfo &info = object_.map_info(step.map);
  Val argument = step.argument ? scalar(*step.argument) : nullptr;
  Mem key = map_key(step.map, step.key.get());
  code_.from(step.span);
  ActiveMap map = active_map(step.map);
  auto update = [&](Mem entry) {
    if (info.parts >= 0)
      update_part({static_cast<uint32_t>(info.parts), map.on_twin}, info, key, argument);
    else
      update_aggregate(info.value, entry, argument);
  };
  if (step.key) return with_entry(map, key, update);
  Mem element = lookup(map, key);
  code_.if_(code_.truth(element.pointer), [&] { update(element); });
}

// A missing entry is inserted as zeros and looked up again: right also if another CPU was faster.
void FunctionEmitter::with_entry(ActiveMap map, Mem key, const std::function<void(Mem)> &use) {
  Mem element = lookup(map, key);
  Block from = code_.current();
  Block missing = code_.block("missing"), full = code_.block("full"), found = code_.block("found");
  Block end = code_.block("end");
  code_.branch(code_.truth(element.pointer), found, missing);
  code_.enter(missing);
  Mem zero = zero_value(object_.map_info(map.index).value_size);
  Val failed =
      code_.call(BPF_FUNC_map_update_elem, {address_of(map), key.pointer, zero.pointer, code_.number(BPF_NOEXIST)});
  Mem inserted = lookup(map, key);
  Block after = code_.current();
  code_.branch(code_.truth(inserted.pointer), found, full);
  code_.enter(full);
  count_map_error(map.index, failed);
  code_.jump(end);
  code_.enter(found);
  use(Code::mem(code_.phi({{element.pointer, from}, {inserted.pointer, after}})));
  code_.jump(end);
  code_.enter(end);
}

// A series that stands in parts: see MapInfo::parts.
void FunctionEmitter::update_part(ActiveMap parts, const MapInfo &series, Mem key, Val argument) {
  const MapInfo &info = object_.map_info(parts.index);
  Interval interval = interval_now(series.value);
  Val part = code_.arith(Arith::Modulo, code_.arith(Arith::Divide, interval.epoch, code_.number(kSeriesPart)),
                         code_.number(series_parts(series.value->series_length)));
  Mem part_key = frame_.take(info.key->size);
  if (series.key) {
    code_.zero(part_key, info.key->size);
    code_.copy(part_key, key, series.key->size);
    code_.store(code_.at(part_key, info.key->fields[1].offset), part);
  } else {
    code_.store(part_key, part);
  }
  with_entry(parts, part_key, [&](Mem entry) { update_series(info.value, entry, argument, interval); });
}

Mem FunctionEmitter::zero_value(uint32_t bytes) {
  if (bytes > 16) return Code::mem(object_.constant_zero(bytes));
  Mem zero = frame_.take(bytes);
  code_.zero(zero, bytes);
  return zero;
}

void FunctionEmitter::update_aggregate(const Type *aggregate, Mem at, Val argument) {
  Val one = code_.number(1);
  switch (aggregate->aggregate) {
    case AggregateKind::Count: code_.atomic_add(at, one); break;
    case AggregateKind::Sum:
      code_.atomic_add(at, argument);
      code_.store(code_.at(at, 8), one);
      break;
    case AggregateKind::Min:
    case AggregateKind::Max:
      keep_extreme(aggregate->aggregate == AggregateKind::Min, has_signed_values(aggregate), at, argument);
      break;
    case AggregateKind::TSeries: update_series(aggregate, at, argument, interval_now(aggregate)); break;
    case AggregateKind::Avg:
    case AggregateKind::Stats:
      code_.atomic_add(at, one);
      code_.atomic_add(code_.at(at, 8), argument);
      break;
    case AggregateKind::Hist:
    case AggregateKind::LHist: {
      bool log = aggregate->aggregate == AggregateKind::Hist;
      uint32_t buckets = log ? hist_buckets(aggregate->hist_bits)
                             : lhist_buckets(aggregate->lhist_min, aggregate->lhist_max, aggregate->lhist_step);
      Val index = log ? hist_index(argument, aggregate->hist_bits) : lhist_index(argument, aggregate);
      index = code_.opaque(index);  // else LLVM, which knows the bounds, drops the test that the verifier needs
      code_.if_(code_.compare(Cmp::Less, false, index, code_.number(buckets)),
                [&] { code_.atomic_add(code_.at(at, code_.shift_left(index, 3), 8), one); });
      code_.atomic_add(code_.at(at, uint64_t{buckets} * 8), argument);
      break;
    }
  }
}

// {value, set}. A program that interrupts this one may change both at any point, so the value is exchanged, and tried
// again if that fails. Zeros in both mean that there was no value yet: a first value of zero is therefore announced by
// the flag before it counts.
void FunctionEmitter::keep_extreme(bool is_min, bool is_signed, Mem at, Val argument) {
  constexpr int kAttempts = 4;  // task, soft interrupt, interrupt, NMI
  Cmp better = is_min ? Cmp::Less : Cmp::Greater;
  Mem set = code_.at(at, 8);
  Block done = code_.block("kept");
  code_.repeat(kAttempts, 1, [&](Val) {
    Block first = code_.block("first"), known = code_.block("known"), again = code_.block("again");
    Block attempt = code_.block("attempt"), zero = code_.block("zero"), success = code_.block("success");
    Val old = code_.load_volatile(at);
    Val any = code_.arith(Arith::Or, old, code_.load_volatile(set));
    code_.branch(code_.truth(any), known, first);
    code_.enter(known);
    code_.branch(code_.compare(better, is_signed, argument, old), attempt, done);
    code_.enter(first);
    code_.branch(code_.truth(argument), attempt, zero);
    code_.enter(zero);
    code_.store_volatile(set, code_.number(1));
    code_.jump(again);
    code_.enter(attempt);
    Val seen = code_.compare_exchange(at, old, argument);
    code_.branch(code_.compare(Cmp::Equal, false, seen, old), success, again);
    code_.enter(success);
    code_.store_volatile(set, code_.number(1));
    code_.jump(done);
    code_.enter(again);
  });
  code_.jump(done);
  code_.enter(done);
}

FunctionEmitter::Interval FunctionEmitter::interval_now(const Type *series) {
  Mem to_wall = code_.at(Code::mem(object_.params()), kParamBootToWall * 8);
  Val now = code_.add(code_.call(BPF_FUNC_ktime_get_boot_ns, {}), code_.load_volatile(to_wall));
  return {now, code_.arith(Arith::Divide, now, code_.number(static_cast<uint64_t>(series->series_interval)))};
}

// {epoch, value, extra} for each interval. Who meets the slot of a past interval first makes it that of this one; a
// program that interrupts just there may lose its value.
void FunctionEmitter::update_series(const Type *aggregate, Mem at, Val argument, Interval interval) {
  auto [now, epoch] = interval;
  Val index = code_.arith(Arith::Modulo, epoch, code_.number(aggregate->series_length));
  index = code_.opaque(index);  // keeps the test that the verifier needs
  code_.if_(code_.compare(Cmp::Less, false, index, code_.number(aggregate->series_length)), [&] {
    Val offset = code_.arith(Arith::Mul, index, code_.number(kSeriesSlotSize));
    Mem slot = code_.at(at, offset, 8);
    Mem value = code_.at(slot, 8), extra = code_.at(slot, 16);
    Val old = code_.load_volatile(slot);
    code_.if_(code_.compare(Cmp::NotEqual, false, old, epoch), [&] {
      Val seen = code_.compare_exchange(slot, old, epoch);
      code_.if_(code_.compare(Cmp::Equal, false, seen, old), [&] {
        code_.store_volatile(value, code_.number(0));
        code_.store_volatile(extra, code_.number(0));
      });
    });
    switch (aggregate->series) {
      case SeriesKind::Last:
        code_.store_volatile(value, argument);
        code_.store_volatile(extra, now);
        break;
      case SeriesKind::Avg:
        code_.atomic_add(value, argument);
        code_.atomic_add(extra, code_.number(1));
        break;
      case SeriesKind::Sum:
        code_.atomic_add(value, argument);
        code_.store_volatile(extra, code_.number(1));
        break;
      case SeriesKind::Min:
      case SeriesKind::Max:
        keep_extreme(aggregate->series == SeriesKind::Min, has_signed_values(aggregate), value, argument);
        break;
    }
  });
}

// --- Histograms: the same buckets as src/runtime/types/histogram.h

// Without branches, so that the verifier has one path: e = log2(value >> bits) found by halving, then bucket
// 1 + (e << bits) + (value >> e). Negative values give 0.
Val FunctionEmitter::hist_index(Val value, uint32_t bits) {
  Val rest = code_.shift_right(value, bits);
  Val exponent = nullptr;
  for (int step = 5; step >= 0; --step) {
    uint64_t limit = (uint64_t{1} << (1 << step)) - 1;
    // The sign of limit - rest says whether rest is larger.
    Val shift = code_.shift_left(code_.shift_right(code_.sub(code_.number(limit), rest), 63), step);
    rest = code_.arith(Arith::ShiftRight, rest, shift);
    exponent = exponent ? code_.arith(Arith::Or, exponent, shift) : shift;
  }
  Val mantissa = bits == 0 ? rest : code_.arith(Arith::ShiftRight, value, exponent);
  Val index = code_.add(code_.add(code_.shift_left(exponent, bits), mantissa), 1);
  Val negative = code_.arith(Arith::ShiftRightSigned, value, code_.number(63));
  return code_.arith(Arith::And, index, code_.arith(Arith::Xor, negative, code_.number(~uint64_t{0})));
}

Val FunctionEmitter::lhist_index(Val value, const Type *aggregate) {
  auto number = [&](int64_t n) { return code_.number(static_cast<uint64_t>(n)); };
  uint32_t last = lhist_buckets(aggregate->lhist_min, aggregate->lhist_max, aggregate->lhist_step) - 1;
  Val offset = code_.sub(value, number(aggregate->lhist_min));
  Val inside = code_.arith(Arith::Divide, offset, number(aggregate->lhist_step));
  Val above = code_.compare(Cmp::GreaterEqual, true, value, number(aggregate->lhist_max));
  Val below = code_.compare(Cmp::Less, true, value, number(aggregate->lhist_min));
  Val index = code_.select(above, number(last), code_.add(inside, 1));
  return code_.select(below, number(0), index);
}

// --- Reading over all CPUs

void FunctionEmitter::for_each_cpu(Val map, Mem key, Block &latch, Block end, Val &cpu, Mem &element) {
  Val cpus = param(code_, object_, kParamCpus);  // known to the verifier
  Block from = code_.current();
  Block head = code_.block("cpu"), look = code_.block("look"), body = code_.block("value");
  latch = code_.block("next_cpu");
  code_.jump(head);
  code_.enter(head);
  cpu = code_.open_phi(code_.number(0), from);
  code_.branch(code_.compare(Cmp::Less, false, cpu, cpus), look, end);
  code_.enter(look);
  element = code_.call_pointer(BPF_FUNC_map_lookup_percpu_elem, {map, key.pointer, cpu});
  code_.branch(code_.truth(element.pointer), body, end);
  code_.enter(latch);
  Val next = code_.opaque(code_.add(cpu, 1));
  code_.add_incoming(cpu, next, latch);
  code_.jump(head);
  code_.enter(body);
}

// The first two words of the value are merged in two variables, which the optimiser turns into registers.
Val FunctionEmitter::merge_cpus(const Type *aggregate, Val address, Mem key) {
  Mem first = code_.local(8), second = code_.local(8);
  code_.store(first, code_.number(0));
  code_.store(second, code_.number(0));
  Block latch = nullptr, end = code_.block("merged");
  Val cpu = nullptr;
  Mem element;
  size_t known = code_.memory_size();
  for_each_cpu(address, key, latch, end, cpu, element);
  auto add = [&](Mem to, Val amount) { code_.store(to, code_.add(code_.load(to, 8), amount)); };
  bool is_signed = has_signed_values(aggregate);
  switch (aggregate->aggregate) {
    case AggregateKind::Count:
    case AggregateKind::Sum: add(first, code_.load(element, 8)); break;
    case AggregateKind::Min:
    case AggregateKind::Max: {
      Block is_set = code_.block("is_set"), take = code_.block("take"), against = code_.block("against");
      code_.branch(code_.truth(code_.load(code_.at(element, 8), 8)), is_set, latch);
      code_.enter(is_set);
      Val one = code_.load(element, 8);
      code_.branch(code_.truth(code_.load(second, 8)), against, take);
      code_.enter(against);
      Cmp better = aggregate->aggregate == AggregateKind::Min ? Cmp::Less : Cmp::Greater;
      code_.branch(code_.compare(better, is_signed, one, code_.load(first, 8)), take, latch);
      code_.enter(take);
      code_.store(first, one);
      code_.store(second, code_.number(1));
      break;
    }
    default:
      add(first, code_.load(element, 8));
      add(second, code_.load(code_.at(element, 8), 8));
      break;
  }
  code_.jump(latch);
  code_.forget(known);
  code_.enter(end);
  bool average = aggregate->aggregate == AggregateKind::Avg || aggregate->aggregate == AggregateKind::Stats;
  if (!average) return code_.load(first, 8);
  return divide(false, is_signed, code_.load(second, 8), code_.load(first, 8));
}

Val FunctionEmitter::scalar_of(const AggregateGet &value) {
  Frame::Mark mark = frame_.mark();
  Mem key = map_key(value.map, value.key.get());
  code_.from(value.span);
  Val merged = merge_cpus(object_.map_info(value.map).value, address_of(active_map(value.map)), key);
  frame_.release(mark);
  return merged;
}

// delete() of an aggregate without key: zeros on all CPUs.
Val FunctionEmitter::clear_aggregate(uint32_t map, Mem key, Frame::Mark mark) {
  Block latch = nullptr, end = code_.block("cleared");
  Val cpu = nullptr;
  Mem element;
  for_each_cpu(address_of(active_map(map)), key, latch, end, cpu, element);
  code_.zero(element, object_.map_info(map).value_size);
  code_.jump(latch);
  code_.enter(end);
  frame_.release(mark);
  return code_.number(1);
}

}  // namespace awl::codegen
