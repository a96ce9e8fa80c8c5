// Visiting the tree: the children of a node, as slots that can be assigned or as nodes, and all nodes under one.
#pragma once

#include "ast/nodes.h"

namespace awl::ast {

// Calls on_expr(Expr *&) and on_stmt(Stmt *) for each direct child that is there, in source order.
template <class OnExpr, class OnStmt>
void for_each_slot(Node *node, OnExpr on_expr, OnStmt on_stmt) {
  auto expr = [&](Expr *&slot) {
    if (slot) on_expr(slot);
  };
  auto exprs = [&](std::vector<Expr *> &slots) {
    for (Expr *&slot : slots) expr(slot);
  };
  auto type = [&](std::optional<TypeName> &t) {
    if (t) expr(t->typeof_expr);
  };
  auto block = [&](Block *b) {
    if (b) on_stmt(b);
  };
  switch (node->kind) {
    case NodeKind::IntegerLiteral:
    case NodeKind::StringLiteral:
    case NodeKind::BoolLiteral:
    case NodeKind::Identifier:
    case NodeKind::PositionalParam:
    case NodeKind::ParamCount:
    case NodeKind::Variable:
    case NodeKind::Poison: break;
    case NodeKind::MapAccess: exprs(static_cast<MapAccess *>(node)->keys); break;
    case NodeKind::Call: exprs(static_cast<Call *>(node)->args); break;
    case NodeKind::FieldAccess: expr(static_cast<FieldAccess *>(node)->base); break;
    case NodeKind::Index:
      expr(static_cast<Index *>(node)->base);
      expr(static_cast<Index *>(node)->index);
      break;
    case NodeKind::Unary: expr(static_cast<Unary *>(node)->operand); break;
    case NodeKind::Binary:
      expr(static_cast<Binary *>(node)->left);
      expr(static_cast<Binary *>(node)->right);
      break;
    case NodeKind::Conditional:
      expr(static_cast<Conditional *>(node)->condition);
      expr(static_cast<Conditional *>(node)->then);
      expr(static_cast<Conditional *>(node)->otherwise);
      break;
    case NodeKind::IncDec: expr(static_cast<IncDec *>(node)->target); break;
    case NodeKind::Cast:
      expr(static_cast<Cast *>(node)->type.typeof_expr);
      expr(static_cast<Cast *>(node)->operand);
      break;
    case NodeKind::TupleExpr: exprs(static_cast<TupleExpr *>(node)->elements); break;
    case NodeKind::RecordExpr: exprs(static_cast<RecordExpr *>(node)->elements); break;
    case NodeKind::SizeOf:
      type(static_cast<SizeOf *>(node)->type);
      expr(static_cast<SizeOf *>(node)->operand);
      break;
    case NodeKind::TypeExpr: expr(static_cast<TypeExpr *>(node)->type.typeof_expr); break;
    case NodeKind::Comptime: expr(static_cast<Comptime *>(node)->operand); break;
    case NodeKind::OffsetOf:
      type(static_cast<OffsetOf *>(node)->type);
      expr(static_cast<OffsetOf *>(node)->operand);
      break;
    case NodeKind::BlockExpr:
      block(static_cast<BlockExpr *>(node)->block);
      expr(static_cast<BlockExpr *>(node)->value);
      break;
    case NodeKind::ExprStmt: expr(static_cast<ExprStmt *>(node)->expr); break;
    case NodeKind::Assign:
      expr(static_cast<Assign *>(node)->target);
      expr(static_cast<Assign *>(node)->value);
      break;
    case NodeKind::Let:
      type(static_cast<Let *>(node)->type);
      expr(static_cast<Let *>(node)->value);
      break;
    case NodeKind::If:
      expr(static_cast<If *>(node)->condition);
      block(static_cast<If *>(node)->then);
      block(static_cast<If *>(node)->otherwise);
      break;
    case NodeKind::While:
      expr(static_cast<While *>(node)->condition);
      block(static_cast<While *>(node)->body);
      break;
    case NodeKind::Unroll:
      expr(static_cast<Unroll *>(node)->count);
      block(static_cast<Unroll *>(node)->body);
      break;
    case NodeKind::ForMap: block(static_cast<ForMap *>(node)->body); break;
    case NodeKind::ForRange:
      expr(static_cast<ForRange *>(node)->first);
      expr(static_cast<ForRange *>(node)->last);
      block(static_cast<ForRange *>(node)->body);
      break;
    case NodeKind::Jump: expr(static_cast<Jump *>(node)->value); break;
    case NodeKind::Block:
      for (Stmt *s : static_cast<Block *>(node)->body) on_stmt(s);
      break;
  }
}

// Calls fn(Node *) for each child of `node` in the order of the text, with what cannot be replaced: variables that are
// declared, maps that are looped over. `node` may be null.
template <class Fn>
void for_each_child(const Node *node, Fn &&fn) {
  if (!node) return;
  auto *n = const_cast<Node *>(node);  // the slots are read only
  if (auto *let = as<Let>(n)) {
    fn(let->variable);
  } else if (auto *loop = as<ForMap>(n)) {
    fn(loop->variable);
    fn(loop->map);
  } else if (auto *range = as<ForRange>(n)) {
    fn(range->variable);
  }
  for_each_slot(n, [&](Expr *&child) { fn(child); }, [&](Stmt *child) { fn(child); });
}

// Calls fn(Node *) for `node` and everything under it, parents before children.
template <class N, class Fn>
void for_each_node(N *node, Fn &&fn) {
  if (!node) return;
  fn(node);
  for_each_child(node, [&](Node *child) { for_each_node<Node>(child, fn); });
}

}  // namespace awl::ast
