// What is allowed and probably not meant. Nothing here may speak up for what working scripts do on purpose.
#include "ast/dump.h"
#include "ast/passes/inference.h"
#include "ast/walk.h"
#include "base/strings.h"

namespace awl::ast {

bool is_call_of(const Expr *expr, std::string_view name) {
  if (const auto *call = as<Call>(expr)) return call->name == name;
  const auto *identifier = as<Identifier>(expr);
  return identifier && identifier->name == name;
}

namespace {

// `c OP x` as `x OP' c`.
BinaryOp mirrored(BinaryOp op) {
  switch (op) {
    case BinaryOp::Less: return BinaryOp::Greater;
    case BinaryOp::LessEqual: return BinaryOp::GreaterEqual;
    case BinaryOp::Greater: return BinaryOp::Less;
    case BinaryOp::GreaterEqual: return BinaryOp::LessEqual;
    default: return op;
  }
}

// The numbers an integer type holds. 128 bits, so that all of uint64 has its place.
struct Range {
  __int128 low, high;
};

Range range_of(const Type *type) {
  unsigned bits = type->kind == TypeKind::Bool ? 1 : type->size * 8;
  if (!type->is_signed) return {0, (static_cast<__int128>(1) << bits) - 1};
  return {-(static_cast<__int128>(1) << (bits - 1)), (static_cast<__int128>(1) << (bits - 1)) - 1};
}

// What comes out for every value of the range, nullopt if that depends.
std::optional<bool> always(BinaryOp op, Range r, __int128 c) {
  switch (op) {
    case BinaryOp::Equal: return c < r.low || c > r.high ? std::optional(false) : std::nullopt;
    case BinaryOp::NotEqual: return c < r.low || c > r.high ? std::optional(true) : std::nullopt;
    case BinaryOp::Less: return r.high < c ? std::optional(true) : r.low >= c ? std::optional(false) : std::nullopt;
    case BinaryOp::LessEqual:
      return r.high <= c ? std::optional(true) : r.low > c ? std::optional(false) : std::nullopt;
    case BinaryOp::Greater: return r.low > c ? std::optional(true) : r.high <= c ? std::optional(false) : std::nullopt;
    case BinaryOp::GreaterEqual:
      return r.low >= c ? std::optional(true) : r.high < c ? std::optional(false) : std::nullopt;
    default: return std::nullopt;
  }
}

// True if a condition cannot hold without this part of it.
bool is_needed(const Expr *condition, const Expr *part) {
  if (condition == part) return true;
  const auto *both = as<Binary>(condition);
  return both && both->op == BinaryOp::LogicalAnd && (is_needed(both->left, part) || is_needed(both->right, part));
}

// Whether the expression gives the same each time it is asked in a row.
bool is_steady(const Expr *expr) {
  bool steady = true;
  for_each_node(expr, [&](const Node *node) {
    for (std::string_view name : {"rand", "nsecs", "elapsed", "jiffies"})
      steady = steady && !is_call_of(static_cast<const Expr *>(node), name);
    steady = steady && node->kind != NodeKind::IncDec && node->kind != NodeKind::MapAccess &&
             node->kind != NodeKind::BlockExpr;
  });
  return steady;
}

// Keys that keep other CPUs out.
bool has_own_key(const MapAccess *access) {
  bool own = false;
  for (const Expr *key : access->keys)
    for_each_node(key, [&](const Node *node) {
      const auto *e = static_cast<const Expr *>(node);
      own = own || is_call_of(e, "tid") || is_call_of(e, "cpu") || is_call_of(e, "__pid_tgid");
    });
  return own;
}

}  // namespace

// Only where the sign was said by a declaration: a field, a cast, a result. All that is not said is signed.
void Inference::warn_mixed_signs(const Binary *expr, const Type *left, const Type *right) {
  bool orders = expr->op == BinaryOp::Less || expr->op == BinaryOp::LessEqual || expr->op == BinaryOp::Greater ||
                expr->op == BinaryOp::GreaterEqual;
  if (!orders || left->is_signed == right->is_signed || left->kind != TypeKind::Int || right->kind != TypeKind::Int)
    return;
  const Expr *with_sign = left->is_signed ? expr->left : expr->right;
  const Expr *without = left->is_signed ? expr->right : expr->left;
  if (!as<FieldAccess>(with_sign) && !as<Cast>(with_sign) && !is_call_of(with_sign, "retval")) return;
  error(diag::MixedSigns, expr->span, describe(facts_.types[with_sign]), describe(facts_.types[without]))
      .with_hint("`(int64)` in front of the other side compares with sign");
}

void Inference::warn_comparison(const Binary *expr, const Type *left, const Type *right) {
  if (left->is_string() && right->is_string()) {
    bool equality = expr->op == BinaryOp::Equal || expr->op == BinaryOp::NotEqual;
    for (auto [text, other] : {std::pair{expr->left, right}, std::pair{expr->right, left}}) {
      const auto *literal = as<StringLiteral>(text);
      if (!equality || !literal || as<StringLiteral>(text == expr->left ? expr->right : expr->left)) continue;
      if (literal->value.size() < other->size || other->size < 2) continue;
      error(diag::AlwaysSame, expr->span, expr->op == BinaryOp::Equal ? "false" : "true",
            fmt::format("the string on the other side holds {}, this one has {}", counted(other->size - 1, "character"),
                        literal->value.size()))
          .with_hint("`strncmp(a, b, n) == 0` compares beginnings");
    }
    return;
  }
  if (!left->is_integral() || !right->is_integral()) return;
  std::optional<int64_t> a = constant(expr->left), b = constant(expr->right);
  if (!a && !b) return warn_mixed_signs(expr, left, right);
  if (a.has_value() == b.has_value()) return;
  const Type *type = a ? right : left;
  const Type *constant_type = a ? left : right;
  // Signed 64-bit values are what everything untyped is; a minus against an unsigned value is a habit of C.
  if (type->kind == TypeKind::Enum || (type->is_signed && type->size == 8)) return;
  int64_t number = a ? *a : *b;
  __int128 c = constant_type->is_signed ? static_cast<__int128>(number) : static_cast<uint64_t>(number);
  if (c < 0) return;
  std::optional<bool> result = always(a ? mirrored(expr->op) : expr->op, range_of(type), c);
  if (!result) return;
  Diagnostic &d =
      error(diag::AlwaysSame, expr->span, *result ? "true" : "false",
            fmt::format("the values of {} are {} to {}", describe(type), static_cast<int64_t>(range_of(type).low),
                        static_cast<uint64_t>(range_of(type).high)));
  if (!*result && unit().predicate && is_needed(unit().predicate, expr)) d.with_hint("this probe never does anything");
}

// `comm == "a" && comm == "b"`, `pid != 1 || pid != 2`: the other word was meant.
void Inference::warn_contradiction(const Binary *expr) {
  const bool all = expr->op == BinaryOp::LogicalAnd;
  const BinaryOp wanted = all ? BinaryOp::Equal : BinaryOp::NotEqual;
  const auto *last = as<Binary>(expr->right);
  auto value = [&](const Expr *side) -> std::optional<std::string> {
    if (const auto *text = as<StringLiteral>(side)) return '"' + text->value + '"';
    const std::optional<int64_t> number = constant(side);
    return number ? std::optional(std::to_string(*number)) : std::nullopt;
  };
  if (!last || last->op != wanted || !value(last->right) || value(last->left) || !is_steady(last->left)) return;
  for (const Expr *rest = expr->left; rest;) {
    const auto *chain = as<Binary>(rest);
    if (!chain) return;
    const auto *other = chain->op == expr->op ? as<Binary>(chain->right) : chain;
    rest = chain->op == expr->op ? chain->left : nullptr;
    if (!other || other->op != wanted || dump(other->left) != dump(last->left)) continue;
    const std::optional<std::string> first = value(other->right);
    if (!first || *first == *value(last->right)) continue;
    error(diag::AlwaysSame, join(other->span, last->span), all ? "false" : "true",
          fmt::format("nothing is {} and {} at once", *first, *value(last->right)))
        .with_hint(all ? "`||` is for one of them" : "`&&` is for none of them");
    return;
  }
}

bool Inference::writes_elsewhere(const std::string &map) const {
  bool found = false;
  for (const Unit &other : input_.units) {
    if (&other == &unit() || !other.body) continue;
    for_each_node<const Node>(other.body, [&](const Node *node) {
      const Expr *target = nullptr;
      if (node->kind == NodeKind::Assign) target = static_cast<const Assign *>(node)->target;
      if (node->kind == NodeKind::IncDec) target = static_cast<const IncDec *>(node)->target;
      const auto *access = target ? as<MapAccess>(target) : nullptr;
      found = found || (access && access->name == map);
    });
  }
  return found;
}

void Inference::warn_cut(const Expr *value, const Type *to, Span span) {
  if (!to || to->kind != TypeKind::Int || to->size >= 8) return;
  std::optional<int64_t> number = constant(value);
  if (!number) return;
  // -1 for the largest unsigned value and 0xff for -1 are meant; what fits neither reading is not.
  __int128 most = (static_cast<__int128>(1) << (to->size * 8)) - 1;
  __int128 least = -(static_cast<__int128>(1) << (to->size * 8 - 1));
  if (*number >= least && *number <= most) return;
  auto cut = static_cast<uint64_t>(*number) & static_cast<uint64_t>(most);
  bool minus = to->is_signed && (cut >> (to->size * 8 - 1)) != 0;
  auto shown = static_cast<int64_t>(minus ? cut | ~static_cast<uint64_t>(most) : cut);
  error(diag::ConstantCut, span, std::to_string(*number), describe(to), std::to_string(shown));
}

// `@x = @x + n`: between reading and writing another CPU may do the same.
void Inference::warn_lost_updates(const Assign *assign) {
  auto *target = as<MapAccess>(assign->target);
  auto *sum = as<Binary>(assign->value);
  if (!target || assign->op || !sum || (sum->op != BinaryOp::Add && sum->op != BinaryOp::Sub)) return;
  auto *read = as<MapAccess>(sum->left);
  if (!read && sum->op == BinaryOp::Add) read = as<MapAccess>(sum->right);
  if (unit().is_run_by_session()) return;                                               // one after the other
  if (unit().target.provider == "interval" && !writes_elsewhere(target->name)) return;  // the same
  if (!read || dump(read) != dump(target) || has_own_key(target)) return;
  if (const Type *type = facts_.types[target]; type && !type->is_integral()) return;
  std::string name = "@" + target->name + (target->keys.empty() ? "" : "[...]");
  bool one = constant(read == sum->left ? sum->right : sum->left) == 1;
  std::string sign = sum->op == BinaryOp::Add ? "+" : "-";
  error(diag::LostUpdates, assign->span, "@" + target->name)
      .with_hint("`" + name + (one ? sign + sign : " " + sign + "= ...") + "` is atomic");
}

// `@x == 5;` and `$x + 1;`. Not what a macro leaves in its place, nor calls, which may be made for what they do; and
// `{ 1 }` is how a probe is written that is only to be attached.
void Inference::warn_no_effect(const ExprStmt *stmt) {
  const Expr *expr = stmt->expr;
  const bool written = expr->span.begin == stmt->span.begin && expr->span.end == stmt->span.end;
  if (!written || expr->span.expansion != 0) return;
  const auto *number = as<IntegerLiteral>(expr);
  if (number && number->value <= 1 && unit().body && unit().body->body.size() == 1 && unit().body->body[0] == stmt)
    return;
  const Type *type = facts_.types[expr];
  if (!type || type->kind == TypeKind::Void) return;
  bool acts = false;
  for_each_node(expr, [&](const Node *node) {
    const Type *part = facts_.types[node];
    const auto *call = as<Call>(node);
    const bool builtin = call && call->name.starts_with("__") && call->args.empty();  // `pid` is made of one
    acts = acts || (part && part->is_poison()) || (call && !builtin) || node->kind == NodeKind::IncDec ||
           node->kind == NodeKind::BlockExpr || node->kind == NodeKind::PositionalParam;
  });
  if (acts) return;
  const auto *binary = as<Binary>(expr);
  const bool target = binary && (as<Variable>(binary->left) || as<MapAccess>(binary->left));
  Diagnostic &d = error(diag::NoEffect, expr->span);
  if (target && binary->op == BinaryOp::Equal)
    d.with_hint("`==` compares; write `=` to set it");
  else if (target && (binary->op == BinaryOp::Add || binary->op == BinaryOp::Sub))
    d.with_hint(fmt::format("write `{}=` to change it", to_string(binary->op)));
  else if (binary && binary->op == BinaryOp::Equal)
    d.with_hint("a condition stands in `if (...) { ... }`, or in front of the action: `/.../ { ... }`");
  else
    d.with_hint("`print(...)` shows it");
}

void Inference::warn_unreachable(const Stmt *before, const Stmt *next) {
  if (next->span.expansion != 0 || next->kind == NodeKind::Jump) return;
  const auto *jump = as<Jump>(before);
  const auto *statement = as<ExprStmt>(before);
  if (jump)
    error(diag::Unreachable, next->span,
          jump->jump == JumpKind::Return     ? "`return`"
          : jump->jump == JumpKind::Continue ? "`continue`"
                                             : "`break`");
  else if (statement && is_call_of(statement->expr, "exit"))
    error(diag::Unreachable, next->span, "`exit()`");
}

}  // namespace awl::ast
