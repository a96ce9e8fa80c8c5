// The expression of an #if: integers, names that count as 0, the operators of C.

#include "parser/grammar.h"
#include "parser/preprocessor.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;
using ast::BinaryOp;

constexpr int kMaxDepth = 200;

int level_of(const Token &token) {
  switch (token.kind) {
    case G::T_LOR: return 1;
    case G::T_LAND: return 2;
    case G::T_OR: return 3;
    case G::T_XOR: return 4;
    case G::T_AND: return 5;
    case G::T_EQUALITY: return 6;
    case G::T_RELATION: return 7;
    case G::T_SHIFT: return 8;
    case G::T_PLUS:
    case G::T_MINUS: return 9;
    case G::T_STAR:
    case G::T_SLASH:
    case G::T_PERCENT: return 10;
    default: return 0;
  }
}

class Evaluator {
 public:
  Evaluator(const std::vector<Token> &tokens, std::string &error) : tokens_(tokens), error_(error) {}

  int64_t all() {
    int64_t value = conditional();
    if (at_ < tokens_.size()) fail("its expression goes on after its end");
    return error_.empty() ? value : 0;
  }

 private:
  void fail(const char *why) {
    if (error_.empty()) error_ = why;
    at_ = tokens_.size();
  }

  bool take(int kind) {
    if (at_ == tokens_.size() || tokens_[at_].kind != kind) return false;
    at_++;
    return true;
  }

  int64_t conditional() {
    int64_t value = binary(1);
    if (!take(G::T_QUESTION)) return value;
    if (++depth_ > kMaxDepth) fail("its expression is nested too deep");
    int64_t then = conditional();
    if (!take(G::T_COLON)) fail("`:` is missing");
    int64_t otherwise = conditional();
    depth_--;
    return value ? then : otherwise;
  }

  int64_t binary(int level) {
    int64_t left = unary();
    while (at_ < tokens_.size() && level_of(tokens_[at_]) >= level) {
      const Token &op = tokens_[at_++];
      int64_t right = binary(level_of(op) + 1);
      left = apply(op, left, right);
    }
    return left;
  }

  int64_t unary() {
    if (++depth_ > kMaxDepth) fail("its expression is nested too deep");
    int64_t value = operand();
    depth_--;
    return value;
  }

  int64_t operand() {
    if (at_ == tokens_.size()) {
      fail("its expression is not complete");
      return 0;
    }
    const Token &token = tokens_[at_++];
    switch (token.kind) {
      case G::T_INTEGER: return static_cast<int64_t>(token.value);
      case G::T_TRUE: return 1;
      case G::T_FALSE:
      case G::T_IDENT: return 0;
      case G::T_NOT: return !unary();
      case G::T_TILDE: return ~unary();
      case G::T_PLUS: return unary();
      case G::T_MINUS: return static_cast<int64_t>(-static_cast<uint64_t>(unary()));
      case G::T_LPAREN: {
        int64_t value = conditional();
        if (!take(G::T_RPAREN)) fail("`)` is missing");
        return value;
      }
      default: fail("its expression is not made of whole numbers"); return 0;
    }
  }

  int64_t apply(const Token &op, int64_t left, int64_t right) {
    auto a = static_cast<uint64_t>(left);
    auto b = static_cast<uint64_t>(right);
    switch (op.kind) {
      case G::T_LOR: return left || right;
      case G::T_LAND: return left && right;
      case G::T_OR: return left | right;
      case G::T_XOR: return left ^ right;
      case G::T_AND: return left & right;
      case G::T_PLUS: return static_cast<int64_t>(a + b);
      case G::T_MINUS: return static_cast<int64_t>(a - b);
      case G::T_STAR: return static_cast<int64_t>(a * b);
      case G::T_SLASH:
      case G::T_PERCENT: return divide(op.kind, left, right);
      default: return compare(static_cast<BinaryOp>(op.value), left, right);
    }
  }

  int64_t divide(int kind, int64_t left, int64_t right) {
    if (right == 0 && error_.empty()) fail("it divides by zero");
    if (right == 0) return 0;
    if (right == -1) return kind == G::T_SLASH ? static_cast<int64_t>(-static_cast<uint64_t>(left)) : 0;
    return kind == G::T_SLASH ? left / right : left % right;
  }

  static int64_t compare(BinaryOp op, int64_t left, int64_t right) {
    switch (op) {
      case BinaryOp::Equal: return left == right;
      case BinaryOp::NotEqual: return left != right;
      case BinaryOp::Less: return left < right;
      case BinaryOp::LessEqual: return left <= right;
      case BinaryOp::Greater: return left > right;
      case BinaryOp::GreaterEqual: return left >= right;
      case BinaryOp::ShiftLeft: return static_cast<int64_t>(static_cast<uint64_t>(left) << (right & 63));
      default: return left >> (right & 63);
    }
  }

  const std::vector<Token> &tokens_;
  std::string &error_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

int64_t evaluate_condition(const std::vector<Token> &tokens, std::string &error) {
  return Evaluator(tokens, error).all();
}

}  // namespace awl::syntax
