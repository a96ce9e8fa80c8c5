// What acts on the traced system: signal, signal_thread, override, write_user; and debugf, which writes to its trace.
#include <linux/bpf.h>
#include <string.h>

#include <csignal>

#include "ast/intrinsics/intrinsic.h"
#include "ast/intrinsics/strings.h"
#include "base/strings.h"
#include "runtime/output/printf.h"

namespace awl::ast {

namespace {

typed::ValuePtr evaluate(Lowering &low, typed::ValuePtr value) {
  auto step = make_step<typed::Evaluate>(value->span);
  step->value = std::move(value);
  low.add(std::move(step));
  return nullptr;
}

std::optional<int> signal_number(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int i = 1; i < 32; i++)
    if (const char *abbreviation = sigabbrev_np(i); abbreviation && name == abbreviation) return i;
  return std::nullopt;
}

const Type *infer_signal(Inference &in, const CallSite &call) {
  if (auto name = as<StringLiteral>(call.args[0])) {
    if (!signal_number(name->value))
      in.error(diag::BadName, name->span, call.function->name, "`" + name->value + "`", "no such signal");
  } else if (auto number = in.constant(call.args[0])) {
    if (*number < 1 || *number > 64) in.error(diag::OutOfRange, call.args[0]->span, "the signal", *number, "1 to 64");
  }
  return in.store().void_type();
}

template <int Helper>
typed::ValuePtr lower_signal(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::HelperCall>(low.store().int64(), call.node->span);
  out->helper = Helper;
  if (auto name = as<StringLiteral>(call.args[0]))
    out->args.push_back(make_const(low.store().int64(), static_cast<uint64_t>(signal_number(name->value).value_or(0)),
                                   call.node->span));
  else
    out->args.push_back(low.value(call.args[0]));
  return evaluate(low, std::move(out));
}

const Type *infer_none(Inference &in, const CallSite &) { return in.store().void_type(); }

typed::ValuePtr lower_override(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::HelperCall>(low.store().int64(), call.node->span);
  out->helper = BPF_FUNC_override_return;
  out->args.push_back(make_value<typed::CtxPointer>(low.store().uint64(), call.node->span));
  out->args.push_back(low.value_as(call.args[0], low.store().uint64()));
  return evaluate(low, std::move(out));
}

// How many bytes write_user() writes: what is asked for, else what the value has; nullopt if that is not clear.
std::optional<int64_t> bytes_to_write(const CallSite &call, const Type *type, std::optional<int64_t> asked) {
  if (call.args.size() > 2) return asked;
  bool text = type->is_string() && !as<StringLiteral>(call.args[1]);
  return type->is_pointer() || text || type->kind == TypeKind::Buffer ? std::nullopt
                                                                      : std::optional<int64_t>(type->size);
}

const Type *infer_write_user(Inference &in, const CallSite &call) {
  const Type *type = in.infer(call.args[1]);
  if (!type || type->is_poison()) return in.store().boolean();
  if (call.args.size() > 2) {
    int64_t size = type->is_pointer() ? 16384 : type->kind == TypeKind::Buffer ? type->count : type->size;
    in.constant_argument(call, 2, 1, size, "the number of bytes");
  } else if (!bytes_to_write(call, type, std::nullopt)) {
    in.error(diag::ArgumentCount, call.node->span, "write_user", "a number of bytes for " + describe(type),
             call.args.size());
  }
  return in.store().boolean();
}

typed::ValuePtr lower_write_user(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  Span span = call.node->span;
  Expr *source = call.args[1];
  const Type *type = low.type(source);
  std::optional<int64_t> asked = call.args.size() > 2 ? low.constant(call.args[2]) : std::nullopt;
  auto count = static_cast<uint32_t>(bytes_to_write(call, type, asked).value_or(0));
  auto bytes = make_value<typed::MemoryAddress>(u64, span);
  if (type->is_integral()) {
    auto number = make_value<typed::Compose>(low.store().array(low.store().integer(1, false), type->size), span);
    number->parts.emplace_back(0, low.coerce(low.value(source), type));
    bytes->operand = std::move(number);
  } else {
    bytes->operand = leading_bytes(low, source, count);
  }
  auto out = make_value<typed::HelperCall>(u64, span);
  out->helper = BPF_FUNC_probe_write_user;
  out->args.push_back(low.value_as(call.args[0], u64));
  out->args.push_back(std::move(bytes));
  out->args.push_back(make_const(u64, count, span));
  return make_binary(typed::Op::Equal, false, std::move(out), make_const(u64, 0, span), low.store().boolean());
}

// --- debugf: bpf_trace_printk() makes the text in the kernel, from fewer conversions and at most three values.

constexpr size_t kMostTraced = 3;

const Type *infer_debugf(Inference &in, const CallSite &call) {
  Expr *text = call.args[0];
  std::string given = *in.literal(text);
  Result<Format> format = parse_format(given);
  if (!format) {
    in.error(diag::BadFormat, text->span, format.error().message).with_hint(format.error().hint);
    return in.store().void_type();
  }
  if (format->conversions != call.args.size() - 1)
    in.error(diag::FormatCount, call.node->span, counted(format->conversions, "argument"), call.args.size() - 1);
  else if (format->conversions > kMostTraced)
    in.error(diag::OutOfRange, call.node->span, "the number of values", static_cast<int64_t>(format->conversions),
             "at most 3: the kernel's trace takes no more");
  size_t index = 1;
  for (const Format::Piece &piece : format->pieces) {
    if (!piece.has_conversion || index >= call.args.size()) continue;
    const Conversion &c = piece.conversion;
    std::string spelled = given.substr(c.begin, c.end - c.begin);
    const Type *type = in.infer(call.args[index]);
    Span span = call.args[index++]->span;
    if (!strchr("duxXps", c.letter) || spelled.find_first_of("hjztL.*") != std::string::npos || c.buffer_style)
      in.error(diag::BadFormat, text->span, "the kernel's trace has no `" + spelled + "`")
          .with_hint("there are %d %u %x %X with l or ll, %p and %s");
    else if (type && !type->is_poison() && (!accepts(c, type) || (c.letter == 's' && !type->is_string())))
      in.error(diag::FormatType, span, spelled, describe(type));
  }
  return in.store().void_type();
}

typed::ValuePtr lower_debugf(Lowering &low, const CallSite &call) {
  const Type *u64 = low.store().uint64();
  Span span = call.node->span;
  auto in_memory = [&](typed::ValuePtr value) {
    auto out = make_value<typed::MemoryAddress>(u64, value->span);
    out->operand = std::move(value);
    return out;
  };
  // The trace ends its lines itself.
  std::string text = *low.literal(call.args[0]);
  if (text.ends_with('\n')) text.pop_back();
  auto size = static_cast<uint32_t>(text.size()) + 1;
  auto format = make_value<typed::Bytes>(low.store().string(size), span);
  format->data = text;
  auto out = make_value<typed::HelperCall>(low.store().int64(), span);
  out->helper = BPF_FUNC_trace_printk;
  out->args.push_back(in_memory(std::move(format)));
  out->args.push_back(make_const(u64, size, span));
  for (size_t i = 1; i < call.args.size(); i++) {
    typed::ValuePtr value = low.value(call.args[i]);
    out->args.push_back(value->type->is_scalar() ? std::move(value) : in_memory(std::move(value)));
  }
  return evaluate(low, std::move(out));
}

constexpr Intrinsic kTable[] = {
    {"signal", infer_signal, lower_signal<BPF_FUNC_send_signal>},
    {"signal_thread", infer_signal, lower_signal<BPF_FUNC_send_signal_thread>},
    {"override", infer_none, lower_override},
    {"write_user", infer_write_user, lower_write_user},
    {"debugf", infer_debugf, lower_debugf},
};

}  // namespace

std::span<const Intrinsic> unsafe_intrinsics() { return kTable; }

}  // namespace awl::ast
