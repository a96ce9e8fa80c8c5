#include "ast/passes/expand.h"

#include <algorithm>
#include <map>

#include "ast/clone.h"
#include "ast/passes/macros.h"
#include "ast/walk.h"

namespace awl::ast {

namespace {

// Functions that call each other stop here; stdlib is ours, so this is a bound, not a diagnostic.
constexpr int kMaxDepth = 16;

// Macros may become this many nodes in all: two lines of them can double themselves without end.
constexpr size_t kMaxNodes = 1'000'000;

class Expander {
 public:
  Expander(Program &program, FunctionTable &functions, Source &source, Diagnostics &diagnostics)
      : program_(program),
        functions_(functions),
        macros_(program, diagnostics),
        source_(source),
        diagnostics_(diagnostics) {}

  void visit(Node *node, int depth = 0) {
    for_each_slot(node, [&](Expr *&slot) { rewrite(slot, depth); }, [&](Stmt *child) { visit(child, depth); });
    // The value of a macro that is called as a statement is one of its statements.
    if (auto *statement = as<ExprStmt>(node))
      if (auto *block = as<BlockExpr>(statement->expr); block && block->value) {
        block->block->body.push_back(program_.make<ExprStmt>(block->value->span, block->value));
        block->value = nullptr;
      }
  }

  void rewrite(Expr *&slot, int depth) {
    auto *call = as<Call>(slot);
    auto *identifier = as<Identifier>(slot);
    std::string_view name = call ? call->name : identifier ? identifier->name : std::string_view();
    std::vector<Expr *> args = call ? call->args : std::vector<Expr *>();
    // The standard library does not see the macros of the script. Arguments of a macro are expanded where its body has
    // them: there `pid` may be the name of a member.
    if (depth == 0 && macros_.has(name) && expand_macro(slot, name, args)) return;
    visit(slot, depth);
    if (!call && !identifier) return;
    if (call) args = call->args;
    const Function *function = depth < kMaxDepth ? functions_.find(name) : nullptr;
    // A wrong number of arguments stays a call, which the checker reports.
    if (!function || !function->body || args.size() != function->params.size()) return;
    slot = inline_body(*function, args, slot->span);
    visit(slot, depth + 1);
    respan(slot, slot->span);
  }

 private:
  // False if the call means no macro: there may be a function of this name.
  bool expand_macro(Expr *&slot, std::string_view name, const std::vector<Expr *> &args) {
    const Macro *macro = macros_.find(name, args);
    if (!macro) {
      if (functions_.find(name)) return false;
      report_mismatch(slot, name, args);
      slot = program_.make<Poison>(slot->span);
      return true;
    }
    if (report_cycle(*macro, slot->span)) {
      slot = program_.make<Poison>(slot->span);
      return true;
    }
    if (program_.node_count() > kMaxNodes) {
      diagnostics_.emit(diag::MacroTooLarge, macro->name_span, macro->name, kMaxNodes);
      slot = program_.make<Poison>(slot->span);
      return true;
    }
    Span call = slot->span;
    uint32_t expansion = source_.add_expansion(macro->name, call);
    expanded_.push_back(macro);
    slot = instantiate(program_, *macro, args, expansion, call);
    rewrite(slot, 0);
    return true;
  }

  void report_mismatch(Expr *call, std::string_view name, const std::vector<Expr *> &args) {
    std::string given;
    for (const Expr *arg : args) {
      const auto *access = as<MapAccess>(arg);
      given += given.empty() ? "" : ", ";
      given += as<Variable>(arg) ? "a variable" : access && access->keys.empty() ? "a map" : "an expression";
    }
    Diagnostic &d = diagnostics_.emit(diag::MacroMismatch, call->span, std::string(name),
                                      given.empty() ? "no arguments" : "(" + given + ")");
    for (const Macro *macro : macros_.all(name)) d.at(macro->name_span, "it is `" + signature(*macro) + "`");
  }

  // True if the call stands in the body of the same macro, or in what that body expanded to.
  bool report_cycle(const Macro &macro, Span place) {
    std::string path = macro.name;
    for (uint32_t i = place.expansion; i != 0; i = source_.expansions()[i - 1].call.expansion) {
      path = expanded_[i - 1]->name + " -> " + path;
      if (expanded_[i - 1] != &macro) continue;
      diagnostics_.emit(diag::MacroRecursion, place, macro.name, path)
          .with_hint("a macro is put in place of its call; for repetition use a loop");
      return true;
    }
    return false;
  }

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
  MacroTable macros_;
  Source &source_;
  Diagnostics &diagnostics_;
  std::vector<const Macro *> expanded_;  // by number of the expansion, from 1
  int counter_ = 0;
};

}  // namespace

void expand(Program &program, FunctionTable &functions, Source &source, Diagnostics &diagnostics) {
  Expander expander(program, functions, source, diagnostics);
  for (Probe &probe : program.probes) {
    if (probe.predicate) expander.rewrite(probe.predicate, 0);
    if (probe.body) expander.visit(probe.body);
  }
}

}  // namespace awl::ast
