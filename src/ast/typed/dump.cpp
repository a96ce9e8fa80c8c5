// The typed IR as text: one node a line, children indented below it, each "role: Node attributes : type".
#include <fmt/format.h>
#include <linux/bpf.h>

#include <iterator>

#include "ast/typed/typed.h"
#include "ast/typed/walk.h"
#include "base/strings.h"

namespace awl::typed {

namespace {

constexpr const char *kNodeNames[] = {
#define VALUE(name) #name,
#define ACTION(name) #name,
#include "ast/typed/nodes.def"
#undef VALUE
#undef ACTION
};

constexpr const char *kHelperNames[] = {
#define HELPER_NAME(name) #name
    __BPF_FUNC_MAPPER(HELPER_NAME)
#undef HELPER_NAME
};

constexpr const char *kOps[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">="};
constexpr const char *kUnaries[] = {"-", "~", "!"};
constexpr const char *kSpaces[] = {"kernel", "user", "any", "trusted", "context"};
constexpr const char *kProgTypes[] = {"raw_tracepoint", "tracepoint", "kprobe", "perf_event",
                                      "fentry",         "fexit",      "iter"};
constexpr const char *kLeaves[] = {"break", "continue", "return", "probe"};
constexpr const char *kActions[] = {"printf",   "print",  "print_map", "print_map_key", "clear_map",
                                    "zero_map", "time",   "cat",       "join",          "system",
                                    "exit",     "errorf", "warnf",     "cgroup_event",  "percentiles"};

template <class Enum, size_t N>
const char *name_of(const char *const (&names)[N], Enum value) {
  auto index = static_cast<size_t>(value);
  return index < N ? names[index] : "?";
}

std::string name_of(const FieldRef &field) {
  std::string text = field.owner ? to_string(field.owner) : "?";
  for (const std::string &part : field.path) text += "." + part;
  if (field.relocated()) return text;
  text += fmt::format(" +{}", field.offset);
  if (field.bits != 0) text += fmt::format(" bits {}..{}", field.bit_offset, field.bit_offset + field.bits - 1);
  return text;
}

class Dump {
 public:
  Dump(const Module &module, const Manifest &manifest) : module_(module), manifest_(manifest) {
    for (const Function &function : module.functions) show(function);
    for (const Program &program : module.programs) show(program);
  }
  std::string take() { return std::move(text_); }

 private:
  void show(const Program &program) {
    line("program {} {}{}{}{}{}", program.name, name_of(kProgTypes, program.prog_type),
         program.filter_pid ? " filter_pid"
         : program.selects  ? " selects"
                            : "",
         program.always_runs ? " always_runs" : "", program.pinned ? " pinned" : "",
         program.preemptible ? " preemptible" : "");
    show_routine(program);
  }

  void show(const Function &function) {
    line("function {}, {} parameters{}", function.name, function.params,
         function.result ? " : " + to_string(function.result) : "");
    show_routine(function);
  }

  void show_routine(const Routine &routine) {
    routine_ = &routine;
    ++depth_;
    for (const Local &local : routine.locals) line("local {} : {}", local.name, to_string(local.type));
    show(routine.body);
    --depth_;
  }

  void show(const Steps &steps) {
    for (const StepPtr &step : steps) show(*step);
  }

  void block(const char *role, const Steps &steps) {
    if (steps.empty()) return;
    line("{}:", role);
    ++depth_;
    show(steps);
    --depth_;
  }

  void show(const Step &step) {
    line("{}{}", kNodeNames[static_cast<size_t>(step.kind)], attributes(step));
    ++depth_;
    parts(step);
    --depth_;
  }

  void show(const char *role, const ValuePtr &value) { show(std::string(role), value.get()); }
  void show(const std::string &role, const Value *value) {
    if (!value) return;
    line("{}{}{}{} : {}", role, role.empty() ? "" : ": ", kNodeNames[static_cast<size_t>(value->kind)],
         attributes(*value), to_string(value->type));
    ++depth_;
    parts(*value);
    --depth_;
  }

  std::string attributes(const Step &step) const;
  std::string attributes(const Value &value) const;
  void parts(const Step &step);
  void parts(const Value &value);

