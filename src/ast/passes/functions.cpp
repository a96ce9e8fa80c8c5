#include "ast/passes/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ast/walk.h"

namespace awl::ast {

void declare_functions(const Program &program, FunctionTable &functions, Diagnostics &diagnostics) {
  for (const Function &function : program.functions) {
    const Function *known = functions.find(function.name);
    if (!known) {
      functions.add(function);
    } else if (known->of_script) {
      diagnostics.emit(diag::Redeclared, function.name_span, "fn " + function.name).at(known->name_span, "first here");
    } else {
      diagnostics.emit(diag::FunctionTaken, function.name_span, function.name)
          .with_hint("give it another name; `" + signature(*known) + "` is there already");
    }
    for (const FunctionParam &param : function.params)
      if (param.variadic)
        diagnostics.emit(diag::NotSupported, param.span, "a function of the script with any number of arguments");
  }
}

namespace {

class Binder {
 public:
  Binder(FunctionTable &functions, std::vector<Unit> &units, Diagnostics &diagnostics)
      : functions_(functions), units_(units), diagnostics_(diagnostics) {}

  void run(Program &program) {
    size_t probes = units_.size();
    for (size_t i = 0; i < probes; i++) {
      visit_calls(units_[i].predicate);
      visit_calls(units_[i].body);
    }
    for (const Function &function : program.functions) {
      if (functions_.find(function.name) != &function || states_.contains(&function)) continue;
      reached_ = false;
      visit(function);
    }
  }

 private:
  enum class State : uint8_t { Open, Done };

  void visit(const Function &function) {
    if (auto it = states_.find(&function); it != states_.end()) {
      if (it->second == State::Open) report_cycle(function);
      return;
    }
    states_[&function] = State::Open;
    path_.push_back(&function);
    visit_calls(function.body);
    path_.pop_back();
    states_[&function] = State::Done;
    Unit unit;
    unit.text = "fn " + function.name;
    unit.span = function.name_span;
    unit.body = function.body;
    unit.function = &function;
    unit.reached = reached_;
    units_.push_back(std::move(unit));
  }

  void visit_calls(Node *node) {
    for_each_node(node, [&](const Node *each) {
      const auto *call = as<Call>(each);
      const auto *name = as<Identifier>(each);
      const Function *called = call ? functions_.find(call->name) : name ? functions_.find(name->name) : nullptr;
      if (called && called->of_script) visit(*called);
    });
  }

  void report_cycle(const Function &function) {
    std::string names;
    auto first = std::ranges::find(path_, &function);
    for (auto it = first; it != path_.end(); ++it) names += "`" + (*it)->name + "` calls ";
    diagnostics_.emit(diag::Recursion, function.name_span, function.name, names + "`" + function.name + "`")
        .with_hint("the kernel takes no recursion; use a loop");
  }

  FunctionTable &functions_;
  std::vector<Unit> &units_;
  Diagnostics &diagnostics_;
  std::map<const Function *, State> states_;
  std::vector<const Function *> path_;
  bool reached_ = true;
};

}  // namespace

void bind_functions(Program &program, FunctionTable &functions, std::vector<Unit> &units, Diagnostics &diagnostics) {
  Binder(functions, units, diagnostics).run(program);
}

}  // namespace awl::ast
