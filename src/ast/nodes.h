// The syntax tree: plain structs in an arena, each with its place and a dense id. Facts about nodes
// (names, types, probes) live in tables beside the tree, indexed by id; the tree is never annotated.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/source.h"

namespace awl::ast {

enum class NodeKind : uint8_t {
#define EXPR(name) name,
#define STMT(name) name,
#include "ast/nodes.def"
#undef EXPR
#undef STMT
};

using NodeId = uint32_t;

struct Node {
  NodeKind kind;
  NodeId id = 0;
  Span span;

  Node(NodeKind k, Span s) : kind(k), span(s) {}
  virtual ~Node() = default;
  Node(const Node &) = default;
};

struct Expr : Node {
  using Node::Node;
};
struct Stmt : Node {
  using Node::Node;
};

// A type as written: `struct task_struct *`, `uint8[16]`, `typeof($x)`. Resolved later.
struct TypeName {
  Span span;
  std::string name;             // "uint64", "struct task_struct", "string", "unsigned int"
  Expr *typeof_expr = nullptr;  // for typeof(e); then `name` is empty
  int pointers = 0;
  std::vector<uint64_t> array;  // dimensions as written, outermost first; string[N] and buffer[N] too
};

enum class UnaryOp : uint8_t { Negate, Not, BitNot, Deref, AddressOf };
enum class BinaryOp : uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  BitAnd,
  BitOr,
  BitXor,
  ShiftLeft,
  ShiftRight,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  LogicalAnd,
  LogicalOr
};
const char *to_string(UnaryOp op);
const char *to_string(BinaryOp op);

