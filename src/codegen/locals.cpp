#include "codegen/locals.h"

#include <algorithm>

#include "ast/typed/walk.h"

namespace awl::codegen {

using namespace typed;

namespace {

constexpr uint32_t kMostRecordWords = 6;  // for scalars; the stack is small

void note(std::vector<BodyOf> &list, BodyOf body) {
  if (std::ranges::find(list, body) == list.end()) list.push_back(body);
}

class Planner {
 public:
  Planner(const Routine &routine, const Function *function) : routine_(routine), written_(routine.locals.size()) {
    plan_.places.resize(routine.locals.size());
    for (uint32_t i = 0; function && i < function->params; ++i) write(i, nullptr);
    if (function && function->result) note(plan_.places[function->result_local].used, nullptr);
    visit(routine.body, nullptr);
    for (uint32_t i = 0; i < plan_.places.size(); ++i) settle(i);
  }
  LocalPlan take() { return std::move(plan_); }

 private:
  void visit(const Steps &steps, BodyOf body) {
    for (const StepPtr &step : steps) {
      if (step->kind == Kind::LocalSet) write(static_cast<const LocalSet &>(*step).local, body);
      for (const Value *value : values(*step)) visit(*value, body);
      bool callback = is_callback_loop(*step);
      for (const Steps *inner : inner_steps(*step)) {
        visit(*inner, callback ? step.get() : body);
        if (!callback) continue;
        plan_.has_bodies = true;
        plan_.bodies_leave = plan_.bodies_leave || may_leave(*inner);
      }
    }
  }

  void visit(const Value &value, BodyOf body) {
    if (value.kind == Kind::LocalGet) note(plan_.places[static_cast<const LocalGet &>(value).local].used, body);
    if (value.kind == Kind::LocalAddress) write(static_cast<const LocalAddress &>(value).local, body);
    if (value.kind == Kind::MapFind) write(static_cast<const MapFind &>(value).local, body);
    if (value.kind == Kind::Call || value.kind == Kind::Unwind) plan_.has_calls = true;
    if (value.kind == Kind::LocalAdd) write(static_cast<const LocalAdd &>(value).local, body);
    if (value.kind == Kind::Sequence) visit(static_cast<const Sequence &>(value).steps, body);
    for (const Value *child : children(value)) visit(*child, body);
  }

  void write(uint32_t local, BodyOf body) {
    note(plan_.places[local].used, body);
    note(written_[local], body);
  }

  void settle(uint32_t local) {
    LocalPlace &place = plan_.places[local];
    if (place.used.empty()) place.used.push_back(nullptr);
    if (place.used.size() == 1) {
      BodyOf body = place.used.front();
      // What a turn of a loop leaves behind is there in the next one.
      if (!body || is_set_first(*inner_steps(*body).front(), local)) return;
    }
    bool only_read = std::ranges::all_of(written_[local], [](BodyOf body) { return !body; });
    bool room = routine_.locals[local].trusted || plan_.record_words < kMostRecordWords;
    if (routine_.locals[local].type->is_scalar() && only_read && room) {
      place.home = Home::Record;
      place.word = plan_.record_words++;
    } else {
      place.home = Home::Scratch;
    }
  }

  const Routine &routine_;
  LocalPlan plan_;
  std::vector<std::vector<BodyOf>> written_;  // by local: functions that write it
};

}  // namespace

bool LocalPlan::uses(uint32_t local, BodyOf body) const {
  return std::ranges::find(places[local].used, body) != places[local].used.end();
}

LocalPlan plan_locals(const Routine &routine, const Function *function) { return Planner(routine, function).take(); }

namespace {

enum class Use : uint8_t { None, Set, Read };  // what happens to the local first, on every way

Use first_use(const Steps &steps, uint32_t local) {
  auto reads = [&](const Value &value) {
    return (value.kind == Kind::LocalGet && static_cast<const LocalGet &>(value).local == local) ||
           (value.kind == Kind::LocalAdd && static_cast<const LocalAdd &>(value).local == local) ||
           (value.kind == Kind::MapFind && static_cast<const MapFind &>(value).local == local) ||
           (value.kind == Kind::LocalAddress && static_cast<const LocalAddress &>(value).local == local);
  };
  auto sets = [&](const Step &step) {
    return step.kind == Kind::LocalSet && static_cast<const LocalSet &>(step).local == local;
  };
  for (const StepPtr &step : steps) {
    for (const Value *value : values(*step))
      if (any_of(*value, reads, sets)) return Use::Read;
    if (sets(*step)) return Use::Set;
    bool always = step->kind == Kind::Branch || step->kind == Kind::Group;
    for (const Steps *inner : inner_steps(*step)) {
      Use use = first_use(*inner, local);
      if (use == Use::Read) return Use::Read;
      always = always && use == Use::Set;
    }
    if (always && !inner_steps(*step).empty()) return Use::Set;
  }
  return Use::None;
}

}  // namespace

bool is_set_first(const Steps &steps, uint32_t local) { return first_use(steps, local) != Use::Read; }

bool may_leave(const Steps &steps) {
  return any_of(
      steps, [](const Value &value) { return value.kind == Kind::Call; },
      [](const Step &step) {
        if (step.kind != Kind::Leave) return false;
        LeaveKind what = static_cast<const Leave &>(step).what;
        return what == LeaveKind::Return || what == LeaveKind::Probe;
      });
}

}  // namespace awl::codegen
