#include "codegen/code.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/IntrinsicsBPF.h>

#include <algorithm>
#include <bit>

#include "codegen/object.h"

namespace awl::codegen {

struct Code::Builder : llvm::IRBuilder<> {
  using llvm::IRBuilder<>::IRBuilder;
};

Code::Code(Object &object, llvm::Function *function)
    : builder_(std::make_unique<Builder>(function->getContext())), object_(object), function_(function) {}
Code::~Code() = default;

void Code::from(Span span) {
  place_ = span;
  builder_->SetCurrentDebugLocation(llvm::DebugLoc(object_.location(function_, span)));
}

// --- Scalars

Val Code::number(uint64_t value) { return builder_->getInt64(value); }

Val Code::arith(Arith op, Val a, Val b) {
  switch (op) {
    case Arith::Add: return builder_->CreateAdd(a, b);
    case Arith::Sub: return builder_->CreateSub(a, b);
    case Arith::Mul: return builder_->CreateMul(a, b);
    case Arith::Divide: return builder_->CreateUDiv(a, b);
    case Arith::Modulo: return builder_->CreateURem(a, b);
    case Arith::And: return builder_->CreateAnd(a, b);
    case Arith::Or: return builder_->CreateOr(a, b);
    case Arith::Xor: return builder_->CreateXor(a, b);
    case Arith::ShiftLeft: return builder_->CreateShl(a, b);
    case Arith::ShiftRight: return builder_->CreateLShr(a, b);
    case Arith::ShiftRightSigned: return builder_->CreateAShr(a, b);
  }
  return nullptr;
}

Val Code::extend(Val value, uint32_t bytes, bool is_signed) {
  if (bytes >= 8) return value;
  llvm::Type *narrow = builder_->getIntNTy(bytes * 8);
  Val cut = builder_->CreateTrunc(value, narrow);
  return is_signed ? builder_->CreateSExt(cut, builder_->getInt64Ty())
                   : builder_->CreateZExt(cut, builder_->getInt64Ty());
}

Val Code::compare(Cmp op, bool is_signed, Val a, Val b) {
  using P = llvm::CmpInst::Predicate;
  constexpr P kUnsigned[] = {P::ICMP_EQ, P::ICMP_NE, P::ICMP_ULT, P::ICMP_ULE, P::ICMP_UGT, P::ICMP_UGE};
  constexpr P kSigned[] = {P::ICMP_EQ, P::ICMP_NE, P::ICMP_SLT, P::ICMP_SLE, P::ICMP_SGT, P::ICMP_SGE};
  return builder_->CreateICmp((is_signed ? kSigned : kUnsigned)[static_cast<size_t>(op)], a, b);
}

Val Code::invert(Val condition) { return builder_->CreateNot(condition); }

Val Code::swap_bytes(Val a) { return builder_->CreateUnaryIntrinsic(llvm::Intrinsic::bswap, a); }

Val Code::truth(Val scalar) {
  if (auto *widened = llvm::dyn_cast<llvm::ZExtInst>(scalar); widened && widened->getSrcTy()->isIntegerTy(1))
    return widened->getOperand(0);
  return builder_->CreateICmpNE(scalar, llvm::Constant::getNullValue(scalar->getType()));
}

Val Code::flag(Val condition) { return builder_->CreateZExt(condition, builder_->getInt64Ty()); }

Val Code::select(Val condition, Val a, Val b) { return builder_->CreateSelect(condition, a, b); }

Val Code::opaque(Val scalar) {
  auto *type = llvm::FunctionType::get(scalar->getType(), {scalar->getType()}, false);
  return builder_->CreateCall(type, llvm::InlineAsm::get(type, "", "=r,0", true), {scalar});
}

bool Code::constant(Val scalar, uint64_t &value) {
  auto *number = llvm::dyn_cast<llvm::ConstantInt>(scalar);
  if (number) value = number->getZExtValue();
  return number != nullptr;
}

// --- Memory

Val Code::address(Val pointer) { return builder_->CreatePtrToInt(pointer, builder_->getInt64Ty()); }

Mem Code::pointer(Val scalar, uint32_t align) {
  return {builder_->CreateIntToPtr(scalar, builder_->getPtrTy()), align};
}

Mem Code::at(Mem base, uint64_t offset) {
  if (offset == 0) return base;
  uint32_t align = std::min<uint64_t>(base.align, offset & -offset);
  return {builder_->CreateConstInBoundsGEP1_64(builder_->getInt8Ty(), base.pointer, offset), align};
}

Mem Code::at(Mem base, Val offset, uint32_t align) {
  return {builder_->CreateGEP(builder_->getInt8Ty(), base.pointer, offset), std::min(base.align, align)};
}

Val Code::load(Mem from, uint32_t bytes, bool is_signed) {
  llvm::Type *type = builder_->getIntNTy(bytes * 8);
  Val value = builder_->CreateAlignedLoad(type, from.pointer, llvm::Align(std::min(from.align, bytes)));
  if (bytes == 8) return value;
  return is_signed ? builder_->CreateSExt(value, builder_->getInt64Ty())
                   : builder_->CreateZExt(value, builder_->getInt64Ty());
}

Val Code::load_volatile(Mem from, uint32_t bytes) {
  Val value = builder_->CreateAlignedLoad(builder_->getIntNTy(bytes * 8), from.pointer, llvm::Align(bytes), true);
  return bytes == 8 ? value : builder_->CreateZExt(value, builder_->getInt64Ty());
}

void Code::store(Mem to, Val scalar, uint32_t bytes) {
  Val narrow = bytes == 8 ? scalar : builder_->CreateTrunc(scalar, builder_->getIntNTy(bytes * 8));
  builder_->CreateAlignedStore(narrow, to.pointer, llvm::Align(std::min(to.align, bytes)));
}

void Code::store_volatile(Mem to, Val scalar) {
  builder_->CreateAlignedStore(scalar, to.pointer, llvm::Align(8), true);
}

// Monotonic, not stronger: an unused result then becomes the plain locked add, which older kernels have too.
Val Code::atomic_fetch_add(Mem to, Val delta, uint32_t bytes) {
  Val narrow = bytes == 8 ? delta : builder_->CreateTrunc(delta, builder_->getIntNTy(bytes * 8));
  Val old = builder_->CreateAtomicRMW(llvm::AtomicRMWInst::Add, to.pointer, narrow, llvm::Align(bytes),
                                      llvm::AtomicOrdering::Monotonic);
  return bytes == 8 ? old : builder_->CreateZExt(old, builder_->getInt64Ty());
}

void Code::atomic_add(Mem to, Val delta, uint32_t bytes) {
  Val narrow = bytes == 8 ? delta : builder_->CreateTrunc(delta, builder_->getIntNTy(bytes * 8));
  builder_->CreateAtomicRMW(llvm::AtomicRMWInst::Add, to.pointer, narrow, llvm::Align(bytes),
                            llvm::AtomicOrdering::Monotonic);
}

Val Code::compare_exchange(Mem to, Val expected, Val desired) {
  Val pair = builder_->CreateAtomicCmpXchg(to.pointer, expected, desired, llvm::Align(8),
                                           llvm::AtomicOrdering::SequentiallyConsistent,
                                           llvm::AtomicOrdering::SequentiallyConsistent);
  return builder_->CreateExtractValue(pair, 0);
}

namespace {

// Unrolled up to this size, a loop of kBlock bytes a turn above.
constexpr uint32_t kUnrolled = 128;
constexpr uint32_t kBlock = 64;

// Calls piece(offset, width) for naturally aligned pieces that cover [0, bytes).
template <class Piece>
void in_pieces(uint32_t bytes, uint32_t align, Piece piece) {
  uint32_t offset = 0;
  while (offset < bytes) {
    uint32_t width = std::min({8u, std::bit_floor(bytes - offset), std::max(align, 1u)});
    piece(offset, width);
    offset += width;
  }
}

}  // namespace

void Code::zero(Mem to, uint32_t bytes) {
  if (bytes <= kUnrolled) {
    in_pieces(bytes, to.align, [&](uint32_t offset, uint32_t width) { store(at(to, offset), number(0), width); });
    return;
  }
  uint32_t whole = bytes / kBlock * kBlock;
  repeat(whole, kBlock, [&](Val i) { zero(at(to, i, kBlock), kBlock); });
  zero(at(to, whole), bytes - whole);
}

void Code::copy(Mem to, Mem from, uint32_t bytes) {
  if (bytes <= kUnrolled) {
    in_pieces(bytes, std::min(to.align, from.align),
              [&](uint32_t offset, uint32_t width) { store(at(to, offset), load(at(from, offset), width), width); });
    return;
  }
  uint32_t whole = bytes / kBlock * kBlock;
  repeat(whole, kBlock, [&](Val i) { copy(at(to, i, kBlock), at(from, i, kBlock), kBlock); });
  copy(at(to, whole), at(from, whole), bytes - whole);
}

Val Code::relocation(Val variable, bool wide) {
  Val value = builder_->CreateLoad(wide ? builder_->getInt64Ty() : builder_->getInt32Ty(), variable);
  return wide ? value : builder_->CreateZExt(value, builder_->getInt64Ty());
}

Mem Code::relocated(Mem base, Val offset_variable, uint32_t sequence) {
  Val sum = builder_->CreateGEP(builder_->getInt8Ty(), base.pointer, relocation(offset_variable, true));
  auto *type = builder_->getPtrTy();
  return {
      builder_->CreateIntrinsic(llvm::Intrinsic::bpf_passthrough, {type, type}, {builder_->getInt32(sequence), sum}),
      8};
}

Mem Code::local(uint32_t bytes) {
  llvm::BasicBlock &entry = function_->getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.begin());
  llvm::AllocaInst *slot = builder.CreateAlloca(llvm::ArrayType::get(builder.getInt64Ty(), (bytes + 7) / 8));
  slot->setAlignment(llvm::Align(8));
  return {slot, 8};
}