  std::string map(uint32_t index) const {
    return index < manifest_.maps.size() ? " " + manifest_.maps[index].name : fmt::format(" map {}", index);
  }
  std::string local(uint32_t index) const {
    return index < routine_->locals.size() ? " " + routine_->locals[index].name : fmt::format(" local {}", index);
  }
  static std::string change(int64_t delta, bool give_old) {
    return fmt::format(" {:+}, gives the {}", delta, give_old ? "old" : "new");
  }

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args &&...args) {
    text_.append(depth_ * 2, ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  const Module &module_;
  const Manifest &manifest_;
  const Routine *routine_ = nullptr;
  std::string text_;
  size_t depth_ = 0;
};

template <class Node>
const Node &as(const Value &value) {
  return static_cast<const Node &>(value);
}
template <class Node>
const Node &as(const Step &step) {
  return static_cast<const Node &>(step);
}

std::string Dump::attributes(const Step &step) const {
  switch (step.kind) {
    case Kind::LocalSet: return local(as<LocalSet>(step).local);
    case Kind::MapSet: return map(as<MapSet>(step).map);
    case Kind::MapAdd: return map(as<MapAdd>(step).map);
    case Kind::AggregateUpdate: {
      uint32_t index = as<AggregateUpdate>(step).map;
      return index < manifest_.maps.size() ? map(index) + " " + to_string(manifest_.maps[index].value) : map(index);
    }
    case Kind::Emit: {
      uint32_t index = as<Emit>(step).action;
      if (index >= manifest_.actions.size()) return fmt::format(" action {}", index);
      const Action &action = manifest_.actions[index];
      std::string text = fmt::format(" {}", name_of(kActions, action.kind));
      if (!action.format.empty()) text += " " + json_quote(action.format);
      if (action.map >= 0) text += map(static_cast<uint32_t>(action.map));
      if (action.take != MapTake::No) text += action.take == MapTake::First ? " take" : " taken";
      return text;
    }
    case Kind::SeqPrint: return " " + json_quote(as<SeqPrint>(step).format);
    case Kind::ForMap: return map(as<ForMap>(step).map);
    case Kind::Leave: return fmt::format(" {}", name_of(kLeaves, as<Leave>(step).what));
    default: return "";
  }
}

std::string Dump::attributes(const Value &value) const {
  switch (value.kind) {
    case Kind::Const:
      return value.type->is_signed ? fmt::format(" {}", static_cast<int64_t>(as<Const>(value).value))
                                   : fmt::format(" {}", as<Const>(value).value);
    case Kind::Bytes: return " " + json_quote(as<Bytes>(value).data);
    case Kind::LocalGet: return local(as<LocalGet>(value).local);
    case Kind::LocalAdd:
      return local(as<LocalAdd>(value).local) + change(as<LocalAdd>(value).delta, as<LocalAdd>(value).give_old);
    case Kind::LocalAddress: return local(as<LocalAddress>(value).local);
    case Kind::MapAddress: return map(as<MapAddress>(value).map) + (as<MapAddress>(value).of_object ? " itself" : "");
    case Kind::Call: {
      uint32_t index = as<Call>(value).function;
      return index < module_.functions.size() ? " " + module_.functions[index].name
                                              : fmt::format(" function {}", index);
    }
    case Kind::CtxLoad: return fmt::format(" +{}", as<CtxLoad>(value).offset);
    case Kind::CtxField: return " " + name_of(as<CtxField>(value).field);
    case Kind::Param: return fmt::format(" {}", static_cast<uint32_t>(as<Param>(value).word));
    case Kind::HelperCall: return fmt::format(" {}", name_of(kHelperNames, as<HelperCall>(value).helper));
    case Kind::UnaryOp: return fmt::format(" {}", name_of(kUnaries, as<UnaryOp>(value).op));
    case Kind::BinaryOp:
      return fmt::format(" {}{}", name_of(kOps, as<BinaryOp>(value).op),
                         as<BinaryOp>(value).is_signed ? "" : " unsigned");
    case Kind::LogicalOp: return as<LogicalOp>(value).is_and ? " &&" : " ||";
    case Kind::Load: return fmt::format(" {}", name_of(kSpaces, as<Load>(value).space));
    case Kind::FieldAddress: return " " + name_of(as<FieldAddress>(value).field);
    case Kind::FieldLoad:
      return fmt::format(" {} {}", name_of(kSpaces, as<FieldLoad>(value).space), name_of(as<FieldLoad>(value).field));
    case Kind::Compare:
      return fmt::format(" {} bytes{}", as<Compare>(value).count, as<Compare>(value).stop_at_nul ? ", to NUL" : "");
    case Kind::Order: return fmt::format(" {} bytes", as<Order>(value).count);
    case Kind::MapFind: return map(as<MapFind>(value).map) + " to" + local(as<MapFind>(value).local);
    case Kind::TableRow: return fmt::format(" {} rows", as<TableRow>(value).rows.size() / value.type->size);
    case Kind::Match:
      return fmt::format(" {} states", as<Match>(value).automaton->next.size() / as<Match>(value).automaton->stride);
    case Kind::MapGet: return map(as<MapGet>(value).map);
    case Kind::MapHas: return map(as<MapHas>(value).map);
    case Kind::MapRemove: return map(as<MapRemove>(value).map);
    case Kind::MapAddGet:
      return map(as<MapAddGet>(value).map) + change(as<MapAddGet>(value).delta, as<MapAddGet>(value).give_old);
    case Kind::AggregateGet: return map(as<AggregateGet>(value).map);
    case Kind::UsdtArgument: return fmt::format(" {}", as<UsdtArgument>(value).index);
    case Kind::Part: return fmt::format(" +{}", as<Part>(value).offset);
    case Kind::ReadString: return fmt::format(" {}", name_of(kSpaces, as<ReadString>(value).space));
    case Kind::ReadBuffer: return fmt::format(" {}", name_of(kSpaces, as<ReadBuffer>(value).space));
    case Kind::CCall: return fmt::format(" {}", module_.c_functions[as<CCall>(value).function].name);
    case Kind::StackTrace: return as<StackTrace>(value).unwound ? "" : map(as<StackTrace>(value).map);
    case Kind::Unwind:
      return fmt::format(" {} frames{}", as<Unwind>(value).frames, as<Unwind>(value).keep ? ", kept" : "");
    default: return "";
  }
}

void Dump::parts(const Step &step) {
  switch (step.kind) {
    case Kind::Evaluate: show("", as<Evaluate>(step).value); break;
    case Kind::LocalSet: show("", as<LocalSet>(step).value); break;
    case Kind::MapSet:
      show("key", as<MapSet>(step).key);
      show("value", as<MapSet>(step).value);
      break;
    case Kind::MapAdd:
      show("key", as<MapAdd>(step).key);
      show("delta", as<MapAdd>(step).delta);
      break;
    case Kind::AggregateUpdate:
      show("key", as<AggregateUpdate>(step).key);
      show("argument", as<AggregateUpdate>(step).argument);
      break;
    case Kind::Emit:
      for (const ValuePtr &arg : as<Emit>(step).args) show("", arg);
      break;
    case Kind::SeqPrint:
      for (const ValuePtr &arg : as<SeqPrint>(step).args) show("", arg);
      break;
    case Kind::SeqString: show("", as<SeqString>(step).value); break;
    case Kind::Branch:
      show("condition", as<Branch>(step).condition);
      block("then", as<Branch>(step).then);
      block("else", as<Branch>(step).otherwise);
      break;
    case Kind::Loop:
      show("condition", as<Loop>(step).condition);
      block("body", as<Loop>(step).body);
      break;
    case Kind::ForMap: block("body", as<ForMap>(step).body); break;
    case Kind::ForRange:
      show("turns", as<ForRange>(step).turns);
      block("body", as<ForRange>(step).body);
      break;
    case Kind::Group: show(as<Group>(step).steps); break;
    default: break;
  }
}

void Dump::parts(const Value &value) {
  switch (value.kind) {
    case Kind::Select:
      show("condition", as<Select>(value).condition);
      show("then", as<Select>(value).then);
      show("else", as<Select>(value).otherwise);
      break;
    case Kind::Compose:
      for (auto &[offset, part] : as<Compose>(value).parts) show(fmt::format("+{}", offset), part.get());
      break;
    case Kind::ReadString:
      show("address", as<ReadString>(value).address);
      show("limit", as<ReadString>(value).limit);
      break;
    case Kind::ReadBuffer:
      show("address", as<ReadBuffer>(value).address);
      show("length", as<ReadBuffer>(value).length);
      break;
    case Kind::Sequence:
      show(as<Sequence>(value).steps);
      show("value", as<Sequence>(value).value);
      break;
    default:
      for (const Value *child : children(value)) show("", child);
      break;
  }
}

}  // namespace

std::string dump(const Module &module, const Manifest &manifest) { return Dump(module, manifest).take(); }

}  // namespace awl::typed