struct IntegerLiteral : Expr {
  uint64_t value;
  bool is_unsigned;  // by suffix, duration unit or size beyond INT64_MAX
  IntegerLiteral(Span s, uint64_t v, bool u = false) : Expr(NodeKind::IntegerLiteral, s), value(v), is_unsigned(u) {}
};
struct StringLiteral : Expr {
  std::string value;  // escapes resolved
  StringLiteral(Span s, std::string v) : Expr(NodeKind::StringLiteral, s), value(std::move(v)) {}
};
struct BoolLiteral : Expr {
  bool value;
  BoolLiteral(Span s, bool v) : Expr(NodeKind::BoolLiteral, s), value(v) {}
};
// A bare name: builtin, enumerator, #define constant, macro parameter.
struct Identifier : Expr {
  std::string name;
  Identifier(Span s, std::string n) : Expr(NodeKind::Identifier, s), name(std::move(n)) {}
};
struct PositionalParam : Expr {
  uint32_t number;  // $1 is 1
  PositionalParam(Span s, uint32_t n) : Expr(NodeKind::PositionalParam, s), number(n) {}
};
struct ParamCount : Expr {
  explicit ParamCount(Span s) : Expr(NodeKind::ParamCount, s) {}
};
struct Variable : Expr {
  std::string name;    // without `$`
  uint32_t scope = 0;  // the expansion of a macro whose own variable it is
  Variable(Span s, std::string n, uint32_t of = 0) : Expr(NodeKind::Variable, s), name(std::move(n)), scope(of) {}
};
struct MapAccess : Expr {
  std::string name;          // without `@`, may be empty
  std::vector<Expr *> keys;  // empty: scalar map or the map as a whole
  MapAccess(Span s, std::string n, std::vector<Expr *> k)
      : Expr(NodeKind::MapAccess, s), name(std::move(n)), keys(std::move(k)) {}
};
struct Call : Expr {
  std::string name;
  Span name_span;
  std::vector<Expr *> args;
  Call(Span s, std::string n, Span ns, std::vector<Expr *> a)
      : Expr(NodeKind::Call, s), name(std::move(n)), name_span(ns), args(std::move(a)) {}
};
// `base.name` and `base->name`; on tuples the name is a number ("0").
struct FieldAccess : Expr {
  Expr *base;
  std::string name;
  Span name_span;
  bool arrow;
  FieldAccess(Span s, Expr *b, std::string n, Span ns, bool a)
      : Expr(NodeKind::FieldAccess, s), base(b), name(std::move(n)), name_span(ns), arrow(a) {}
};
struct Index : Expr {
  Expr *base;
  Expr *index;
  Index(Span s, Expr *b, Expr *i) : Expr(NodeKind::Index, s), base(b), index(i) {}
};
struct Unary : Expr {
  UnaryOp op;
  Expr *operand;
  bool power_sign = false;  // the second `*` of `a ** b`
  Unary(Span s, UnaryOp o, Expr *e) : Expr(NodeKind::Unary, s), op(o), operand(e) {}
};
struct Binary : Expr {
  BinaryOp op;
  Expr *left;
  Expr *right;
  Binary(Span s, BinaryOp o, Expr *l, Expr *r) : Expr(NodeKind::Binary, s), op(o), left(l), right(r) {}
};
// `c ? a : b`; `then` is null for `c ?: b`.
struct Conditional : Expr {
  Expr *condition;
  Expr *then;
  Expr *otherwise;
  Conditional(Span s, Expr *c, Expr *t, Expr *o)
      : Expr(NodeKind::Conditional, s), condition(c), then(t), otherwise(o) {}
};
// ++ and -- on a Variable or MapAccess.
struct IncDec : Expr {
  Expr *target;
  bool increment;
  bool prefix;
  IncDec(Span s, Expr *t, bool inc, bool pre) : Expr(NodeKind::IncDec, s), target(t), increment(inc), prefix(pre) {}
};
struct Cast : Expr {
  TypeName type;
  Expr *operand;
  Cast(Span s, TypeName t, Expr *e) : Expr(NodeKind::Cast, s), type(std::move(t)), operand(e) {}
};
struct TupleExpr : Expr {
  std::vector<Expr *> elements;
  TupleExpr(Span s, std::vector<Expr *> e) : Expr(NodeKind::TupleExpr, s), elements(std::move(e)) {}
};
struct RecordExpr : Expr {
  std::vector<std::string> names;
  std::vector<Expr *> elements;
  RecordExpr(Span s, std::vector<std::string> n, std::vector<Expr *> e)
      : Expr(NodeKind::RecordExpr, s), names(std::move(n)), elements(std::move(e)) {}
};
struct SizeOf : Expr {
  std::optional<TypeName> type;  // either a type or an expression
  Expr *operand;
  SizeOf(Span s, std::optional<TypeName> t, Expr *e) : Expr(NodeKind::SizeOf, s), type(std::move(t)), operand(e) {}
};
struct OffsetOf : Expr {
  std::optional<TypeName> type;
  Expr *operand;
  std::vector<std::string> path;
  OffsetOf(Span s, std::optional<TypeName> t, Expr *e, std::vector<std::string> p)
      : Expr(NodeKind::OffsetOf, s), type(std::move(t)), operand(e), path(std::move(p)) {}
};
// A type given as an argument, for the typeof() of a macro or for a function that takes one.
struct TypeExpr : Expr {
  TypeName type;
  TypeExpr(Span s, TypeName t) : Expr(NodeKind::TypeExpr, s), type(std::move(t)) {}
};
// `comptime e`: must be known when the program is compiled.
struct Comptime : Expr {
  Expr *operand;
  Comptime(Span s, Expr *e) : Expr(NodeKind::Comptime, s), operand(e) {}
};
// Stands where an expression could not be parsed; already reported.
struct Poison : Expr {
  explicit Poison(Span s) : Expr(NodeKind::Poison, s) {}
};

