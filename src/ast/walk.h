// Visiting the tree: the children of a node, and all nodes under one.
#pragma once

#include "ast/nodes.h"

namespace awl::ast {

namespace detail {

template <class Fn, class N>
void visit(Fn &fn, N *child) {
  if (child) fn(child);
}
template <class Fn, class List>
void visit_all(Fn &fn, const List &list) {
  for (auto *child : list) visit(fn, child);
}
template <class Fn, class Type>
void visit_type(Fn &fn, const Type &type) {
  visit(fn, type.typeof_expr);
}
template <class Fn, class Type>
void visit_type(Fn &fn, const std::optional<Type> &type) {
  if (type) visit_type(fn, *type);
}

template <class Fn>
void children(Fn &, const IntegerLiteral &) {}
template <class Fn>
void children(Fn &, const StringLiteral &) {}
template <class Fn>
void children(Fn &, const BoolLiteral &) {}
template <class Fn>
void children(Fn &, const Identifier &) {}
template <class Fn>
void children(Fn &, const PositionalParam &) {}
template <class Fn>
void children(Fn &, const ParamCount &) {}
template <class Fn>
void children(Fn &, const Variable &) {}
template <class Fn>
void children(Fn &, const Poison &) {}
template <class Fn>
void children(Fn &fn, const MapAccess &n) {
  visit_all(fn, n.keys);
}
template <class Fn>
void children(Fn &fn, const Call &n) {
  visit_all(fn, n.args);
}
template <class Fn>
void children(Fn &fn, const FieldAccess &n) {
  visit(fn, n.base);
}
template <class Fn>
void children(Fn &fn, const Index &n) {
  visit(fn, n.base), visit(fn, n.index);
}
template <class Fn>
void children(Fn &fn, const Unary &n) {
  visit(fn, n.operand);
}
template <class Fn>
void children(Fn &fn, const Binary &n) {
  visit(fn, n.left), visit(fn, n.right);
}
template <class Fn>
void children(Fn &fn, const Conditional &n) {
  visit(fn, n.condition), visit(fn, n.then), visit(fn, n.otherwise);
}
template <class Fn>
void children(Fn &fn, const IncDec &n) {
  visit(fn, n.target);
}
template <class Fn>
void children(Fn &fn, const Cast &n) {
  visit_type(fn, n.type), visit(fn, n.operand);
}
template <class Fn>
void children(Fn &fn, const TupleExpr &n) {
  visit_all(fn, n.elements);
}
template <class Fn>
void children(Fn &fn, const RecordExpr &n) {
  visit_all(fn, n.elements);
}
template <class Fn>
void children(Fn &fn, const SizeOf &n) {
  visit_type(fn, n.type), visit(fn, n.operand);
}
template <class Fn>
void children(Fn &fn, const OffsetOf &n) {
  visit_type(fn, n.type), visit(fn, n.operand);
}
template <class Fn>
void children(Fn &fn, const BlockExpr &n) {
  visit(fn, n.block), visit(fn, n.value);
}
template <class Fn>
void children(Fn &fn, const ExprStmt &n) {
  visit(fn, n.expr);
}
template <class Fn>
void children(Fn &fn, const Assign &n) {
  visit(fn, n.target), visit(fn, n.value);
}
template <class Fn>
void children(Fn &fn, const Let &n) {
  visit(fn, n.variable), visit_type(fn, n.type), visit(fn, n.value);
}
template <class Fn>
void children(Fn &fn, const If &n) {
  visit(fn, n.condition), visit(fn, n.then), visit(fn, n.otherwise);
}
template <class Fn>
void children(Fn &fn, const While &n) {
  visit(fn, n.condition), visit(fn, n.body);
}
template <class Fn>
void children(Fn &fn, const Unroll &n) {
  visit(fn, n.count), visit(fn, n.body);
}
template <class Fn>
void children(Fn &fn, const ForMap &n) {
  visit(fn, n.variable), visit(fn, n.map), visit(fn, n.body);
}
template <class Fn>
void children(Fn &fn, const ForRange &n) {
  visit(fn, n.variable), visit(fn, n.first), visit(fn, n.last), visit(fn, n.body);
}
template <class Fn>
void children(Fn &fn, const Jump &n) {
  visit(fn, n.value);
}
template <class Fn>
void children(Fn &fn, const Block &n) {
  visit_all(fn, n.body);
}

}  // namespace detail

// Calls fn(Node *) for each child of `node` in the order of the text, the expressions in its types
// included; children that are absent are left out. `node` may be null.
template <class Fn>
void for_each_child(const Node *node, Fn &&fn) {
  if (!node) return;
  switch (node->kind) {
#define EXPR(name) \
  case NodeKind::name: return detail::children(fn, static_cast<const name &>(*node));
#define STMT(name) EXPR(name)
#include "ast/nodes.def"
#undef EXPR
#undef STMT
  }
}

// Calls fn(Node *) for `node` and everything under it, parents before children.
template <class Fn>
void for_each_node(Node *node, Fn &&fn) {
  if (!node) return;
  fn(node);
  for_each_child(node, [&](Node *child) { for_each_node(child, fn); });
}
template <class Fn>
void for_each_node(const Node *node, Fn &&fn) {
  if (!node) return;
  fn(node);
  for_each_child(node, [&](const Node *child) { for_each_node(child, fn); });
}

}  // namespace awl::ast
