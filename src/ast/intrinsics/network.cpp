// Network addresses and byte order: ntop, pton, macaddr, bswap.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "ast/intrinsics/intrinsic.h"

namespace awl::ast {

namespace {

const Type *infer_ntop(Inference &in, const CallSite &call) {
  const Type *address = in.infer(call.args.back());
  if (address && !address->is_poison() && !address->is_integral() && !address->is_pointer() &&
      !((address->kind == TypeKind::Array || address->kind == TypeKind::Struct || address->is_string()) &&
        (address->size == 4 || address->size == 16)))
    in.error(diag::ArgumentType, call.args.back()->span, call.args.size(), "ntop", describe(address),
             "an integer, or 4 or 16 bytes");
  if (call.args.size() == 2)
    if (const Type *af = in.infer(call.args[0]); af && !af->is_integral() && !af->is_poison())
      in.error(diag::ArgumentType, call.args[0]->span, 1, "ntop", describe(af), "an address family");
  return in.store().display_type(Display::Inet);
}

// The bytes behind an address expression as an array of `size` bytes.
typed::ValuePtr bytes_at(Lowering &low, Expr *expr, uint32_t size) {
  const Type *bytes = low.store().array(low.store().integer(1, false), size);
  auto out = make_value<typed::Load>(bytes, expr->span);
  const Type *type = low.type(expr);
  std::optional<Lowering::Place> where = type->is_pointer() || type->is_integral() ? std::nullopt : low.place(expr);
  if (where) {
    out->space = where->space == typed::Space::Trusted || where->space == typed::Space::Context ? typed::Space::Kernel
                                                                                                : where->space;
    out->address = low.address(std::move(*where), expr->span);
    return out;
  }
  if (!type->is_scalar()) return low.value(expr);  // a copy in a variable or map
  out->space = low.space_of(expr);
  if (out->space == typed::Space::Trusted) out->space = typed::Space::Kernel;
  out->address = low.value(expr);
  return out;
}

typed::ValuePtr lower_ntop(Lowering &low, const CallSite &call) {
  Expr *address = call.args.back();
  const Type *type = low.type(address);
  const Type *u32 = low.store().integer(4, false);
  Span span = call.node->span;
  auto out = make_value<typed::Compose>(low.type(call.node), span);
  uint32_t size = type->is_integral() ? 4 : type->is_pointer() ? 16 : type->size;
  if (call.args.size() == 2)
    out->parts.emplace_back(0, low.value_as(call.args[0], u32));
  else
    out->parts.emplace_back(0, make_const(u32, size == 16 ? AF_INET6 : AF_INET, span));
  out->parts.emplace_back(4, type->is_integral() ? low.value_as(address, u32) : bytes_at(low, address, size));
  return out;
}

std::string parse_address(const std::string &text) {
  char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return std::string(bytes, 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return std::string(bytes, 16);
  return {};
}

const Type *infer_pton(Inference &in, const CallSite &call) {
  std::string text = *in.literal(call.args[0]);
  std::string bytes = parse_address(text);
  if (bytes.empty())
    in.error(diag::BadName, call.args[0]->span, "pton", "`" + text + "`", "not an IPv4 or IPv6 address");
  return in.store().array(in.store().integer(1, false), bytes.empty() ? 4 : static_cast<uint32_t>(bytes.size()));
}
typed::ValuePtr lower_pton(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::Bytes>(low.type(call.node), call.node->span);
  out->data = parse_address(*low.literal(call.args[0]));
  return out;
}

const Type *infer_macaddr(Inference &in, const CallSite &call) {
  const Type *address = in.infer(call.args[0]);
  if (address && !address->is_poison() && !address->is_scalar() && address->size != 6)
    in.error(diag::ArgumentType, call.args[0]->span, 1, "macaddr", describe(address), "an address or 6 bytes");
  return in.store().display_type(Display::MacAddress);
}
typed::ValuePtr lower_macaddr(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::Compose>(low.type(call.node), call.node->span);
  out->parts.emplace_back(0, bytes_at(low, call.args[0], 6));
  return out;
}

const Type *infer_bswap(Inference &in, const CallSite &call) {
  const Type *type = in.infer(call.args[0]);
  return type && type->is_integral() ? in.store().integer(type->size, false) : in.store().uint64();
}
typed::ValuePtr lower_bswap(Lowering &low, const CallSite &call) {
  const Type *type = low.type(call.node);
  const Type *u64 = low.store().uint64();
  Span span = call.node->span;
  uint32_t local = low.new_local(u64);
  low.set_local(local, low.coerce(low.value(call.args[0]), u64), span);
  typed::ValuePtr sum;
  for (uint32_t i = 0; i < type->size; i++) {
    auto byte =
        make_binary(typed::Op::ShiftRight, false, low.get_local(local, span), make_const(u64, 8 * i, span), u64);
    byte = make_binary(typed::Op::And, false, std::move(byte), make_const(u64, 0xff, span), u64);
    byte =
        make_binary(typed::Op::ShiftLeft, false, std::move(byte), make_const(u64, 8 * (type->size - 1 - i), span), u64);
    sum = sum ? make_binary(typed::Op::Or, false, std::move(sum), std::move(byte), u64) : std::move(byte);
  }
  return low.coerce(std::move(sum), type);
}

constexpr Intrinsic kTable[] = {
    {"ntop", infer_ntop, lower_ntop},
    {"pton", infer_pton, lower_pton},
    {"macaddr", infer_macaddr, lower_macaddr},
    {"bswap", infer_bswap, lower_bswap},
};

}  // namespace

std::span<const Intrinsic> network_intrinsics() { return kTable; }

}  // namespace awl::ast