struct ExprStmt : Stmt {
  Expr *expr;
  ExprStmt(Span s, Expr *e) : Stmt(NodeKind::ExprStmt, s), expr(e) {}
};
// `target = value` and, with `op`, `target += value`. Target: Variable, MapAccess, Identifier `_`
// (discard), FieldAccess/Index/Unary (always an error, reported by the checker).
struct Assign : Stmt {
  Expr *target;
  std::optional<BinaryOp> op;
  Expr *value;
  Assign(Span s, Expr *t, std::optional<BinaryOp> o, Expr *v) : Stmt(NodeKind::Assign, s), target(t), op(o), value(v) {}
};
struct Let : Stmt {
  Variable *variable;
  std::optional<TypeName> type;
  Expr *value;  // may be null
  Let(Span s, Variable *v, std::optional<TypeName> t, Expr *e)
      : Stmt(NodeKind::Let, s), variable(v), type(std::move(t)), value(e) {}
};
struct Block : Stmt {
  std::vector<Stmt *> body;
  Block(Span s, std::vector<Stmt *> b) : Stmt(NodeKind::Block, s), body(std::move(b)) {}
};
// `{ stmts; value }` as a value; a macro without a value has none.
struct BlockExpr : Expr {
  Block *block;
  Expr *value;  // may be null
  BlockExpr(Span s, Block *b, Expr *v) : Expr(NodeKind::BlockExpr, s), block(b), value(v) {}
};
struct If : Stmt {
  Expr *condition;
  Block *then;
  Block *otherwise;  // may be null; `else if` is a block of one If
  If(Span s, Expr *c, Block *t, Block *o) : Stmt(NodeKind::If, s), condition(c), then(t), otherwise(o) {}
};
struct While : Stmt {
  Expr *condition;
  Block *body;
  While(Span s, Expr *c, Block *b) : Stmt(NodeKind::While, s), condition(c), body(b) {}
};
struct Unroll : Stmt {
  Expr *count;
  Block *body;
  Unroll(Span s, Expr *c, Block *b) : Stmt(NodeKind::Unroll, s), count(c), body(b) {}
};
struct ForMap : Stmt {
  Variable *variable;
  MapAccess *map;
  Block *body;
  ForMap(Span s, Variable *v, MapAccess *m, Block *b) : Stmt(NodeKind::ForMap, s), variable(v), map(m), body(b) {}
};
struct ForRange : Stmt {
  Variable *variable;
  Expr *first;
  Expr *last;  // exclusive
  Block *body;
  ForRange(Span s, Variable *v, Expr *f, Expr *l, Block *b)
      : Stmt(NodeKind::ForRange, s), variable(v), first(f), last(l), body(b) {}
};
enum class JumpKind : uint8_t { Break, Continue, Return };
struct Jump : Stmt {
  JumpKind jump;
  Expr *value;  // of return, may be null
  Jump(Span s, JumpKind k, Expr *v) : Stmt(NodeKind::Jump, s), jump(k), value(v) {}
};

// --- Top level -------------------------------------------------------------------------------

