#include "ast/passes/resolve.h"

#include <algorithm>
#include <map>
#include <set>

#include "ast/walk.h"

namespace awl::ast {

namespace {

using Key = std::pair<std::string, uint32_t>;  // name, expansion of the macro whose own it is

Key key(const Variable *variable) { return {variable->name, variable->scope}; }

// The variables that some block looks at before it sets them, so that it may see what another one set.
class CarriedNames {
 public:
  explicit CarriedNames(const Block *body) { visit(body); }

  [[nodiscard]] const std::set<Key> &names() const { return carried_; }

 private:
  void visit(const Block *block) {
    std::vector<Key> set_here;
    auto set = [&](const Variable *variable) {
      if (set_.insert(key(variable)).second) set_here.push_back(key(variable));
    };
    for (const Stmt *stmt : block->body) {
      const auto *let = as<Let>(stmt);
      const auto *assign = as<Assign>(stmt);
      const auto *target = assign && !assign->op ? as<Variable>(assign->target) : nullptr;
      if (let) set(let->variable);
      if (target) {
        look(assign->value);
        set(target);
      } else if (const auto *inner = as<Block>(stmt)) {
        visit(inner);
      } else {
        for_each_child(stmt, [&](const Node *child) {
          const auto *nested = as<Block>(child);
          nested ? visit(nested) : look(child);
        });
      }
    }
    for (const Key &name : set_here) set_.erase(name);
  }

  void look(const Node *node) {
    for_each_node(node, [&](const Node *n) {
      if (const auto *variable = as<Variable>(n); variable && !set_.contains(key(variable)))
        carried_.insert(key(variable));
    });
  }

  std::set<Key> set_;  // by the statements in front, in the block and those around it
  std::set<Key> carried_;
};

class Resolver {
 public:
  Resolver(Names &names, FunctionTable &functions, Diagnostics &diagnostics)
      : names_(names), functions_(functions), diagnostics_(diagnostics) {}

  void run(const Unit &unit) {
    names_.locals.emplace_back();
    scopes_ = {{}};
    body_ = unit.body;
    carried_ = body_ ? CarriedNames(body_).names() : std::set<Key>();
    if (unit.function) declare_params(*unit.function);
    if (unit.predicate) visit_expr(unit.predicate);
    if (unit.body) visit_body(unit.body, true);
  }

 private:
  std::vector<LocalFacts> &locals() { return names_.locals.back(); }

  // Parameter i is local i.
  void declare_params(const Function &function) {
    for (const FunctionParam &param : function.params) {
      auto index = static_cast<uint32_t>(locals().size());
      // A `string` without a size is as long as what it is called with.
      locals().push_back({param.name, param.span, is_open_string(param.type) ? nullptr : &param.type, 1, 1});
      if (!scopes_.front().emplace(Key{param.name, 0}, index).second)
        diagnostics_.emit(diag::Redeclared, param.span, "$" + param.name);
    }
    for (const FunctionParam &param : function.params)
      if (param.type.typeof_expr) visit_expr(param.type.typeof_expr);
    if (function.result.typeof_expr) visit_expr(function.result.typeof_expr);
  }

  void visit_body(Block *block, bool top) {
    scopes_.emplace_back();
    for (Stmt *s : block->body) visit(s, top);
    scopes_.pop_back();
  }

  void visit(Stmt *stmt, bool top) {
    if (auto *let = as<Let>(stmt)) {
      if (let->type && let->type->typeof_expr) visit_expr(let->type->typeof_expr);
      if (let->value) visit_expr(let->value);
      declare(let, top);
      return;
    }
    if (auto *assign = as<Assign>(stmt)) {
      visit_expr(assign->value);
      if (auto *v = as<Variable>(assign->target)) {
        bind(v);
        count_assignment(v, top && !assign->op);
      } else {
        visit_expr(assign->target);
      }
      return;
    }
    if (auto *statement = as<ExprStmt>(stmt)) {
      auto *inc = as<IncDec>(statement->expr);
      auto *v = inc ? as<Variable>(inc->target) : nullptr;
      if (!v) return visit_expr(statement->expr);
      bind(v);
      count_assignment(v, false);
      return;
    }
    if (auto *block = as<Block>(stmt)) return visit_body(block, false);
    if (auto *loop = as<ForMap>(stmt)) {
      visit_expr_children(loop->map);
      return visit_loop(loop->variable, loop->body);
    }
    if (auto *loop = as<ForRange>(stmt)) {
      visit_expr(loop->first);
      visit_expr(loop->last);
      return visit_loop(loop->variable, loop->body);
    }
    for_each_slot(stmt, [&](Expr *&e) { visit_expr(e); }, [&](Stmt *s) { visit(s, false); });
  }

