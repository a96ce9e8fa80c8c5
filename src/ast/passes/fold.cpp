// What is known of expressions when the program is compiled.
#include "ast/passes/inference.h"
#include "base/strings.h"

namespace awl::ast {

namespace {

// One question about an expression.
class Folder {
 public:
  Folder(const CompileInput &input, const Facts &facts) : input_(input), facts_(facts) {}

  std::optional<int64_t> number(const Expr *expr) const {
    if (const std::optional<int64_t> &known = facts_.constants[expr]) return known;
    switch (expr->kind) {
      case NodeKind::IntegerLiteral: return static_cast<int64_t>(static_cast<const IntegerLiteral *>(expr)->value);
      case NodeKind::BoolLiteral: return static_cast<const BoolLiteral *>(expr)->value;
      case NodeKind::PositionalParam: return param(*static_cast<const PositionalParam *>(expr));
      case NodeKind::Comptime: return number(static_cast<const Comptime *>(expr)->operand);
      case NodeKind::ParamCount: return static_cast<int64_t>(input_.params.size());
      case NodeKind::Identifier: {
        const auto &name = static_cast<const Identifier *>(expr)->name;
        if (input_.functions.find(name)) return std::nullopt;
        auto known = named_constant(input_, name);
        return known ? std::optional(known->second) : std::nullopt;
      }
      case NodeKind::Unary: return unary(*static_cast<const Unary *>(expr));
      case NodeKind::Binary: return binary(*static_cast<const Binary *>(expr));
      default: return std::nullopt;
    }
  }

  std::optional<std::string> text(const Expr *expr) const {
    if (const auto *e = as<StringLiteral>(expr)) return e->value;
    if (const auto *e = as<PositionalParam>(expr); e && !input_.open_param(*e))
      return e->number <= input_.params.size() ? input_.params[e->number - 1] : std::string();
    if (const auto *e = as<Binary>(expr)) return rest_of_param(*e);
    if (const auto *e = as<Comptime>(expr)) return text(e->operand);
    if (const auto *e = as<Call>(expr); e && e->name == "str" && e->args.size() == 1 && is_param_text(e->args[0]))
      return text(e->args[0]);
    if (const auto *e = as<FieldAccess>(expr)) return type_name(*e);
    return std::nullopt;
  }

 private:
  // `$1 + 2`: the parameter without its first two characters, as if it were the address of its text.
  [[nodiscard]] std::optional<std::string> rest_of_param(const Binary &sum) const {
    if (!is_param_text(&sum)) return std::nullopt;
    bool first = is_param_text(sum.left);
    std::optional<int64_t> skipped = number(first ? sum.right : sum.left);
    std::optional<std::string> whole = text(first ? sum.left : sum.right);
    if (!skipped || !whole || *skipped < 0) return std::nullopt;
    return whole->substr(std::min(static_cast<size_t>(*skipped), whole->size()));
  }

  // The type of e in `typeinfo(e)`, null for anything else.
  [[nodiscard]] const Type *asked_type(const Expr *expr) const {
    const auto *call = as<Call>(expr);
    if (!call || call->name != "typeinfo" || call->args.size() != 1) return nullptr;
    const Type *type = facts_.types[call->args[0]];
    return type && !type->is_poison() ? type : nullptr;
  }

  // `typeinfo(e).1` and `.2`.
  [[nodiscard]] std::optional<std::string> type_name(const FieldAccess &access) const {
    const Type *type = asked_type(access.base);
    if (!type) return std::nullopt;
    if (access.name == "base_type" || access.name == "1") return base_name(type);
    return access.name == "full_type" || access.name == "2" ? std::optional(to_string(type)) : std::nullopt;
  }

  [[nodiscard]] std::optional<int64_t> param(const PositionalParam &param) const {
    if (input_.open_param(param)) return std::nullopt;
    if (param.number > input_.params.size()) return 0;
    std::string_view text = input_.params[param.number - 1];
    bool negative = text.starts_with("-");
    std::optional<uint64_t> value = parse_amount(text.substr(negative ? 1 : 0));
    if (!value) return std::nullopt;
    return static_cast<int64_t>(negative ? 0 - *value : *value);
  }