// One attach point as raw text ("uprobe:/bin/bash:readline"); its provider parses it.
struct AttachPoint {
  Span span;
  std::string text;
};
struct Probe {
  Span span;
  std::string name;  // `name=probe...`, usually empty
  std::vector<AttachPoint> attach_points;
  Expr *predicate = nullptr;
  Block *body = nullptr;
};
// What __attribute__((...)) and #pragma pack say about a layout.
struct CAttributes {
  bool packed = false;
  uint32_t aligned = 0;        // bytes, 0: as the type asks for
  uint32_t max_alignment = 0;  // of members, from #pragma pack(n); 0: none
  uint32_t mode_size = 0;      // bytes of an integer, from mode(DI); 0: as its type
};
// A member of a C struct, union or enum in the script.
struct CField {
  Span span;
  TypeName type;
  std::string name;        // empty for an anonymous struct or union
  uint32_t bits = 0;       // bitfield width, 0 if none
  bool ends_unit = false;  // `int : 0;`, what follows begins in the next unit of that type
  CAttributes attributes;
  std::shared_ptr<struct CType> inner;  // definition in place: struct { ... } a;
};
struct CEnumerator {
  Span span;
  std::string name;
  std::optional<int64_t> value;
  bool is_unsigned = false;  // a value below 0 means one above INT64_MAX
};
enum class CTypeKind : uint8_t { Struct, Union, Enum, Typedef };
struct CType {
  Span span;
  CTypeKind kind = CTypeKind::Struct;
  std::string name;  // without the keyword; may be empty
  CAttributes attributes;
  std::vector<CField> fields;            // struct, union; typedef: one field, its type
  std::vector<CEnumerator> enumerators;  // enum
  std::string header;                    // "net.h:12" where it was read; empty: the script
};
// A type of a header that could not be read: an error only for a script that uses it.
struct UnreadType {
  std::string name;    // with keyword
  std::string header;  // "net.h:12"
  std::string why;
};
struct Include {
  Span span;
  std::string path;     // "linux/sched.h"
  bool quoted = false;  // "x.h", not <x.h>
  std::string file;     // what was read; empty: the kernel's types and constants answer for it
};
struct Import {
  Span span;  // of the path
  std::string path;
};
// A C file that clang compiles, for the functions in it.
struct CSource {
  Span span;  // of the import
  std::string path;
};
enum class MacroParamKind : uint8_t { Expression, Variable, Map };
struct MacroParam {
  Span span;
  MacroParamKind kind = MacroParamKind::Expression;
  std::string name;  // without `$` and `@`
};
struct Macro {
  Span span;
  std::string name;
  Span name_span;
  std::vector<MacroParam> params;
  Block *body = nullptr;
};
struct ConfigEntry {
  Span span;
  std::string name;
  Expr *value = nullptr;  // IntegerLiteral, BoolLiteral, StringLiteral or Identifier
  Span value_span;
};
struct MapDecl {
  Span span;
  std::string name;  // without `@`
  std::string kind;  // hash, lruhash, percpuhash, percpulruhash
  uint64_t max_entries = 0;
};
struct FunctionParam {
  Span span;
  std::string name;  // "$x" without `$` for scripts; plain names in stdlib
  TypeName type;
  Expr *default_value = nullptr;
  bool variadic = false;
};
// `[[name(argument)]]` in front of a function declaration.
struct Attribute {
  Span span;
  std::string name;
  std::string argument;  // raw text between the parentheses, "" if none
};
struct Function {
  Span span;
  std::string name;
  Span name_span;
  std::string doc;  // the `///` lines above, without the slashes
  std::vector<Attribute> attributes;
  std::vector<FunctionParam> params;
  TypeName result;
  Block *body = nullptr;   // null: helper, intrinsic or action
  bool of_script = false;  // not of the standard library
  bool of_c = false;       // of a C file: has no body either
};

struct Program {
  std::vector<Include> includes;
  std::vector<Import> imports;
  std::vector<CSource> c_sources;
  std::vector<Macro> macros;
  std::vector<CType> types;  // of the script, then of the headers that it brings along
  std::vector<UnreadType> unread_types;
  std::set<std::string> unread_names;  // `$x`, `f`: of text that could not be read, so they may be set or defined there
  std::vector<ConfigEntry> config;
  std::vector<MapDecl> maps;
  std::vector<Function> functions;
  std::vector<Probe> probes;

  // Makes a node owned by this program.
  template <class T, class... Args>
  T *make(Args &&...args) {
    auto node = std::make_unique<T>(std::forward<Args>(args)...);
    node->id = static_cast<NodeId>(nodes_.size());
    T *raw = node.get();
    nodes_.push_back(std::move(node));
    return raw;
  }
  [[nodiscard]] size_t node_count() const { return nodes_.size(); }
  // Takes over all that another program has, behind what is here.
  void append(Program &&other);

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
};

// Facts about nodes of one Program, by id. Missing entries read as T{}.
template <class T>
class NodeTable {
 public:
  void set(const Node *node, T value) {
    if (values_.size() <= node->id) values_.resize(node->id + 1);
    values_[node->id] = std::move(value);
  }
  [[nodiscard]] const T &operator[](const Node *node) const {
    static const T kNone{};
    return node->id < values_.size() ? values_[node->id] : kNone;
  }

 private:
  std::vector<T> values_;
};

// Node as its class, or null if it is another.
#define EXPR(name)                                    \
  template <>                                         \
  struct KindOf<name> {                               \
    static constexpr NodeKind value = NodeKind::name; \
  };
#define STMT(name) EXPR(name)
template <class T>
struct KindOf;
#include "ast/nodes.def"
#undef EXPR
#undef STMT

template <class T>
T *as(Node *node) {
  return node && node->kind == KindOf<T>::value ? static_cast<T *>(node) : nullptr;
}
template <class T>
const T *as(const Node *node) {
  return node && node->kind == KindOf<T>::value ? static_cast<const T *>(node) : nullptr;
}

}  // namespace awl::ast
