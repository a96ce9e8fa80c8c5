#include "codegen/function.h"

namespace awl::codegen {

using namespace typed;

Val FunctionEmitter::scalar_of(const UnaryOp &value) {
  switch (value.op) {
    case Unary::Negate: return widen(code_.sub(code_.number(0), scalar(*value.operand)), value.type);
    case Unary::BitNot:
      return widen(code_.arith(Arith::Xor, scalar(*value.operand), code_.number(~uint64_t{0})), value.type);
    case Unary::Not: return code_.flag(code_.invert(condition(*value.operand)));
  }
  return nullptr;
}

Val FunctionEmitter::scalar_of(const Convert &value) {
  if (value.type->kind == TypeKind::Bool) return code_.flag(condition(*value.operand));
  return widen(scalar(*value.operand), value.type);
}

std::optional<Val> FunctionEmitter::comparison(const BinaryOp &value) {
  Cmp op;
  switch (value.op) {
    case Op::Equal: op = Cmp::Equal; break;
    case Op::NotEqual: op = Cmp::NotEqual; break;
    case Op::Less: op = Cmp::Less; break;
    case Op::LessEqual: op = Cmp::LessEqual; break;
    case Op::Greater: op = Cmp::Greater; break;
    case Op::GreaterEqual: op = Cmp::GreaterEqual; break;
    default: return {};
  }
  Val a = scalar(*value.left);
  Val b = scalar(*value.right);
  code_.from(value.span);
  return code_.compare(op, value.is_signed, a, b);
}

Val FunctionEmitter::scalar_of(const BinaryOp &value) {
  if (auto compared = comparison(value)) return code_.flag(*compared);
  return widen(operation(value), value.type);
}

Val FunctionEmitter::operation(const BinaryOp &value) {
  Val a = scalar(*value.left);
  Val b = scalar(*value.right);
  code_.from(value.span);
  switch (value.op) {
    case Op::Add: return code_.add(a, b);
    case Op::Sub: return code_.sub(a, b);
    case Op::Mul: return code_.arith(Arith::Mul, a, b);
    case Op::And: return code_.arith(Arith::And, a, b);
    case Op::Or: return code_.arith(Arith::Or, a, b);
    case Op::Xor: return code_.arith(Arith::Xor, a, b);
    // BPF takes the amount modulo 64, LLVM leaves it undefined.
    case Op::ShiftLeft: return code_.arith(Arith::ShiftLeft, a, code_.bit_and(b, 63));
    case Op::ShiftRight:
      return code_.arith(value.is_signed ? Arith::ShiftRightSigned : Arith::ShiftRight, a, code_.bit_and(b, 63));
    default: return divide(value.op == Op::Mod, value.is_signed, a, b, value.place);
  }
}

// Division by zero is undefined in LLVM, so it is tested for; signed division came to BPF with kernel 6.6 only,
// so it is done on absolute values.
Val FunctionEmitter::divide(bool modulo, bool is_signed, Val a, Val b, uint32_t place) {
  auto quotient = [&]() -> Val {
    Arith op = modulo ? Arith::Modulo : Arith::Divide;
    if (!is_signed) return code_.arith(op, a, b);
    auto sign = [&](Val x) { return code_.arith(Arith::ShiftRightSigned, x, code_.number(63)); };
    auto negate_if = [&](Val x, Val s) { return code_.sub(code_.arith(Arith::Xor, x, s), s); };
    Val sign_a = sign(a), sign_b = sign(b);
    Val result = code_.arith(op, negate_if(a, sign_a), negate_if(b, sign_b));
    return negate_if(result, modulo ? sign_a : code_.arith(Arith::Xor, sign_a, sign_b));
  };
  Val by_zero = modulo ? a : code_.number(0);
  uint64_t divisor = 0;
  if (Code::constant(b, divisor)) return divisor == 0 ? by_zero : quotient();
  return code_.choose(code_.truth(b), quotient, [&] {
    count_error(place);
    return by_zero;
  });
}

void FunctionEmitter::count_error(uint32_t place) {
  if (place != kNoPlace) code_.atomic_add(state_word(object_.manifest().place_word(place)), code_.number(1));
}

}  // namespace awl::codegen
