#include "ast/clone.h"

namespace awl::ast {

namespace {

// One copy() for each class of nodes: a class left out does not compile.
class Cloner {
 public:
  explicit Cloner(Program &into, const Substitution *substitution = nullptr)
      : into_(into), substitution_(substitution) {}

  Node *node(const Node *n) {
    if (!n) return nullptr;
    if (!substitution_) return plain_copy(n);
    if (is_expr(n->kind))
      if (Expr *other = substitution_->replace(static_cast<const Expr *>(n))) return other;
    Node *out = plain_copy(n);
    substitution_->adjust(out);
    return out;
  }

  Node *plain_copy(const Node *n) {
    switch (n->kind) {
#define EXPR(name) \
  case NodeKind::name: return copy(static_cast<const name &>(*n));
#define STMT(name) EXPR(name)
#include "ast/nodes.def"
#undef EXPR
#undef STMT
    }
    return nullptr;
  }

  template <class T>
  T *child(const T *n) {
    return static_cast<T *>(node(n));
  }

  TypeName type(const TypeName &t) {
    TypeName out = t;
    out.typeof_expr = child(t.typeof_expr);
    return out;
  }

 private:
  template <class T>
  std::vector<T *> all(const std::vector<T *> &list) {
    std::vector<T *> out;
    out.reserve(list.size());
    for (const T *n : list) out.push_back(child(n));
    return out;
  }

  std::optional<TypeName> type(const std::optional<TypeName> &t) { return t ? std::optional(type(*t)) : std::nullopt; }

  Node *copy(const IntegerLiteral &n) { return into_.make<IntegerLiteral>(n.span, n.value, n.is_unsigned); }
  Node *copy(const StringLiteral &n) { return into_.make<StringLiteral>(n.span, n.value); }
  Node *copy(const BoolLiteral &n) { return into_.make<BoolLiteral>(n.span, n.value); }
  Node *copy(const Identifier &n) { return into_.make<Identifier>(n.span, n.name); }
  Node *copy(const PositionalParam &n) { return into_.make<PositionalParam>(n.span, n.number); }
  Node *copy(const ParamCount &n) { return into_.make<ParamCount>(n.span); }
  Node *copy(const Variable &n) { return into_.make<Variable>(n.span, n.name, n.scope); }
  Node *copy(const Poison &n) { return into_.make<Poison>(n.span); }
  Node *copy(const MapAccess &n) { return into_.make<MapAccess>(n.span, n.name, all(n.keys)); }
  Node *copy(const Call &n) { return into_.make<Call>(n.span, n.name, n.name_span, all(n.args)); }
  Node *copy(const FieldAccess &n) {
    return into_.make<FieldAccess>(n.span, child(n.base), n.name, n.name_span, n.arrow);
  }
  Node *copy(const Index &n) {
    Expr *base = child(n.base);
    return into_.make<Index>(n.span, base, child(n.index));
  }
  Node *copy(const Unary &n) {
    auto *copied = into_.make<Unary>(n.span, n.op, child(n.operand));
    copied->power_sign = n.power_sign;
    return copied;
  }
  Node *copy(const Binary &n) {
    Expr *left = child(n.left);
    return into_.make<Binary>(n.span, n.op, left, child(n.right));
  }
  Node *copy(const Conditional &n) {
    Expr *condition = child(n.condition);
    Expr *then = child(n.then);
    return into_.make<Conditional>(n.span, condition, then, child(n.otherwise));
  }
  Node *copy(const IncDec &n) { return into_.make<IncDec>(n.span, child(n.target), n.increment, n.prefix); }
  Node *copy(const Cast &n) {
    TypeName to = type(n.type);
    return into_.make<Cast>(n.span, std::move(to), child(n.operand));
  }
  Node *copy(const TupleExpr &n) { return into_.make<TupleExpr>(n.span, all(n.elements)); }
  Node *copy(const RecordExpr &n) { return into_.make<RecordExpr>(n.span, n.names, all(n.elements)); }
  Node *copy(const SizeOf &n) {
    std::optional<TypeName> of = type(n.type);
    return into_.make<SizeOf>(n.span, std::move(of), child(n.operand));
  }
  Node *copy(const TypeExpr &n) { return into_.make<TypeExpr>(n.span, type(n.type)); }
  Node *copy(const Comptime &n) { return into_.make<Comptime>(n.span, child(n.operand)); }
  Node *copy(const OffsetOf &n) {
    std::optional<TypeName> of = type(n.type);
    return into_.make<OffsetOf>(n.span, std::move(of), child(n.operand), n.path);
  }
  Node *copy(const BlockExpr &n) {
    Block *block = child(n.block);
    return into_.make<BlockExpr>(n.span, block, child(n.value));
  }
  Node *copy(const ExprStmt &n) { return into_.make<ExprStmt>(n.span, child(n.expr)); }
  Node *copy(const Assign &n) {
    Expr *target = child(n.target);
    return into_.make<Assign>(n.span, target, n.op, child(n.value));
  }
  Node *copy(const Let &n) {
    Variable *variable = child(n.variable);
    std::optional<TypeName> declared = type(n.type);
    return into_.make<Let>(n.span, variable, std::move(declared), child(n.value));
  }
  Node *copy(const If &n) {
    Expr *condition = child(n.condition);
    Block *then = child(n.then);
    return into_.make<If>(n.span, condition, then, child(n.otherwise));
  }
  Node *copy(const While &n) {
    Expr *condition = child(n.condition);
    return into_.make<While>(n.span, condition, child(n.body));
  }
  Node *copy(const Unroll &n) {
    Expr *count = child(n.count);
    return into_.make<Unroll>(n.span, count, child(n.body));
  }
  Node *copy(const ForMap &n) {
    Variable *variable = child(n.variable);
    MapAccess *map = child(n.map);
    return into_.make<ForMap>(n.span, variable, map, child(n.body));
  }
  Node *copy(const ForRange &n) {
    Variable *variable = child(n.variable);
    Expr *first = child(n.first);
    Expr *last = child(n.last);
    return into_.make<ForRange>(n.span, variable, first, last, child(n.body));
  }
  Node *copy(const Jump &n) { return into_.make<Jump>(n.span, n.jump, child(n.value)); }
  Node *copy(const Block &n) { return into_.make<Block>(n.span, all(n.body)); }

  static bool is_expr(NodeKind kind) { return kind <= NodeKind::Poison; }

  Program &into_;
  const Substitution *substitution_;
};

}  // namespace

Expr *clone(Program &into, const Expr *expr) { return Cloner(into).child(expr); }
Stmt *clone(Program &into, const Stmt *stmt) { return Cloner(into).child(stmt); }
Block *clone(Program &into, const Block *block) { return Cloner(into).child(block); }
Block *clone(Program &into, const Block *block, const Substitution &substitution) {
  return Cloner(into, &substitution).child(block);
}
TypeName clone(Program &into, const TypeName &type) { return Cloner(into).type(type); }

}  // namespace awl::ast