  [[nodiscard]] std::optional<int64_t> unary(const Unary &expr) const {
    std::optional<int64_t> value = number(expr.operand);
    if (!value) return std::nullopt;
    if (expr.op == UnaryOp::Negate) return static_cast<int64_t>(0 - static_cast<uint64_t>(*value));
    if (expr.op == UnaryOp::BitNot) return ~*value;
    return expr.op == UnaryOp::Not ? std::optional<int64_t>(*value == 0) : std::nullopt;
  }

  [[nodiscard]] std::optional<int64_t> binary(const Binary &expr) const {
    std::optional<int64_t> a = number(expr.left), b = number(expr.right);
    // One side is enough for these.
    if (expr.op == BinaryOp::LogicalAnd && ((a && !*a) || (b && !*b))) return 0;
    if (expr.op == BinaryOp::LogicalOr && ((a && *a) || (b && *b))) return 1;
    if (!a && !b && (expr.op == BinaryOp::Equal || expr.op == BinaryOp::NotEqual))
      if (std::optional<int64_t> same = same_text(expr)) return expr.op == BinaryOp::Equal ? *same : !*same;
    if (!a || !b) return std::nullopt;
    return arithmetic(expr.op, *a, *b, is_unsigned(expr.left) || is_unsigned(expr.right));
  }

  [[nodiscard]] std::optional<int64_t> same_text(const Binary &expr) const {
    if (const Type *left = asked_type(expr.left), *right = asked_type(expr.right); left && right) return left == right;
    std::optional<std::string> a = text(expr.left), b = text(expr.right);
    return a && b ? std::optional<int64_t>(*a == *b) : std::nullopt;
  }

  [[nodiscard]] bool is_unsigned(const Expr *expr) const {
    const Type *type = facts_.types[expr];
    return type && type->is_integral() && !type->is_signed && type->kind != TypeKind::Bool;
  }

  static std::optional<int64_t> arithmetic(BinaryOp op, int64_t a, int64_t b, bool is_unsigned) {
    auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    bool less = is_unsigned ? x < y : a < b;
    switch (op) {
      case BinaryOp::Add: return static_cast<int64_t>(x + y);
      case BinaryOp::Sub: return static_cast<int64_t>(x - y);
      case BinaryOp::Mul: return static_cast<int64_t>(x * y);
      case BinaryOp::Div: return b > 0 && (!is_unsigned || a >= 0) ? std::optional(a / b) : std::nullopt;
      case BinaryOp::Mod: return b > 0 && (!is_unsigned || a >= 0) ? std::optional(a % b) : std::nullopt;
      case BinaryOp::ShiftLeft: return static_cast<int64_t>(x << (y & 63));  // as the program does
      case BinaryOp::BitOr: return static_cast<int64_t>(x | y);
      case BinaryOp::BitAnd: return static_cast<int64_t>(x & y);
      case BinaryOp::BitXor: return static_cast<int64_t>(x ^ y);
      case BinaryOp::Equal: return a == b;
      case BinaryOp::NotEqual: return a != b;
      case BinaryOp::Less: return less;
      case BinaryOp::LessEqual: return less || a == b;
      case BinaryOp::Greater: return !less && a != b;
      case BinaryOp::GreaterEqual: return !less;
      case BinaryOp::LogicalAnd: return a && b;
      case BinaryOp::LogicalOr: return a || b;
      case BinaryOp::ShiftRight: return std::nullopt;  // depends on the sign
    }
    return std::nullopt;
  }

  const CompileInput &input_;
  const Facts &facts_;
};

}  // namespace

bool is_param_text(const Expr *expr) {
  if (as<PositionalParam>(expr)) return true;
  const auto *sum = as<Binary>(expr);
  return sum && sum->op == BinaryOp::Add && is_param_text(sum->left) != is_param_text(sum->right);
}

std::optional<int64_t> fold_constant(const CompileInput &input, const Facts &facts, const Expr *expr) {
  return Folder(input, facts).number(expr);
}

std::optional<std::string> fold_literal(const CompileInput &input, const Facts &facts, const Expr *expr) {
  return Folder(input, facts).text(expr);
}

}  // namespace awl::ast
