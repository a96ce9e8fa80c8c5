// What prints: printf and its kin, print, join.
#include <linux/bpf.h>

#include "ast/intrinsics/intrinsic.h"
#include "ast/intrinsics/seq_printing.h"
#include "base/strings.h"
#include "runtime/output/aggregate.h"
#include "runtime/output/printf.h"

namespace awl::ast {

namespace {

constexpr uint32_t kJoinStrings = 16;
constexpr uint32_t kJoinBytes = 1024;
constexpr uint32_t kPacketBytes = 2048;  // of a packet at most; an Ethernet frame has 1514

const Type *seen(TypeStore &store, const Type *type) {
  return type && type->kind == TypeKind::Aggregate ? aggregate_value(store, type) : type;
}

// Numbers that do not fit into the 32 bits that a conversion without length shows: clocks, and addresses.
bool needs_64_bits(const Expr *expr, const Type *type) {
  const auto *name = as<Identifier>(expr);
  const auto *call = as<Call>(expr);
  std::string_view word = name ? name->name : call ? call->name : std::string_view();
  return type->is_pointer() || word == "nsecs" || word == "elapsed" || word == "kaddr" || word == "uaddr";
}

void warn_cut(Inference &in, const Conversion &conversion, const std::string &text, const Expr *arg, const Type *type) {
  if (conversion.takes != ConversionClass::Integer || conversion.bits > 32 || !needs_64_bits(arg, type)) return;
  in.error(diag::FormatCuts, arg->span, text, describe(type))
      .with_hint(type->is_pointer() ? "write `%p`" : "write `%l" + text.substr(text.size() - 1) + "`");
}

// The format against the values given.
const Type *infer_format(Inference &in, const CallSite &call) {
  const Type *none = in.store().void_type();
  Expr *text = call.args[0];
  Result<Format> format = parse_format(*in.literal(text));
  if (!format) {
    in.error(diag::BadFormat, text->span, format.error().message).with_hint(format.error().hint);
    return none;
  }
  bool stars = format->takes_stars(call.args.size() - 1);
  if (format->conversions != call.args.size() - 1 && !stars) {
    in.error(diag::FormatCount, call.node->span, counted(format->conversions, "argument"), call.args.size() - 1);
    return none;
  }
  size_t index = 1;
  for (const Format::Piece &piece : format->pieces) {
    if (!piece.has_conversion) continue;
    for (bool star : {piece.conversion.star_width, piece.conversion.star_precision}) {
      if (!star || !stars) continue;
      Expr *number = call.args[index++];
      const Type *type = seen(in.store(), in.infer(number));
      if (type && !type->is_poison() && !type->is_integral())
        in.error(diag::FormatType, number->span, "*", describe(type)).with_hint("`*` takes a number");
    }
    Expr *arg = call.args[index++];
    const Type *type = seen(in.store(), in.infer(arg));
    if (!type || type->is_poison()) continue;
    std::string conversion =
        in.literal(text)->substr(piece.conversion.begin, piece.conversion.end - piece.conversion.begin);
    if (accepts(piece.conversion, type)) {
      warn_cut(in, piece.conversion, conversion, arg, type);
      continue;
    }
    Diagnostic &d = in.error(diag::FormatType, arg->span, conversion, describe(type));
    if (piece.conversion.takes == ConversionClass::Integer) d.with_hint("`%s` shows any value");
    if (type->is_integral() && piece.conversion.takes == ConversionClass::String)
      d.with_hint("use `%d`, or `str()` to read a string at this address");
  }
  return none;
}

void emit_format(Lowering &low, const CallSite &call, ActionKind kind) {
  Action action;
  action.kind = kind;
  action.format = *low.literal(call.args[0]);
  typed::Values args;
  for (size_t i = 1; i < call.args.size(); i++) args.push_back(low.value(call.args[i]));
  low.emit(std::move(action), std::move(args), call.node->span);
}

template <ActionKind Kind>
typed::ValuePtr lower_format(Lowering &low, const CallSite &call) {
  if (Kind == ActionKind::Printf && low.unit().is_pinned())
    print_to_reader(low, call);
  else
    emit_format(low, call, Kind);
  return nullptr;
}

const Type *infer_print(Inference &in, const CallSite &call) {
  const Type *none = in.store().void_type();
  if (auto *access = as<MapAccess>(call.args[0])) {
    MapFacts *map = in.map_argument(access);
    if (call.args.size() > 1 && !access->keys.empty())
      in.error(diag::MapKeyed, access->span, map->name, "is shown by one entry: `top` and `div` are for whole maps");
    else if (call.args.size() > 1 && map->shape_known && map->keys.empty() && in.constant(call.args[1]).value_or(0) > 0)
      in.error(diag::TopIgnored, call.args[1]->span, map->name);
    const Type *value = map->value;
    const bool stats = value && value->kind == TypeKind::Aggregate && value->aggregate == AggregateKind::Stats;
    if (call.args.size() > 2 && stats && in.constant(call.args[2]).value_or(0) > 1)
      in.error(diag::DivIgnored, call.args[2]->span, map->name)
          .with_hint("keep `avg()` or `sum()` to show them divided");
  } else if (call.args.size() > 1) {
    in.error(diag::ArgumentType, call.args[0]->span, 1, "print", describe(in.infer(call.args[0])),
             "a map, with `top` or `div`");
  }
  for (size_t i = 1; i < call.args.size(); i++) in.constant_argument(call, i, 0, INT32_MAX, i == 1 ? "`top`" : "`div`");
  return none;
}

typed::ValuePtr lower_print(Lowering &low, const CallSite &call) {
  Action action;
  typed::Values args;
  auto *access = as<MapAccess>(call.args[0]);
  // An entry is shown by its value alone, where it has one.
  bool entry = access && !access->keys.empty() && seen(low.store(), low.type(access));
  if (access && !entry) {
    Lowering::MapRef ref = low.map_ref(access);
    action.kind = ref.key ? ActionKind::PrintMapKey : ActionKind::PrintMap;
    action.map = static_cast<int32_t>(ref.map);
    action.take = low.take_of(call.node);
    if (ref.key) args.push_back(std::move(ref.key));
    if (call.args.size() > 1) action.top = static_cast<uint32_t>(low.constant(call.args[1]).value_or(0));
    if (call.args.size() > 2) action.div = static_cast<uint64_t>(low.constant(call.args[2]).value_or(0));
  } else {
    action.kind = ActionKind::Print;
    typed::ValuePtr value = low.value(call.args[0]);
    if (!value) return nullptr;
    args.push_back(std::move(value));
  }
  low.emit(std::move(action), std::move(args), call.node->span);
  return nullptr;
}

const Type *infer_percentiles(Inference &in, const CallSite &call) {
  auto *access = as<MapAccess>(call.args[0]);
  MapFacts *map = in.map_argument(access);
  if (map->value && !map->value->is_poison() && !is_histogram(map->value))
    in.error(diag::ArgumentType, access->span, 1, "percentiles", describe(map->value),
             "a map of `hist()` or `lhist()`");
  if (call.args.size() > 1)
    if (Result<std::vector<double>> percents = parse_percents(*in.literal(call.args[1])); !percents)
      in.error(diag::BadPercentiles, call.args[1]->span, percents.error().message).with_hint(percents.error().hint);
  return in.store().void_type();
}

typed::ValuePtr lower_percentiles(Lowering &low, const CallSite &call) {
  Action action;
  typed::Values args;
  Lowering::MapRef ref = low.map_ref(as<MapAccess>(call.args[0]));
  action.kind = ActionKind::Percentiles;
  action.map = static_cast<int32_t>(ref.map);
  action.take = low.take_of(call.node);
  action.format = call.args.size() > 1 ? *low.literal(call.args[1]) : "50 90 99 99.9";
  if (ref.key) args.push_back(std::move(ref.key));
  low.emit(std::move(action), std::move(args), call.node->span);
  return nullptr;
}

const Type *infer_ratio(Inference &in, const CallSite &) { return in.store().ratio(); }

typed::ValuePtr lower_ratio(Lowering &low, const CallSite &call) {
  const Type *type = low.store().ratio();
  auto out = make_value<typed::Compose>(type, call.node->span);
  for (size_t i = 0; i < 2; i++)
    out->parts.emplace_back(type->fields[i].offset, low.value_as(call.args[i], low.store().int64()));
  return out;
}

const Type *infer_join(Inference &in, const CallSite &) { return in.store().void_type(); }

// char *strings[]: each pointer is read, the string behind it, until a null pointer. The record holds the number of
// strings and then all of them.
typed::ValuePtr lower_join(Lowering &low, const CallSite &call) {
  TypeStore &store = low.store();
  const Type *u64 = store.uint64();
  Span span = call.node->span;
  typed::Space space = low.space_of(call.args[0]);
  if (space == typed::Space::Trusted) space = typed::Space::Kernel;
  uint32_t array = low.new_local(u64);
  low.set_local(array, low.coerce(low.value(call.args[0]), u64), span);
  uint32_t count = low.new_local(u64);
  low.set_local(count, make_const(u64, 0, span), span);
  std::vector<uint32_t> pointers;
  for (uint32_t i = 0; i < kJoinStrings; i++) {
    pointers.push_back(low.new_local(u64));
    auto load = make_value<typed::Load>(u64, span);
    load->space = space;
    load->address = make_binary(typed::Op::Add, false, low.get_local(array, span), make_const(u64, 8 * i, span), u64);
    // Behind the null pointer stands something else.
    auto branch = make_step<typed::Branch>(span);
    branch->condition =
        make_binary(typed::Op::Equal, false, low.get_local(count, span), make_const(u64, i, span), store.boolean());
    branch->then = low.collect([&] {
      low.set_local(pointers[i], std::move(load), span);
      auto found = make_step<typed::Branch>(span);
      found->condition = low.get_local(pointers[i], span);
      found->then = low.collect([&] { low.set_local(count, make_const(u64, i + 1, span), span); });
      low.add(std::move(found));
    });
    low.add(std::move(branch));
  }
  typed::Values args;
  args.push_back(low.get_local(count, span));
  for (uint32_t pointer : pointers) {
    auto read = make_value<typed::ReadString>(store.string(kJoinBytes), span);
    read->space = space;
    read->address = low.get_local(pointer, span);
    args.push_back(std::move(read));
  }
  Action action;
  action.kind = ActionKind::Join;
  action.format = call.args.size() > 1 ? *low.literal(call.args[1]) : " ";
  low.emit(std::move(action), std::move(args), span);
  return nullptr;
}

// The time, how much of the packet is wanted, how long it is, and the bytes.
const Type *infer_packet(Inference &in, const CallSite &) { return in.store().int64(); }

typed::ValuePtr lower_packet(Lowering &low, const CallSite &call) {
  TypeStore &store = low.store();
  const Type *u64 = store.uint64();
  Span span = call.node->span;
  uint32_t wanted = low.new_local(u64), there = low.new_local(u64);
  low.set_local(there, low.value_as(call.args[2], u64), span);
  low.set_local(wanted, low.value_as(call.args[3], u64), span);
  auto now = make_value<typed::HelperCall>(u64, span);
  now->helper = BPF_FUNC_ktime_get_boot_ns;
  auto length = make_value<typed::Select>(u64, span);
  length->condition =
      make_binary(typed::Op::Less, false, low.get_local(wanted, span), low.get_local(there, span), store.boolean());
  length->then = low.get_local(wanted, span);
  length->otherwise = low.get_local(there, span);
  auto bytes = make_value<typed::ReadBuffer>(store.buffer(kPacketBytes), span);
  bytes->space = typed::Space::Kernel;
  bytes->address = low.value_as(call.args[1], u64);
  bytes->length = std::move(length);
  Action action;
  action.kind = ActionKind::Packet;
  action.format = *low.literal(call.args[0]);
  typed::Values args;
  args.push_back(std::move(now));
  args.push_back(low.get_local(wanted, span));
  args.push_back(low.value_as(call.args[4], u64));
  args.push_back(std::move(bytes));
  low.emit(std::move(action), std::move(args), span);
  return make_const(store.int64(), 0, span);
}

constexpr Intrinsic kTable[] = {
    {"printf", infer_format, lower_format<ActionKind::Printf>},
    {"errorf", infer_format, lower_format<ActionKind::Errorf>},
    {"warnf", infer_format, lower_format<ActionKind::Warnf>},
    {"cat", infer_format, lower_format<ActionKind::Cat>},
    {"system", infer_format, lower_format<ActionKind::System>},
    {"print", infer_print, lower_print},
    {"percentiles", infer_percentiles, lower_percentiles},
    {"ratio", infer_ratio, lower_ratio},
    {"join", infer_join, lower_join},
    {"packet", infer_packet, lower_packet},
};

}  // namespace

std::span<const Intrinsic> print_intrinsics() { return kTable; }

}  // namespace awl::ast