  // The variable of a loop is known in its body only.
  void visit_loop(Variable *variable, Block *body) {
    uint32_t index = add(variable);
    scopes_.push_back({{key(variable), index}});
    count_assignment(variable, false);
    locals()[index].reads++;  // nobody has to look at it
    visit_body(body, false);
    scopes_.pop_back();
  }

  void visit_expr(Expr *expr) {
    if (auto *v = as<Variable>(expr)) {
      bind(v);
      locals()[names_.local_of[v]].reads++;
      return;
    }
    if (auto *inc = as<IncDec>(expr)) {
      visit_expr(inc->target);
      if (auto *v = as<Variable>(inc->target)) count_assignment(v, false);
      return;
    }
    if (auto *block = as<BlockExpr>(expr)) {
      scopes_.emplace_back();
      for (Stmt *s : block->block->body) visit(s, false);
      if (block->value) visit_expr(block->value);
      scopes_.pop_back();
      return;
    }
    visit_expr_children(expr);
    if (auto *call = as<Call>(expr)) count_results(call);
  }

  // A `variable` parameter is one that the function sets.
  void count_results(Call *call) {
    const Function *function = functions_.find(call->name);
    for (size_t i = 0; function && i < std::min(call->args.size(), function->params.size()); i++)
      if (auto *v = as<Variable>(call->args[i]); v && function->params[i].type.name == "variable")
        count_assignment(v, false);
  }

  void visit_expr_children(Expr *expr) {
    for_each_slot(expr, [&](Expr *&e) { visit_expr(e); }, [&](Stmt *s) { visit(s, false); });
  }

  void bind(Variable *variable) {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (auto it = scope->find(key(variable)); it != scope->end()) return names_.local_of.set(variable, it->second);
    Key name = key(variable);
    bool by_block = body_ && !carried_.contains(name);
    (by_block ? scopes_.back() : scopes_.front())[name] = add(variable);
  }

  void declare(Let *let, bool top) {
    auto &scope = scopes_.back();
    if (scope.contains(key(let->variable))) {
      diagnostics_.emit(diag::Redeclared, let->variable->span, "$" + let->variable->name);
      bind(let->variable);
      return;
    }
    uint32_t index = add(let->variable);
    scope[key(let->variable)] = index;
    locals()[index].declared = let->type ? &*let->type : nullptr;
    locals()[index].introduced = !let->value;
    if (let->value) count_assignment(let->variable, top);
  }

  uint32_t add(Variable *variable) {
    auto index = static_cast<uint32_t>(locals().size());
    LocalFacts local;
    local.name = variable->name;
    local.first = variable->span;
    locals().push_back(std::move(local));
    names_.local_of.set(variable, index);
    return index;
  }

  void count_assignment(Variable *variable, bool top) {
    LocalFacts &local = locals()[names_.local_of[variable]];
    local.assignments++;
    local.single_top_level = top && local.assignments == 1;
  }

  Names &names_;
  FunctionTable &functions_;
  Diagnostics &diagnostics_;
  std::vector<std::map<Key, uint32_t>> scopes_;
  const Block *body_ = nullptr;  // of the unit
  std::set<Key> carried_;        // of the others each block has one of its own
};

}  // namespace

Names resolve_names(const std::vector<Unit> &units, FunctionTable &functions, Diagnostics &diagnostics) {
  Names names;
  Resolver resolver(names, functions, diagnostics);
  for (const Unit &unit : units) resolver.run(unit);
  return names;
}

void warn_unused(const Names &names, Diagnostics &diagnostics) {
  for (const std::vector<LocalFacts> &locals : names.locals) {
    for (const LocalFacts &local : locals) {
      // Those that come out of stdlib or a macro are not the script's business.
      bool own = local.first.expansion == 0 && !local.name.starts_with("__");
      if (!own || local.reads > 0 || local.assignments == 0) continue;
      diagnostics.emit(diag::UnusedVariable, local.first, local.name)
          .with_hint("`_ = ...` evaluates something without keeping it");
    }
  }
}

}  // namespace awl::ast
