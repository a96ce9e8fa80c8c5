// Functions on strings: strlen, strcap, strstr, strcontains, str_concat, patterns, names of errors and signals.
#include "ast/intrinsics/strings.h"

#include <bit>
#include <cstring>

#include "ast/intrinsics/intrinsic.h"
#include "runtime/types/constants.h"

namespace awl::ast {

const Type *string_type(Inference &in, Expr *expr) {
  const Type *type = in.infer(expr);
  if (!type || type->is_poison() || type->is_string()) return type;
  auto most = static_cast<uint32_t>(in.input().config.max_strlen);
  bool bytes = type->target && type->target->size <= 1;  // char, void
  if (type->is_pointer() && bytes) return in.store().string(most);
  if (type->kind == TypeKind::Array && bytes) return in.store().string(std::max(type->size, 1U));
  return in.poison();
}

typed::ValuePtr string_value(Lowering &low, Expr *expr) {
  const Type *type = low.type(expr);
  if (type->is_string()) return low.value(expr);
  auto most = static_cast<uint32_t>(low.input().config.max_strlen);
  return read_string(low, expr, low.store().string(type->is_pointer() ? most : std::max(type->size, 1U)), expr->span);
}

const Type *concat_type(const CompileInput &input, const Type *left, const Type *right) {
  constexpr uint32_t kLeast = 16;
  auto most = std::max({static_cast<uint32_t>(input.config.max_strlen), left->size, right->size});
  return input.store.string(std::min(std::max(std::bit_ceil(left->size + right->size - 1), kLeast), most));
}

typed::ValuePtr concat_value(typed::ValuePtr left, typed::ValuePtr right, const Type *type, Span span) {
  auto out = make_value<typed::Concat>(type, span);
  out->left = std::move(left);
  out->right = std::move(right);
  return out;
}

namespace {

// Checks that the arguments from `first` on are strings; false if one is not, or not known yet.
bool are_strings(Inference &in, const CallSite &call, size_t count) {
  bool good = true;
  for (size_t i = 0; i < count; i++) {
    const Type *type = string_type(in, call.args[i]);
    if (const Type *given = in.infer(call.args[i]); type && type->is_poison() && !given->is_poison()) {
      Diagnostic &d =
          in.error(diag::ArgumentType, call.args[i]->span, i + 1, call.function->name, describe(given), "a string");
      const bool address = given->is_pointer() || (given->is_integral() && given->size == 8);
      if (address && !in.constant(call.args[i])) d.with_hint("`str()` makes a string of an address");
    }
    good = good && type && type->is_string();
  }
  return good;
}

const Type *infer_length(Inference &in, const CallSite &call) {
  are_strings(in, call, 1);
  return in.store().uint64();
}

typed::ValuePtr lower_strlen(Lowering &low, const CallSite &call) {
  if (auto text = low.literal(call.args[0]); text && low.type(call.args[0])->is_string())
    return make_const(low.store().uint64(), strlen(text->c_str()), call.node->span);
  auto out = make_value<typed::StringLength>(low.store().uint64(), call.node->span);
  out->operand = string_value(low, call.args[0]);
  return out;
}

typed::ValuePtr lower_strcap(Lowering &low, const CallSite &call) {
  const Type *type = low.type(call.args[0]);
  if (type->is_pointer()) return lower_strlen(low, call);
  return make_const(low.store().uint64(), type->size, call.node->span);
}

const Type *infer_concat(Inference &in, const CallSite &call) {
  if (!are_strings(in, call, 2)) return in.poison();
  return concat_type(in.input(), string_type(in, call.args[0]), string_type(in, call.args[1]));
}

typed::ValuePtr lower_concat(Lowering &low, const CallSite &call) {
  typed::ValuePtr left = string_value(low, call.args[0]);
  return concat_value(std::move(left), string_value(low, call.args[1]), low.type(call.node), call.node->span);
}

// --- Patterns

using Compiled = std::expected<pattern::Automaton, pattern::PatternError>;

// The pattern of a call; reports what is wrong with it, at the byte where it is wrong if that can be told.
template <Compiled (*Compile)(std::string_view)>
const Type *infer_pattern(Inference &in, const CallSite &call) {
  are_strings(in, call, 1);
  Expr *expr = call.args[1];
  std::optional<std::string> text = in.literal(expr);
  if (!text) {
    in.error(diag::NotConstant, expr->span, "the text that `" + call.function->name + "` looks for");
    return in.store().boolean();
  }
  if (Compiled compiled = Compile(*text); !compiled) {
    const pattern::PatternError &error = compiled.error();
    Span span = expr->span;
    bool plain = as<StringLiteral>(expr) && span.end - span.begin == text->size() + 2;
    if (plain && error.offset < text->size()) {
      span.begin += static_cast<uint32_t>(error.offset) + 1;
      span.end = span.begin + 1;
    }
    in.error(diag::BadPattern, span, *text, error.message);
  }
  return in.store().boolean();
}

std::unique_ptr<typed::Match> make_match(Lowering &low, const CallSite &call, const Type *type, Compiled compiled) {
  auto out = make_value<typed::Match>(type, call.node->span);
  out->operand = string_value(low, call.args[0]);
  out->automaton = std::make_shared<pattern::Automaton>(std::move(*compiled));
  return out;
}

template <Compiled (*Compile)(std::string_view)>
typed::ValuePtr lower_pattern(Lowering &low, const CallSite &call) {
  const Type *boolean = low.store().boolean();
  auto out = make_match(low, call, boolean, Compile(*low.literal(call.args[1])));
  if (out->automaton->start == out->automaton->matched()) return make_const(boolean, 1, call.node->span);
  return out;
}

// A text that is known now is looked for by a table, any other by what the program finds out about it.
bool check_search(Inference &in, const CallSite &call) {
  if (in.literal(call.args[1])) {
    infer_pattern<pattern::compile_contains>(in, call);
    return true;
  }
  if (!are_strings(in, call, 2)) return false;
  for (Expr *arg : call.args) {
    uint32_t size = string_type(in, arg)->size;
    if (size <= typed::Search::kMostBytes) continue;
    in.error(diag::SearchTooLong, arg->span, call.function->name, typed::Search::kMostBytes, size)
        .with_hint("cut it, as in `str(address, 4095)`, or look for a literal, which may be in strings of any length");
    return false;
  }
  return true;
}

const Type *infer_strstr(Inference &in, const CallSite &call) {
  check_search(in, call);
  return in.store().int64();
}

const Type *infer_strcontains(Inference &in, const CallSite &call) {
  check_search(in, call);
  return in.store().boolean();
}

typed::ValuePtr lower_search(Lowering &low, const CallSite &call) {
  auto out = make_value<typed::Search>(low.store().int64(), call.node->span);
  out->text = string_value(low, call.args[0]);
  out->wanted = string_value(low, call.args[1]);
  return out;
}

typed::ValuePtr lower_strstr(Lowering &low, const CallSite &call) {
  std::optional<std::string> text = low.literal(call.args[1]);
  if (!text) return lower_search(low, call);
  if (text->empty()) return make_const(low.store().int64(), 0, call.node->span);
  auto out = make_match(low, call, low.store().int64(), pattern::compile_contains(*text));
  out->found_bytes = static_cast<uint32_t>(text->size());
  return out;
}

typed::ValuePtr lower_strcontains(Lowering &low, const CallSite &call) {
  if (low.literal(call.args[1])) return lower_pattern<pattern::compile_contains>(low, call);
  const Type *i64 = low.store().int64();
  return make_binary(typed::Op::GreaterEqual, true, lower_search(low, call), make_const(i64, 0, call.node->span),
                     low.store().boolean());
}

// --- Names of numbers, as rows of constant data

constexpr uint32_t kNameSize = 64;

const Type *infer_name(Inference &in, const CallSite &) { return in.store().string(kNameSize); }

void add_row(std::string &rows, std::string_view text) {
  rows += text.substr(0, kNameSize - 1);
  rows.resize((rows.size() + kNameSize) / kNameSize * kNameSize);
}

typed::ValuePtr name_of_number(Lowering &low, const CallSite &call, std::string rows, typed::ValuePtr number) {
  auto out = make_value<typed::TableRow>(low.type(call.node), call.node->span);
  out->rows = std::move(rows);
  out->index = std::move(number);
  return out;
}

// Kernel functions give errors as negative numbers.
typed::ValuePtr lower_strerror(Lowering &low, const CallSite &call) {
  constexpr int kMostErrors = 4095;
  const Type *i64 = low.store().int64();
  Span span = call.node->span;
  std::string rows;
  int last = kMostErrors;
  while (last > 0 && !strerrordesc_np(last)) last--;
  for (int i = 0; i <= last; i++) add_row(rows, strerrordesc_np(i) ? strerrordesc_np(i) : "Unknown error");
  add_row(rows, "Unknown error");
  uint32_t given = low.new_local(i64);
  low.set_local(given, low.coerce(low.value_as(call.args[0], low.store().integer(4, true)), i64), span);
  auto negated = make_value<typed::UnaryOp>(i64, span);
  negated->operand = low.get_local(given, span);
  auto number = make_value<typed::Select>(i64, span);
  number->condition =
      make_binary(typed::Op::Less, true, low.get_local(given, span), make_const(i64, 0, span), low.store().boolean());
  number->then = std::move(negated);
  number->otherwise = low.get_local(given, span);
  return name_of_number(low, call, std::move(rows), std::move(number));
}

typed::ValuePtr lower_signal_name(Lowering &low, const CallSite &call) {
  constexpr int kFirstRealTime = 34, kLast = 64;
  std::string rows;
  for (int i = 0; i <= kLast; i++) {
    if (i >= kFirstRealTime)
      add_row(rows, fmt::format("Real-time signal {}", i - kFirstRealTime));
    else
      add_row(rows, sigdescr_np(i) ? sigdescr_np(i) : fmt::format("Unknown signal {}", i));
  }
  add_row(rows, "Unknown signal");
  return name_of_number(low, call, std::move(rows), low.value_as(call.args[0], low.store().integer(4, false)));
}

typed::ValuePtr lower_syscall_name(Lowering &low, const CallSite &call) {
  constexpr std::string_view kPrefix = "__NR_";
  std::vector<std::string> names;
  for (const std::string &constant : uapi_constant_names()) {
    if (!constant.starts_with(kPrefix)) continue;
    // Entries of the vsyscall page and the number of calls are no calls.
    if (constant == "__NR_vgettimeofday" || constant == "__NR_vtime" || constant == "__NR_vgetcpu" ||
        constant == "__NR_syscalls" || constant == "__NR_arch_specific_syscall")
      continue;
    auto number = static_cast<size_t>(uapi_constant(constant).value_or(0));
    if (number >= 1000) continue;  // limits and flags, no calls
    if (names.size() <= number) names.resize(number + 1);
    names[number] = constant.substr(kPrefix.size());
  }
  std::string rows;
  for (const std::string &name : names) add_row(rows, name.empty() ? "unknown" : name);
  add_row(rows, "unknown");
  return name_of_number(low, call, std::move(rows), low.value_as(call.args[0], low.store().integer(4, false)));
}

constexpr Intrinsic kTable[] = {
    {"strlen", infer_length, lower_strlen},
    {"strcap", infer_length, lower_strcap},
    {"str_concat", infer_concat, lower_concat},
    {"strstr", infer_strstr, lower_strstr},
    {"strcontains", infer_strcontains, lower_strcontains},
    {"regmatch", infer_pattern<pattern::compile_regex>, lower_pattern<pattern::compile_regex>},
    {"globmatch", infer_pattern<pattern::compile_glob>, lower_pattern<pattern::compile_glob>},
    {"strerror", infer_name, lower_strerror},
    {"signal_name", infer_name, lower_signal_name},
    {"syscall_name", infer_name, lower_syscall_name},
};

}  // namespace

std::span<const Intrinsic> string_intrinsics() { return kTable; }

}  // namespace awl::ast
