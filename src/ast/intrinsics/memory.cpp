// Strings and bytes: str, buf, strncmp, memcmp, kptr, uptr.
#include <algorithm>

#include "ast/intrinsics/intrinsic.h"
#include "ast/intrinsics/strings.h"

namespace awl::ast {

typed::ValuePtr read_string(Lowering &low, Expr *expr, const Type *type, Span span) {
  auto out = make_value<typed::ReadString>(type, span);
  const Type *source = low.type(expr);
  if (source->is_string() || source->kind == TypeKind::Array) {
    std::optional<Lowering::Place> where = low.place(expr);
    if (!where) return nullptr;
    out->space = where->space;
    out->address = low.address(std::move(*where), span);
  } else {
    out->space = low.space_of(expr);
    out->address = low.value(expr);
  }
  if (out->space == typed::Space::Trusted || out->space == typed::Space::Context) out->space = typed::Space::Kernel;
  return out;
}

typed::ValuePtr leading_bytes(Lowering &low, Expr *expr, uint32_t count) {
  TypeStore &store = low.store();
  const Type *type = low.type(expr);
  if (type->is_scalar()) {
    auto out = make_value<typed::Load>(store.array(store.integer(1, false), count), expr->span);
    out->space = low.space_of(expr);
    if (out->space == typed::Space::Trusted) out->space = typed::Space::Kernel;
    out->address = low.value(expr);
    return out;
  }
  if (type->kind != TypeKind::Buffer) return low.value(expr);
  auto out = make_value<typed::Part>(store.array(store.integer(1, false), type->count), expr->span);
  out->operand = low.value(expr);
  out->offset = 4;  // behind the length
  return out;
}

namespace {

// Size of str()'s result: what the literal length asks for (the NUL comes on top), max_strlen otherwise.
uint32_t string_size(Inference &in, const CallSite &call) {
  auto most = static_cast<uint32_t>(in.input().config.max_strlen);
  if (call.args.size() < 2) return most;
  std::optional<int64_t> length = in.constant(call.args[1]);
  if (!length || *length < 0) return most;
  return static_cast<uint32_t>(std::min<int64_t>(*length + 1, most));
}

void check_length(Inference &in, const Expr *length) {
  if (std::optional<int64_t> known = in.constant(length); known && *known < 0)
    in.error(diag::OutOfRange, length->span, "the length", *known, "at least 0");
}

const Type *infer_str(Inference &in, const CallSite &call) {
  if (call.args.size() > 1) check_length(in, call.args[1]);
  if (is_param_text(call.args[0]) && in.literal(call.args[0])) {
    auto size = static_cast<uint32_t>(in.literal(call.args[0])->size()) + 1;
    return in.store().string(call.args.size() > 1 ? std::min(size, string_size(in, call)) : size);
  }
  const Type *from = in.infer(call.args[0]);
  if (!from || from->is_poison()) return from;
  if (from->is_string())
    return call.args.size() > 1 ? in.store().string(std::min(from->size, string_size(in, call))) : from;
  if (from->is_pointer() || from->is_integral()) return in.store().string(string_size(in, call));
  if (from->kind == TypeKind::Array) return in.store().string(std::max(from->size, 1U));
  in.error(diag::ArgumentType, call.args[0]->span, 1, "str", describe(from), "an address");
  return in.poison();
}

// A string that is in memory already, cut to the characters that the type has room for.
typed::ValuePtr cut_string(Lowering &low, typed::ValuePtr value, const Type *type) {
  if (value->type->size <= type->size) return low.coerce(std::move(value), type);
  auto part = make_value<typed::Part>(low.store().array(low.store().integer(1, false), type->size - 1), value->span);
  auto out = make_value<typed::Compose>(type, value->span);
  if (type->size == 1) return out;
  part->operand = std::move(value);
  out->parts.emplace_back(0, std::move(part));
  return out;
}

typed::ValuePtr lower_str(Lowering &low, const CallSite &call) {
  const Type *type = low.type(call.node);
  Expr *from = call.args[0];
  if (is_param_text(from) && low.literal(from)) {
    auto out = make_value<typed::Bytes>(type, call.node->span);
    out->data = low.literal(from).value_or("").substr(0, type->size - 1);
    return out;
  }
  typed::ValuePtr out = read_string(low, from, type, call.node->span);
  if (!out) return cut_string(low, low.value(from), type);
  if (call.args.size() > 1 && !low.constant(call.args[1])) {
    const Type *u64 = low.store().uint64();
    static_cast<typed::ReadString &>(*out).limit =
        make_binary(typed::Op::Add, false, low.value(call.args[1]), make_const(u64, 1, call.node->span), u64);
  }
  return out;
}

const Type *infer_buf(Inference &in, const CallSite &call) {
  const Type *from = in.infer(call.args[0]);
  uint64_t capacity = in.input().config.max_strlen;
  if (call.args.size() > 1) {
    check_length(in, call.args[1]);
    if (std::optional<int64_t> length = in.constant(call.args[1]); length && *length >= 0)
      capacity = std::min<uint64_t>(static_cast<uint64_t>(*length), capacity);
  } else if (from && (from->kind == TypeKind::Array || from->is_string())) {
    capacity = std::min<uint64_t>(from->size, capacity);
  } else if (from && !from->is_poison()) {
    in.error(diag::ArgumentCount, call.node->span, "buf", "a length for an address", call.args.size());
  }
  return in.store().buffer(static_cast<uint32_t>(std::max<uint64_t>(capacity, 1)));
}

typed::ValuePtr lower_buf(Lowering &low, const CallSite &call) {
  const Type *type = low.type(call.node);
  Expr *from = call.args[0];
  bool scalar = low.type(from)->is_scalar();
  std::optional<Lowering::Place> found = scalar ? std::nullopt : low.place(from);
  if (!scalar && !found) {  // a literal, or a copy in a variable or map
    typed::ValuePtr copy = buffer_of(low.store(), low.value(from), type, call.node->span);
    // What is asked for beyond the end of a string is zeros.
    if (call.args.size() > 1 && low.constant(call.args[1]))
      static_cast<typed::Compose &>(*copy).parts[0].second =
          make_const(low.store().integer(4, false), type->count, call.node->span);
    return copy;
  }
  auto out = make_value<typed::ReadBuffer>(type, call.node->span);
  if (std::optional<Lowering::Place> where = std::move(found)) {
    out->space = where->space == typed::Space::Trusted || where->space == typed::Space::Context ? typed::Space::Kernel
                                                                                                : where->space;
    out->address = low.address(std::move(*where), call.node->span);
  } else {
    out->space = low.space_of(from);
    if (out->space == typed::Space::Trusted) out->space = typed::Space::Kernel;
    out->address = low.value(from);
  }
  out->length =
      call.args.size() > 1 ? low.value(call.args[1]) : make_const(low.store().uint64(), type->count, call.node->span);
  return out;
}

const Type *infer_strncmp(Inference &in, const CallSite &call) {
  const int64_t count = in.constant_argument(call, 2, 0, 16384, "the length");
  for (size_t i = 0; i < 2; i++) {
    const auto *text = as<StringLiteral>(call.args[i]);
    const Type *other = in.infer(call.args[1 - i]);
    if (!text || !other || !other->is_string() || as<StringLiteral>(call.args[1 - i])) continue;
    const auto room = static_cast<int64_t>(other->size);  // with the NUL
    if (room < 2 || count < room || static_cast<int64_t>(text->value.size()) < room) continue;
    in.error(diag::AlwaysSame, call.node->span, "unequal",
             fmt::format("{} characters are compared, and the string on the other side holds {}", count, room - 1))
        .with_hint(fmt::format("`{}` as the last argument compares what can be there", room - 1));
  }
  return in.store().int64();
}

typed::ValuePtr lower_strncmp(Lowering &low, const CallSite &call) {
  int64_t count = low.constant(call.args[2]).value_or(0);
  auto side = [&](Expr *expr) -> typed::ValuePtr {
    const Type *type = low.type(expr);
    if (type->is_string()) return low.value(expr);
    auto most = static_cast<uint32_t>(type->is_pointer() ? count + 1 : std::max<int64_t>(type->size, 1));
    typed::ValuePtr read = read_string(low, expr, low.store().string(most), expr->span);
    return read ? std::move(read) : low.value(expr);
  };
  auto out = make_value<typed::Compare>(low.store().int64(), call.node->span);
  out->left = side(call.args[0]);
  out->right = side(call.args[1]);
  out->stop_at_nul = true;
  uint32_t shorter = std::min(out->left->type->size, out->right->type->size);
  out->count = static_cast<uint32_t>(std::min<int64_t>(count, shorter));
  return out;
}

const Type *infer_memcmp(Inference &in, const CallSite &call) {
  int64_t most = in.constant_argument(call, 2, 0, 16384, "the number of bytes");
  for (size_t i = 0; i < 2; i++) {
    const Type *type = in.infer(call.args[i]);
    if (!type || type->is_poison() || type->is_scalar()) continue;
    int64_t size = type->kind == TypeKind::Buffer ? type->count : type->size;
    if (most > size)
      in.error(diag::OutOfRange, call.args[2]->span, "the number of bytes", most,
               fmt::format("at most {}, the size of argument {}", size, i + 1));
  }
  return in.store().int64();
}

typed::ValuePtr lower_memcmp(Lowering &low, const CallSite &call) {
  auto count = static_cast<uint32_t>(low.constant(call.args[2]).value_or(0));
  if (count == 0) return make_const(low.store().int64(), 0, call.node->span);
  auto out = make_value<typed::Order>(low.store().int64(), call.node->span);
  out->count = count;
  out->left = leading_bytes(low, call.args[0], count);
  out->right = leading_bytes(low, call.args[1], count);
  return out;
}

const Type *pointer_in(Inference &in, const CallSite &call, AddressSpace space) {
  const Type *from = in.infer(call.args[0]);
  return in.store().pointer(from && from->is_pointer() ? from->target : in.store().void_type(), space);
}
const Type *infer_kptr(Inference &in, const CallSite &call) { return pointer_in(in, call, AddressSpace::Kernel); }
const Type *infer_uptr(Inference &in, const CallSite &call) { return pointer_in(in, call, AddressSpace::User); }
typed::ValuePtr lower_pointer(Lowering &low, const CallSite &call) {
  return low.value_as(call.args[0], low.type(call.node));
}

constexpr Intrinsic kTable[] = {
    {"str", infer_str, lower_str},
    {"buf", infer_buf, lower_buf},
    {"strncmp", infer_strncmp, lower_strncmp},
    {"memcmp", infer_memcmp, lower_memcmp},
    {"kptr", infer_kptr, lower_pointer},
    {"uptr", infer_uptr, lower_pointer},
};

}  // namespace

std::span<const Intrinsic> memory_intrinsics() { return kTable; }

}  // namespace awl::ast
