#include "ast/passes/expand.h"

#include <map>

#include "ast/clone.h"
#include "ast/walk.h"

namespace awl::ast {

namespace {

// Functions that call each other stop here; stdlib is ours, so this is a bound, not a diagnostic.
constexpr int kMaxDepth = 16;

class Expander {
 public:
  Expander(Program &program, FunctionTable &functions) : program_(program), functions_(functions) {}

  void visit(Node *node, int depth = 0) {
    for_each_slot(node, [&](Expr *&slot) { rewrite(slot, depth); }, [&](Stmt *child) { visit(child, depth); });
  }

  void rewrite(Expr *&slot, int depth) {
    visit(slot, depth);
    std::string_view name;
    std::vector<Expr *> args;
    if (auto *call = as<Call>(slot)) {
      name = call->name;
      args = call->args;
    } else if (auto *identifier = as<Identifier>(slot)) {
      name = identifier->name;
    } else {
      return;
    }
    const Function *function = depth < kMaxDepth ? functions_.find(name) : nullptr;
    // A wrong number of arguments stays a call, which the checker reports.
    if (!function || !function->body || args.size() != function->params.size()) return;
    slot = inline_body(*function, args, slot->span);
    visit(slot, depth + 1);
    respan(slot, slot->span);
  }

 private:
  // `{ return e; }` becomes e; parameters become hidden variables, so that arguments are evaluated once.
  Expr *inline_body(const Function &function, const std::vector<Expr *> &args, Span span) {
    const auto *jump = as<Jump>(function.body->body.back());
    Expr *value = clone(program_, jump->value);
    if (args.empty()) {
      respan(value, span);
      return value;
    }
    std::vector<Stmt *> lets;
    std::map<std::string, std::string> names;
    for (size_t i = 0; i < args.size(); i++) {
      std::string hidden = "__" + function.name + std::to_string(counter_++);
      names[function.params[i].name] = hidden;
      lets.push_back(program_.make<Let>(span, program_.make<Variable>(span, hidden), std::nullopt, args[i]));
    }
    rename(value, names);
    respan(value, span);
    return program_.make<BlockExpr>(span, program_.make<Block>(span, lets), value);
  }

  void rename(Expr *&slot, const std::map<std::string, std::string> &names) {
    if (auto *identifier = as<Identifier>(slot)) {
      if (auto it = names.find(identifier->name); it != names.end())
        slot = program_.make<Variable>(identifier->span, it->second);
      return;
    }
    for_each_slot(slot, [&](Expr *&child) { rename(child, names); }, [](Stmt *) {});
  }

  // What a body expands to has the place of the call: messages speak of what the user wrote.
  void respan(Node *node, Span span) {
    node->span = span;
    if (auto *call = as<Call>(node)) call->name_span = span;
    if (auto *field = as<FieldAccess>(node)) field->name_span = span;
    if (auto *cast = as<Cast>(node)) cast->type.span = span;
    for_each_slot(node, [&](Expr *&child) { respan(child, span); }, [](Stmt *) {});
  }

  Program &program_;
  FunctionTable &functions_;
  int counter_ = 0;
};

}  // namespace

void expand(Program &program, FunctionTable &functions) {
  Expander expander(program, functions);
  for (Probe &probe : program.probes) {
    if (probe.predicate) expander.rewrite(probe.predicate, 0);
    if (probe.body) expander.visit(probe.body);
  }
}

}  // namespace awl::ast
