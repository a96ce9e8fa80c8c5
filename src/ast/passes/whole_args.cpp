#include "ast/passes/whole_args.h"

#include "ast/walk.h"

namespace awl::ast {

namespace {

bool is_args(const Expr *expr) {
  const auto *identifier = as<Identifier>(expr);
  const auto *call = as<Call>(expr);
  return (identifier && identifier->name == "args") || (call && call->name == "args" && call->args.empty());
}

class Speller {
 public:
  Speller(Program &program, std::vector<std::string> members) : program_(program), members_(std::move(members)) {}

  void visit(Node *node) {
    switch (node->kind) {
      case NodeKind::FieldAccess:
      case NodeKind::Index:
      case NodeKind::Cast:
      case NodeKind::Binary:
      case NodeKind::SizeOf:
      case NodeKind::OffsetOf:
      case NodeKind::TypeExpr: return visit_children(node, true);
      default: return visit_children(node, false);
    }
  }

  void visit(Expr *&slot) {
    auto *deref = as<Unary>(slot);
    Expr *what = deref && deref->op == UnaryOp::Deref ? deref->operand : slot;
    if (is_args(what))
      slot = record(what);
    else
      visit(static_cast<Node *>(slot));
  }

 private:
  void visit_children(Node *node, bool keeps_args) {
    for_each_slot(
        node,
        [&](Expr *&child) {
          if (!keeps_args || !is_args(child)) visit(child);
        },
        [&](Stmt *child) { visit(static_cast<Node *>(child)); });
  }

  Expr *record(const Expr *args) {
    std::vector<Expr *> values;
    for (const std::string &name : members_) {
      auto *base = program_.make<Identifier>(args->span, "args");
      values.push_back(program_.make<FieldAccess>(args->span, base, name, args->span, false));
    }
    return program_.make<RecordExpr>(args->span, members_, std::move(values));
  }

  Program &program_;
  std::vector<std::string> members_;
};

}  // namespace

void spell_out_args(Program &program, TypeStore &store, Unit &unit) {
  if (!unit.context.args || !mentions(unit, "args")) return;
  auto fields = store.fields(unit.context.args);
  if (!fields) return;  // reported where a member is looked for
  std::vector<std::string> members;
  for (const Field &field : **fields)
    if (!field.name.empty() && !field.name.starts_with("common_")) members.push_back(field.name);
  for (const UserVariable &variable : unit.context.variables)
    if (variable.place.kind != VariablePlace::Kind::Nowhere) members.push_back(variable.name);
  Speller speller(program, std::move(members));
  if (unit.predicate) speller.visit(unit.predicate);
  if (unit.body) speller.visit(static_cast<Node *>(unit.body));
}

}  // namespace awl::ast