Val Code::pointer_slot() {
  llvm::BasicBlock &entry = function_->getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.begin());
  return builder.CreateAlloca(builder.getPtrTy());
}

void Code::set_pointer(Val slot, Val pointer) { builder_->CreateStore(pointer, slot); }
Val Code::get_pointer(Val slot) { return builder_->CreateLoad(builder_->getPtrTy(), slot); }

Val Code::load_pointer(Mem from) { return get_pointer(from.pointer); }
void Code::store_pointer(Mem to, Val pointer) { set_pointer(to.pointer, pointer); }

// --- Calls

namespace {

// A helper is called through its number, converted to a pointer.
llvm::CallInst *call_helper(llvm::IRBuilder<> &builder, int helper, llvm::Type *result, std::span<const Val> args) {
  llvm::SmallVector<llvm::Type *, 5> types;
  for (Val arg : args) types.push_back(arg->getType());
  auto *type = llvm::FunctionType::get(result, types, false);
  auto *callee = llvm::ConstantExpr::getIntToPtr(builder.getInt64(helper), builder.getPtrTy());
  return builder.CreateCall(type, callee, llvm::ArrayRef<Val>(args.data(), args.size()));
}

}  // namespace

Val Code::call(int helper, std::span<const Val> args) {
  return call_helper(*builder_, helper, builder_->getInt64Ty(), args);
}

