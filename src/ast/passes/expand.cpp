#include "ast/passes/expand.h"

#include <algorithm>
#include <map>

#include "ast/clone.h"
#include "ast/passes/config.h"
#include "ast/passes/macros.h"
#include "ast/walk.h"
#include "base/strings.h"

namespace awl::ast {

namespace {

// Functions that call each other stop here; stdlib is ours, so this is a bound, not a diagnostic.
constexpr int kMaxDepth = 16;

// Macros may become this many nodes in all: two lines of them can double themselves without end. What this many nodes
// compile to is near the million instructions that the verifier looks at.
constexpr size_t kMaxNodes = 100'000;

class Expander {
 public:
  Expander(Program &program, FunctionTable &functions, const ConfigValues &config, Source &source,
           Diagnostics &diagnostics)
      : program_(program),
        functions_(functions),
        config_(config),
        macros_(program, diagnostics),
        source_(source),
        diagnostics_(diagnostics) {}

  [[nodiscard]] bool too_large() const { return too_large_; }

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
    if (auto *field = as<FieldAccess>(slot)) return read_config_variable(slot, *field);
    if (!call && !identifier) return;
    if (call) args = call->args;
    const Function *function = depth < kMaxDepth ? functions_.find(name) : nullptr;
    if (function && !args.empty()) function = form_for(*function, args);
    // A wrong number of arguments stays a call, which the checker reports.
    if (!function || !function->body || function->of_script || args.size() > function->params.size() ||
        args.size() < required_params(*function) || (!args.empty() && attribute(*function, "words")))
      return;
    slot = inline_body(*function, args, slot->span);
    rewrite(slot, depth + 1);
  }

 private:
  // `config.max_strlen`, `config().max_strlen`
  void read_config_variable(Expr *&slot, const FieldAccess &field) {
    const auto *base = as<Identifier>(field.base);
    const auto *call = as<Call>(field.base);
    if (!(base && base->name == "config") && !(call && call->name == "config" && call->args.empty())) return;
    if (Expr *value = config_literal(program_, config_, field.name, field.span)) {
      slot = value;
      return;
    }
    std::vector<std::string> names;
    for (const ConfigVariable &variable : config_variables()) names.emplace_back(variable.name);
    Diagnostic &d = diagnostics_.emit(diag::UnknownConfig, field.name_span, field.name);
    if (std::string guess = nearest(field.name, names); !guess.empty() && guess != field.name)
      d.with_hint("did you mean `" + guess + "`?");
    slot = program_.make<Poison>(field.span);
  }

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
    if (too_large_ || program_.node_count() > kMaxNodes) {
      if (!too_large_) diagnostics_.emit(diag::MacroTooLarge, macro->name_span, macro->name, kMaxNodes);
      too_large_ = true;
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

  // `comm(1)` is not `comm`: with arguments another function may be meant ([[given(NAME)]]), or for each word one of
  // its own ([[words]]: `pid(init)` is __pid_init()).
  const Function *form_for(const Function &function, std::vector<Expr *> &args) {
    if (const Attribute *other = attribute(function, "given")) return functions_.find(other->argument);
    const auto *word = args.size() == 1 && attribute(function, "words") ? as<Identifier>(args[0]) : nullptr;
    if (!word) return &function;
    const Function *form = functions_.find("__" + function.name + "_" + word->name);
    if (form) args.clear();
    return form ? form : &function;
  }

  // What stands for a parameter or variable of the function where its body is put.
  using Names = std::map<std::string, Expr *>;

  // `{ let $x = 1; return $x; }` becomes a block with a value, `{ return e; }` just e. Parameters become hidden
  // variables, so that arguments are evaluated once; what has no effects takes the parameter's place.
  Expr *inline_body(const Function &function, const std::vector<Expr *> &args, Span span) {
    std::string prefix = "__" + function.name + std::to_string(counter_++) + "_";
    std::vector<Stmt *> statements;
    Names names;
    for (size_t i = 0; i < function.params.size(); i++) {
      const FunctionParam &param = function.params[i];
      Expr *arg = i < args.size() ? args[i] : clone(program_, param.default_value);
      if (!is_plain(arg)) {
        auto *hidden = program_.make<Variable>(span, prefix + param.name);
        statements.push_back(program_.make<Let>(span, hidden, std::nullopt, arg));
        arg = hidden;
      }
      names[param.name] = arg;
    }
    const std::vector<Stmt *> &body = function.body->body;
    for (size_t i = 0; i + 1 < body.size(); i++) {
      Stmt *statement = clone(program_, body[i]);
      respan(statement, span);
      rename(statement, names, prefix);
      statements.push_back(statement);
    }
    Expr *value = clone(program_, as<Jump>(body.back())->value);
    respan(value, span);
    rename(value, names, prefix);
    return statements.empty() ? value : program_.make<BlockExpr>(span, program_.make<Block>(span, statements), value);
  }

  static bool is_plain(const Expr *expr) {
    switch (expr->kind) {
      case NodeKind::StringLiteral:
      case NodeKind::BoolLiteral:
      case NodeKind::PositionalParam:
      case NodeKind::Variable:
      case NodeKind::Identifier: return true;
      default: return false;
    }
  }

  void rename(Expr *&slot, const Names &names, const std::string &prefix) {
    if (auto *identifier = as<Identifier>(slot)) {
      if (auto it = names.find(identifier->name); it != names.end()) slot = clone(program_, it->second);
      return;
    }
    if (auto *variable = as<Variable>(slot)) {
      variable->name = prefix + variable->name;
      return;
    }
    rename(static_cast<Node *>(slot), names, prefix);
  }

  void rename(Node *node, const Names &names, const std::string &prefix) {
    if (auto *let = as<Let>(node)) let->variable->name = prefix + let->variable->name;
    for_each_slot(
        node, [&](Expr *&child) { rename(child, names, prefix); }, [&](Stmt *child) { rename(child, names, prefix); });
  }

  // What a body expands to has the place of the call: messages speak of what the user wrote.
  void respan(Node *node, Span span) {
    node->span = span;
    if (auto *call = as<Call>(node)) call->name_span = span;
    if (auto *field = as<FieldAccess>(node)) field->name_span = span;
    if (auto *cast = as<Cast>(node)) cast->type.span = span;
    for_each_slot(node, [&](Expr *&child) { respan(child, span); }, [&](Stmt *child) { respan(child, span); });
  }

  Program &program_;
  FunctionTable &functions_;
  const ConfigValues &config_;
  MacroTable macros_;
  Source &source_;
  Diagnostics &diagnostics_;
  std::vector<const Macro *> expanded_;  // by number of the expansion, from 1
  int counter_ = 0;
  bool too_large_ = false;
};

}  // namespace

bool expand(Program &program, FunctionTable &functions, const ConfigValues &config, Source &source,
            Diagnostics &diagnostics) {
  Expander expander(program, functions, config, source, diagnostics);
  for (Function &function : program.functions)
    if (function.body) expander.visit(function.body);
  for (Probe &probe : program.probes) {
    if (probe.predicate) expander.rewrite(probe.predicate, 0);
    if (probe.body) expander.visit(probe.body);
  }
  return !expander.too_large();
}

}  // namespace awl::ast
