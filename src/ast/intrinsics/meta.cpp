// What is answered when the program is compiled: is_*(), typeinfo(), static_assert(), fail(), getopt().
#include "ast/intrinsics/intrinsic.h"
#include "runtime/probes/kernel_functions.h"

namespace awl::ast {

namespace {

bool is_integer(const Type *type) { return type->kind == TypeKind::Int || type->kind == TypeKind::Enum; }

// The answers to is_*(): known as soon as the type of the argument is.
template <bool (*Test)(const Type *)>
const Type *infer_type_test(Inference &in, const CallSite &call) {
  const Type *type = in.infer(call.args[0]);
  if (type && !type->is_poison()) in.set_constant(call.node, Test(type));
  return in.store().boolean();
}

// Known once the map has been used with keys or without.
const Type *infer_is_scalar(Inference &in, const CallSite &call) {
  const MapFacts *map = in.map_argument(call.args[0]);
  if (map && map->shape_known) in.set_constant(call.node, map->keys.empty());
  return in.store().boolean();
}

const Type *infer_is_literal(Inference &in, const CallSite &call) {
  const Expr *arg = call.args[0];
  while (const auto *sign = as<Unary>(arg)) arg = sign->operand;
  bool literal = arg->kind == NodeKind::IntegerLiteral || arg->kind == NodeKind::StringLiteral ||
                 arg->kind == NodeKind::BoolLiteral;
  in.set_constant(call.node, literal);
  return in.store().boolean();
}

// awl calls no functions of the kernel but the helpers of BPF, so a script that asks takes its other way.
const Type *infer_kfunc_exist(Inference &in, const CallSite &call) {
  Result<bool> exists = kernel_function_exists("", *in.literal(call.args[0]), ProbeRoots());
  in.set_constant(call.node, exists && *exists);
  return in.store().boolean();
}
const Type *infer_kfunc_allowed(Inference &in, const CallSite &call) {
  in.set_constant(call.node, 0);
  return in.store().boolean();
}

typed::ValuePtr lower_constant(Lowering &low, const CallSite &call) {
  return make_const(low.store().boolean(), static_cast<uint64_t>(low.constant(call.node).value_or(0)), call.node->span);
}

const Type *infer_typeinfo(Inference &in, const CallSite &call) {
  const Type *type = in.infer(call.args[0]);
  if (!type || type->is_poison()) return type;
  TypeStore &s = in.store();
  auto text = [&](const std::string &t) { return s.string(static_cast<uint32_t>(t.size()) + 1); };
  return s.record({"btf_id", "base_type", "full_type"}, {s.int64(), text(base_name(type)), text(to_string(type))});
}

typed::ValuePtr lower_typeinfo(Lowering &low, const CallSite &call) {
  const Type *tuple = low.type(call.node);
  const Type *type = low.type(call.args[0]);
  auto out = make_value<typed::Compose>(tuple, call.node->span);
  out->parts.emplace_back(tuple->fields[0].offset, make_const(low.store().int64(), type->btf_id, call.node->span));
  std::string texts[] = {base_name(type), to_string(type)};
  for (size_t i = 0; i < 2; i++) {
    auto bytes = make_value<typed::Bytes>(tuple->fields[i + 1].type, call.node->span);
    bytes->data = texts[i];
    out->parts.emplace_back(tuple->fields[i + 1].offset, std::move(bytes));
  }
  return out;
}

const Type *infer_static_assert(Inference &in, const CallSite &call) {
  std::optional<int64_t> holds = in.constant(call.args[0]);
  if (!holds)
    in.error(diag::NotConstant, call.args[0]->span, "the condition of `static_assert`");
  else if (!*holds)
    in.error(diag::StaticAssertFailed, call.node->span, in.literal(call.args[1]).value_or(""));
  return in.store().void_type();
}

// The message with its conversions replaced by the values, which are all known.
const Type *infer_fail(Inference &in, const CallSite &call) {
  std::string format = in.literal(call.args[0]).value_or("");
  std::string message;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); i++) {
    if (format[i] != '%' || i + 1 == format.size()) {
      message += format[i];
      continue;
    }
    size_t end = format.find_first_of("sdiuxXcp%", i + 1);
    if (end == std::string::npos) end = format.size() - 1;
    i = end;
    if (format[end] == '%') {
      message += '%';
    } else if (next < call.args.size()) {
      const Expr *arg = call.args[next++];
      std::optional<std::string> text = in.literal(arg);
      std::optional<int64_t> number = in.constant(arg);
      if (!text && !number) in.error(diag::NotConstant, arg->span, "an argument of `fail`");
      message += text ? *text : std::to_string(number.value_or(0));
    }
  }
  in.error(diag::FailReached, call.node->span, message);
  return in.store().void_type();
}

typed::ValuePtr lower_nothing(Lowering &, const CallSite &) { return nullptr; }

// Calls that make sense were replaced by their values before (see passes/options.h); what is left was reported there
// or is wrong in a way that the declaration tells.
const Type *infer_getopt(Inference &in, const CallSite &) { return in.poison(); }

constexpr Intrinsic kTable[] = {
    {"kfunc_exist", infer_kfunc_exist, lower_constant},
    {"kfunc_allowed", infer_kfunc_allowed, lower_constant},
    {"is_integer", infer_type_test<is_integer>, lower_constant},
    {"is_unsigned_integer", infer_type_test<[](const Type *type) { return is_integer(type) && !type->is_signed; }>,
     lower_constant},
    {"is_ptr", infer_type_test<[](const Type *type) { return type->is_pointer(); }>, lower_constant},
    {"is_str", infer_type_test<[](const Type *type) { return type->is_string(); }>, lower_constant},
    {"is_array", infer_type_test<[](const Type *type) { return type->kind == TypeKind::Array; }>, lower_constant},
    {"is_scalar", infer_is_scalar, lower_constant},
    {"is_literal", infer_is_literal, lower_constant},
    {"typeinfo", infer_typeinfo, lower_typeinfo},
    {"static_assert", infer_static_assert, lower_nothing},
    {"fail", infer_fail, lower_nothing},
    {"getopt", infer_getopt, lower_nothing},
};

}  // namespace

std::span<const Intrinsic> meta_intrinsics() { return kTable; }

}  // namespace awl::ast
