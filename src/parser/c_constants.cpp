// Constant expressions of C declarations: the Builder's third part.
#include "ast/passes/script_types.h"
#include "parser/builder.h"
#include "runtime/types/constants.h"

namespace awl::syntax {

using namespace ast;

// Of C's own types and of what is defined so far; nullopt if it is neither.
std::optional<Builder::Measure> Builder::measure(const TypeName &type) const {
  Measure out{8, false};
  if (type.pointers == 0) {
    TypeStore store;
    Diagnostics ignored;
    auto found = store.find(type.name);
    if (!found || !*found) {
      std::vector<CType> types = program_.types;
      if (known_types_) types.insert(types.end(), known_types_->begin(), known_types_->end());
      store.add_source(make_script_source(types, {}, ignored));
      found = store.find(type.name);
    }
    if (!found || !*found) return std::nullopt;
    out = {(**found)->size, (**found)->is_signed};
  }
  for (uint64_t length : type.array)
    if (__builtin_mul_overflow(out.size, length, &out.size)) return std::nullopt;
  return out;
}

// An integer seen as one of `size` bytes.
static int64_t truncated(int64_t value, int64_t size, bool is_signed) {
  if (size <= 0 || size >= 8) return value;
  int shift = 64 - static_cast<int>(size) * 8;
  uint64_t bits = static_cast<uint64_t>(value) << shift;
  return is_signed ? static_cast<int64_t>(bits) >> shift : static_cast<int64_t>(bits >> shift);
}

bool Builder::is_unsigned(const Expr *expr) const {
  if (const auto *number = as<IntegerLiteral>(expr)) return number->is_unsigned;
  if (const auto *unary = as<Unary>(expr)) return is_unsigned(unary->operand);
  if (const auto *binary = as<Binary>(expr)) return is_unsigned(binary->left) || is_unsigned(binary->right);
  const auto *cast = as<Cast>(expr);
  std::optional<Measure> to = cast ? measure(cast->type) : std::nullopt;
  return to && to->size == 8 && !to->is_signed;
}

std::optional<int64_t> Builder::constant(const Expr *expr) const {
  if (const auto *number = as<IntegerLiteral>(expr)) return static_cast<int64_t>(number->value);
  if (const auto *name = as<Identifier>(expr)) {
    auto it = constants_.find(name->name);
    return it == constants_.end() ? uapi_constant(name->name) : std::optional(it->second);
  }
  if (const auto *unary = as<Unary>(expr)) {
    std::optional<int64_t> value = constant(unary->operand);
    if (!value) return std::nullopt;
    if (unary->op == UnaryOp::Negate) return static_cast<int64_t>(-static_cast<uint64_t>(*value));
    if (unary->op == UnaryOp::BitNot) return ~*value;
    if (unary->op == UnaryOp::Not) return !*value;
    return std::nullopt;
  }
  if (const auto *choice = as<Conditional>(expr)) {
    std::optional<int64_t> value = constant(choice->condition);
    if (!value) return std::nullopt;
    return *value == 0 ? constant(choice->otherwise) : choice->then ? constant(choice->then) : value;
  }
  if (const auto *size = as<SizeOf>(expr)) {
    TypeName type;  // `sizeof(name)` looks like an expression and is a typedef's
    if (const auto *name = as<Identifier>(size->operand)) type.name = name->name;
    std::optional<Measure> measured = measure(size->type ? *size->type : type);
    return measured ? std::optional(measured->size) : std::nullopt;
  }
  if (const auto *cast = as<Cast>(expr)) {
    std::optional<int64_t> value = constant(cast->operand);
    std::optional<Measure> to = measure(cast->type);
    return value && to ? std::optional(truncated(*value, to->size, to->is_signed)) : std::nullopt;
  }
  if (const auto *binary = as<Binary>(expr)) return constant_binary(*binary);
  return std::nullopt;
}

std::optional<int64_t> Builder::constant_binary(const Binary &binary) const {
  std::optional<int64_t> left = constant(binary.left);
  std::optional<int64_t> right = constant(binary.right);
  if (!left || !right) return std::nullopt;
  auto a = static_cast<uint64_t>(*left);
  auto b = static_cast<uint64_t>(*right);
  switch (binary.op) {
    case BinaryOp::Add: return static_cast<int64_t>(a + b);
    case BinaryOp::Sub: return static_cast<int64_t>(a - b);
    case BinaryOp::Mul: return static_cast<int64_t>(a * b);
    case BinaryOp::Div:
    case BinaryOp::Mod:
      if (b == 0 || *right == -1) return std::nullopt;
      return binary.op == BinaryOp::Div ? *left / *right : *left % *right;
    case BinaryOp::BitAnd: return static_cast<int64_t>(a & b);
    case BinaryOp::BitOr: return static_cast<int64_t>(a | b);
    case BinaryOp::BitXor: return static_cast<int64_t>(a ^ b);
    case BinaryOp::ShiftLeft: return static_cast<int64_t>(a << (b & 63));
    case BinaryOp::ShiftRight: return *left >> (b & 63);
    case BinaryOp::LogicalAnd: return *left && *right;
    case BinaryOp::LogicalOr: return *left || *right;
    case BinaryOp::Equal: return a == b;
    case BinaryOp::NotEqual: return a != b;
    case BinaryOp::Less: return *left < *right;
    case BinaryOp::LessEqual: return *left <= *right;
    case BinaryOp::Greater: return *left > *right;
    case BinaryOp::GreaterEqual: return *left >= *right;
    default: return std::nullopt;
  }
}

}  // namespace awl::syntax
