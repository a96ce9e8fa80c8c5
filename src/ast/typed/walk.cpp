#include "ast/typed/walk.h"

#include <linux/bpf.h>

namespace awl::typed {

namespace {

using List = std::vector<const Value *>;

List of(std::initializer_list<const Value *> values) {
  List list;
  for (const Value *value : values)
    if (value) list.push_back(value);
  return list;
}

template <class Node>
const Node &as(const Value &value) {
  return static_cast<const Node &>(value);
}
template <class Node>
const Node &as(const Step &step) {
  return static_cast<const Node &>(step);
}

}  // namespace

std::vector<const Value *> values(const Step &step) {
  switch (step.kind) {
    case Kind::Evaluate: return of({as<Evaluate>(step).value.get()});
    case Kind::LocalSet: return of({as<LocalSet>(step).value.get()});
    case Kind::MapSet: return of({as<MapSet>(step).key.get(), as<MapSet>(step).value.get()});
    case Kind::MapAdd: return of({as<MapAdd>(step).key.get(), as<MapAdd>(step).delta.get()});
    case Kind::AggregateUpdate:
      return of({as<AggregateUpdate>(step).key.get(), as<AggregateUpdate>(step).argument.get()});
    case Kind::Emit: {
      List list;
      for (const ValuePtr &arg : as<Emit>(step).args) list.push_back(arg.get());
      return list;
    }
    case Kind::SeqPrint: {
      List list;
      for (const ValuePtr &arg : as<SeqPrint>(step).args) list.push_back(arg.get());
      return list;
    }
    case Kind::SeqString: return of({as<SeqString>(step).value.get()});
    case Kind::Branch: return of({as<Branch>(step).condition.get()});
    case Kind::Loop: return of({as<Loop>(step).condition.get()});
    case Kind::ForRange: return of({as<ForRange>(step).turns.get()});
    default: return {};
  }
}

std::vector<const Steps *> inner_steps(const Step &step) {
  switch (step.kind) {
    case Kind::Branch: return {&as<Branch>(step).then, &as<Branch>(step).otherwise};
    case Kind::Loop: return {&as<Loop>(step).body};
    case Kind::ForMap: return {&as<ForMap>(step).body};
    case Kind::ForRange: return {&as<ForRange>(step).body};
    case Kind::Group: return {&as<Group>(step).steps};
    default: return {};
  }
}

bool any_of(const Steps &steps, const ValueTest &found, const StepTest &found_step) {
  for (const StepPtr &step : steps)
    if (typed::any_of(*step, found, found_step)) return true;
  return false;
}

uint32_t read_helper(Space space) {
  if (space == Space::User) return BPF_FUNC_probe_read_user;
  return space == Space::Any ? BPF_FUNC_probe_read : BPF_FUNC_probe_read_kernel;
}

uint32_t read_string_helper(Space space) {
  if (space == Space::User) return BPF_FUNC_probe_read_user_str;
  return space == Space::Any ? BPF_FUNC_probe_read_str : BPF_FUNC_probe_read_kernel_str;
}

std::vector<const Value *> children(const Value &value) {
  switch (value.kind) {
    case Kind::HelperCall: {
      List list;
      for (const ValuePtr &arg : as<HelperCall>(value).args) list.push_back(arg.get());
      return list;
    }
    case Kind::Call: {
      List list;
      for (const ValuePtr &arg : as<Call>(value).args) list.push_back(arg.get());
      return list;
    }
    case Kind::CCall: {
      List list;
      for (const ValuePtr &arg : as<CCall>(value).args) list.push_back(arg.get());
      return list;
    }
    case Kind::StackTrace: return of({as<StackTrace>(value).unwound.get()});
    case Kind::MapAddress: return of({as<MapAddress>(value).key.get()});
    case Kind::Compose: {
      List list;
      for (auto &[offset, part] : as<Compose>(value).parts) list.push_back(part.get());
      return list;
    }
    case Kind::UnaryOp: return of({as<UnaryOp>(value).operand.get()});
    case Kind::BinaryOp: return of({as<BinaryOp>(value).left.get(), as<BinaryOp>(value).right.get()});
    case Kind::LogicalOp: return of({as<LogicalOp>(value).left.get(), as<LogicalOp>(value).right.get()});
    case Kind::Select:
      return of({as<Select>(value).condition.get(), as<Select>(value).then.get(), as<Select>(value).otherwise.get()});
    case Kind::Convert: return of({as<Convert>(value).operand.get()});
    case Kind::Load: return of({as<Load>(value).address.get()});
    case Kind::FieldAddress: return of({as<FieldAddress>(value).base.get()});
    case Kind::FieldLoad: return of({as<FieldLoad>(value).base.get()});
    case Kind::Compare: return of({as<Compare>(value).left.get(), as<Compare>(value).right.get()});
    case Kind::Order: return of({as<Order>(value).left.get(), as<Order>(value).right.get()});
    case Kind::MapFind: return of({as<MapFind>(value).key.get()});
    case Kind::MemoryAddress: return of({as<MemoryAddress>(value).operand.get()});
    case Kind::TableRow: return of({as<TableRow>(value).index.get()});
    case Kind::StringLength: return of({as<StringLength>(value).operand.get()});
    case Kind::Match: return of({as<Match>(value).operand.get()});
    case Kind::Search: return of({as<Search>(value).text.get(), as<Search>(value).wanted.get()});
    case Kind::PathText: return of({as<PathText>(value).path.get(), as<PathText>(value).root.get()});
    case Kind::Concat: return of({as<Concat>(value).left.get(), as<Concat>(value).right.get()});
    case Kind::MapGet: return of({as<MapGet>(value).key.get()});
    case Kind::MapHas: return of({as<MapHas>(value).key.get()});
    case Kind::MapRemove: return of({as<MapRemove>(value).key.get()});
    case Kind::MapAddGet: return of({as<MapAddGet>(value).key.get()});
    case Kind::AggregateGet: return of({as<AggregateGet>(value).key.get()});
    case Kind::Part: return of({as<Part>(value).operand.get()});
    case Kind::ReadString: return of({as<ReadString>(value).address.get(), as<ReadString>(value).limit.get()});
    case Kind::ReadBuffer: return of({as<ReadBuffer>(value).address.get(), as<ReadBuffer>(value).length.get()});
    case Kind::Sequence: return of({as<Sequence>(value).value.get()});
    default: return {};
  }
}

bool any_of(const Value &value, const ValueTest &found, const StepTest &found_step) {
  if (found(value)) return true;
  if (value.kind == Kind::Sequence && any_of(as<Sequence>(value).steps, found, found_step)) return true;
  for (const Value *child : children(value))
    if (any_of(*child, found, found_step)) return true;
  return false;
}

bool any_of(const Step &step, const ValueTest &found, const StepTest &found_step) {
  if (found_step && found_step(step)) return true;
  for (const Value *value : values(step))
    if (any_of(*value, found, found_step)) return true;
  for (const Steps *steps : inner_steps(step))
    if (any_of(*steps, found, found_step)) return true;
  return false;
}

}  // namespace awl::typed