Mem Code::call_pointer(int helper, std::initializer_list<Val> args) {
  return {call_helper(*builder_, helper, builder_->getPtrTy(), std::span(args.begin(), args.size())), 8};
}

Val Code::call_once(int helper, std::span<const Val> args) {
  if (Val known = remembered(helper)) return known;
  Val result = call(helper, args);
  remember(helper, result);
  return result;
}

Val Code::call(llvm::Function *function, std::span<const Val> args) {
  return builder_->CreateCall(function, llvm::ArrayRef<Val>(args.data(), args.size()));
}

Val Code::no_pointer() { return llvm::ConstantPointerNull::get(builder_->getPtrTy()); }

Val Code::remembered(int key) const {
  for (auto &[k, value] : memory_)
    if (k == key) return value;
  return nullptr;
}

void Code::remember(int key, Val value) { memory_.emplace_back(key, value); }

// --- Control flow

Block Code::block(const char *name) { return llvm::BasicBlock::Create(function_->getContext(), name, function_); }
void Code::enter(Block block) { builder_->SetInsertPoint(block); }
Block Code::current() const { return builder_->GetInsertBlock(); }
void Code::jump(Block target) { builder_->CreateBr(target); }
void Code::branch(Val condition, Block then, Block otherwise) { builder_->CreateCondBr(condition, then, otherwise); }
void Code::leave(Val result) { builder_->CreateRet(builder_->CreateTrunc(result, function_->getReturnType())); }

void Code::jump_away(Block target) {
  jump(target);
  enter(block("unreached"));
}

Val Code::phi(std::initializer_list<std::pair<Val, Block>> incoming) {
  llvm::PHINode *phi = builder_->CreatePHI(incoming.begin()->first->getType(), incoming.size());
  for (auto &[value, from] : incoming) phi->addIncoming(value, from);
  return phi;
}

Val Code::open_phi(Val first, Block from) { return phi({{first, from}}); }
void Code::add_incoming(Val phi, Val value, Block from) { llvm::cast<llvm::PHINode>(phi)->addIncoming(value, from); }

Code::Fork Code::fork_on(Val condition, bool has_else) {
  Block then = block("then");
  Fork fork{has_else ? block("else") : nullptr, block("end"), has_else, memory_size()};
  branch(condition, then, has_else ? fork.other : fork.end);
  enter(then);
  return fork;
}

void Code::turn(Fork &fork) {
  jump(fork.end);
  forget(fork.known);
  enter(fork.other);
}

void Code::join(Fork &fork) {
  jump(fork.end);
  forget(fork.known);
  enter(fork.end);
}

}  // namespace awl::codegen
