#include "ast/passes/macros.h"

#include <algorithm>

#include "ast/clone.h"
#include "ast/walk.h"

namespace awl::ast {

namespace {

const MacroParam *find_param(const Macro &macro, MacroParamKind kind, std::string_view name) {
  for (const MacroParam &param : macro.params)
    if (param.kind == kind && param.name == name) return &param;
  return nullptr;
}

// How well an argument fits a parameter: 0 not at all, 2 by its own kind.
int fit(const MacroParam &param, const Expr *arg) {
  switch (param.kind) {
    case MacroParamKind::Expression: return 1;
    case MacroParamKind::Variable: return arg->kind == NodeKind::Variable ? 2 : 0;
    case MacroParamKind::Map: {
      const auto *access = as<MapAccess>(arg);
      return access && access->keys.empty() ? 2 : 0;
    }
  }
  return 0;
}

bool same_kinds(const Macro &a, const Macro &b) {
  return std::ranges::equal(a.params, b.params, {}, &MacroParam::kind, &MacroParam::kind);
}

// A map may be used by the callers of a macro; what the macro itself uses is written in its head.
void check_maps(const Macro &macro, Diagnostics &diagnostics) {
  for_each_node(macro.body, [&](const Node *node) {
    const auto *access = as<MapAccess>(node);
    if (!access || find_param(macro, MacroParamKind::Map, access->name)) return;
    diagnostics.emit(diag::MacroUsesMap, access->span, macro.name, "@" + access->name)
        .with_hint("make it a parameter: `macro " + macro.name + "(..., @" + access->name + ")`");
  });
}

// One use of a macro.
class Instance {
 public:
  Instance(Program &program, const Macro &macro, const std::vector<Expr *> &args, uint32_t expansion)
      : program_(program), macro_(macro), args_(args), expansion_(expansion) {}

  Block *body() {
    Substitution substitution{[this](const Expr *expr) { return replace(expr); }, [this](Node *node) { adjust(node); }};
    return clone(program_, macro_.body, substitution);
  }

 private:
  [[nodiscard]] Expr *argument(MacroParamKind kind, std::string_view name) const {
    const MacroParam *param = find_param(macro_, kind, name);
    return param ? args_[static_cast<size_t>(param - macro_.params.data())] : nullptr;
  }

  Expr *replace(const Expr *expr) {
    if (const auto *identifier = as<Identifier>(expr)) {
      const Expr *arg = argument(MacroParamKind::Expression, identifier->name);
      return arg ? clone(program_, arg) : nullptr;
    }
    if (const auto *variable = as<Variable>(expr)) {
      const Expr *arg = argument(MacroParamKind::Variable, variable->name);
      return arg ? clone(program_, arg) : nullptr;
    }
    return nullptr;
  }

  void adjust(Node *node) {
    place(node->span);
    if (auto *variable = as<Variable>(node)) variable->scope = expansion_;
    if (auto *access = as<MapAccess>(node))
      if (auto *arg = as<MapAccess>(argument(MacroParamKind::Map, access->name))) access->name = arg->name;
    if (auto *call = as<Call>(node)) place(call->name_span);
    if (auto *field = as<FieldAccess>(node)) place(field->name_span);
    if (auto *cast = as<Cast>(node)) adjust(cast->type);
    if (auto *type = as<TypeExpr>(node)) adjust(type->type);
    if (auto *size = as<SizeOf>(node)) adjust(size->type);
    if (auto *let = as<Let>(node)) adjust(let->type);
    if (auto *offset = as<OffsetOf>(node)) {
      adjust(offset->type);
      for (std::string &part : offset->path)
        if (auto *arg = as<Identifier>(argument(MacroParamKind::Expression, part))) part = arg->name;
    }
  }

  void adjust(std::optional<TypeName> &type) {
    if (type) adjust(*type);
  }

  // A parameter that stands where a type is named is the type it is given.
  void adjust(TypeName &type) {
    place(type.span);
    if (type.typeof_expr) return;
    if (Expr *arg = argument(MacroParamKind::Expression, type.name)) {
      type.typeof_expr = clone(program_, arg);
      type.name.clear();
    }
  }

  void place(Span &span) const { span.expansion = expansion_; }

  Program &program_;
  const Macro &macro_;
  const std::vector<Expr *> &args_;
  uint32_t expansion_;
};

}  // namespace

MacroTable::MacroTable(const Program &program, Diagnostics &diagnostics) : macros_(&program.macros) {
  for (const Macro &macro : *macros_) {
    check_maps(macro, diagnostics);
    for (const Macro &other : *macros_) {
      if (&other == &macro) break;
      if (other.name == macro.name && same_kinds(other, macro))
        diagnostics.emit(diag::Redeclared, macro.name_span, signature(macro)).at(other.name_span, "first here");
    }
  }
}

bool MacroTable::has(std::string_view name) const {
  return std::ranges::any_of(*macros_, [&](const Macro &macro) { return macro.name == name; });
}

const Macro *MacroTable::find(std::string_view name, const std::vector<Expr *> &args) const {
  const Macro *best = nullptr;
  int best_fit = -1;
  for (const Macro &macro : *macros_) {
    if (macro.name != name || macro.params.size() != args.size()) continue;
    int total = 0;
    bool fits = true;
    for (size_t i = 0; i < args.size(); i++) {
      int one = fit(macro.params[i], args[i]);
      fits = fits && one > 0;
      total += one;
    }
    if (!fits || total <= best_fit) continue;
    best = &macro;
    best_fit = total;
  }
  return best;
}

std::vector<const Macro *> MacroTable::all(std::string_view name) const {
  std::vector<const Macro *> out;
  for (const Macro &macro : *macros_)
    if (macro.name == name) out.push_back(&macro);
  return out;
}

std::vector<std::string> MacroTable::names() const {
  std::vector<std::string> out;
  for (const Macro &macro : *macros_) out.push_back(macro.name);
  return out;
}

Expr *instantiate(Program &program, const Macro &macro, const std::vector<Expr *> &args, uint32_t expansion,
                  Span call) {
  Block *body = Instance(program, macro, args, expansion).body();
  Expr *value = nullptr;
  if (!body->body.empty()) {
    if (auto *last = as<ExprStmt>(body->body.back())) {
      value = last->expr;
      body->body.pop_back();
    }
  }
  if (value && body->body.empty()) return value;
  return program.make<BlockExpr>(call, body, value);
}

std::string signature(const Macro &macro) {
  constexpr const char *kSigils[] = {"", "$", "@"};
  std::string params;
  for (const MacroParam &param : macro.params)
    params += (params.empty() ? "" : ", ") + (kSigils[static_cast<size_t>(param.kind)] + param.name);
  return macro.name + "(" + params + ")";
}

}  // namespace awl::ast
