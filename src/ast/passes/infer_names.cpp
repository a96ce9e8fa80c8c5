// The rules of names, calls, casts and constants.
#include <algorithm>

#include "ast/intrinsics/intrinsic.h"
#include "ast/passes/inference.h"
#include "base/strings.h"
#include "runtime/types/builtin_types.h"
#include "runtime/types/constants.h"

namespace awl::ast {

std::optional<uint32_t> argument_number(std::string_view name) {
  if (!name.starts_with("arg") || name.size() < 4 || name.size() > 6) return std::nullopt;
  name.remove_prefix(3);
  if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return static_cast<uint32_t>(std::stoul(std::string(name)));
}

std::optional<CallSite> call_site(FunctionTable &functions, Expr *expr) {
  CallSite site;
  site.node = expr;
  if (auto *call = as<Call>(expr)) {
    site.function = functions.find(call->name);
    site.args = call->args;
    site.name_span = call->name_span;
  } else if (auto *identifier = as<Identifier>(expr)) {
    site.function = functions.find(identifier->name);
    site.name_span = identifier->span;
  }
  if (!site.function) return std::nullopt;
  return site;
}

const Type *Inference::infer_identifier(Identifier *expr) {
  if (std::optional<uint32_t> number = argument_number(expr->name)) return infer_argn(*number, expr->span);
  if (auto site = call_site(input_.functions, expr)) return infer_call(*site);
  if (auto known = named_constant(input_, expr->name)) return known->first;
  return unknown_name(expr);
}

const Type *Inference::unknown_function(const Call *call) {
  if (input_.program.unread_names.contains(call->name)) return poison();
  Diagnostic &d = error(diag::UnknownFunction, call->name_span, call->name);
  if (!d.info) return poison();  // it is told already
  if (std::string_view hint = foreign_name_hint(call->name); !hint.empty())
    d.with_hint(std::string(hint));
  else if (std::string guess = nearest(call->name, input_.functions.names()); !guess.empty())
    d.with_hint("did you mean `" + guess + "`?");
  return poison();
}

// Whether `args` of this probe has the field.
bool Inference::has_arg(const std::string &name) {
  const ProbeContext &context = unit().context;
  if (unit().function) return false;
  if (context.variable(name)) return true;
  const Type *args = context.args;
  // Where no `args` is mentioned nobody has asked for its type yet.
  if (const ProbeTarget &target = unit().target; !args && target.provider == "tracepoint" && !target.wildcard())
    args = store().find("tracepoint " + target.scope + ":" + target.name).value_or(std::nullopt).value_or(nullptr);
  if (!args) return false;
  const auto field = store().field(args, name);
  return field && *field;
}

// "`args.dfd`, `args.filename`", empty if there are too many to name.
std::string Inference::names_of_args() {
  constexpr size_t kMost = 16;
  std::string out;
  size_t count = 0;
  auto add = [&](const std::string &name) {
    if (name.starts_with("common_") || name.starts_with("__")) return;
    out += (out.empty() ? "`args." : ", `args.") + name + "`";
    count++;
  };
  const ProbeContext &context = unit().context;
  if (auto fields = store().fields(context.args))
    for (const Field &field : **fields) add(field.name);
  for (const UserVariable &variable : context.variables) add(variable.name);
  return count <= kMost ? out : "";
}

const Type *Inference::unknown_name(Identifier *expr) {
  if (input_.program.unread_names.contains(expr->name) || misnamed_.contains(expr->name)) return poison();
  Diagnostic &d = error(diag::UnknownName, expr->span, expr->name);
  if (!d.info) return poison();  // it is told already
  if (std::string_view hint = foreign_name_hint(expr->name); !hint.empty()) {
    d.with_hint(std::string(hint));
    return poison();
  }
  if (has_arg(expr->name)) {
    d.with_hint("write `args." + expr->name + "`");
    return poison();
  }
  std::string guess = nearest(expr->name, input_.functions.names());
  if (guess.empty()) guess = nearest(expr->name, uapi_constant_names());
  if (guess.empty()) guess = nearest(awl::lower(expr->name), input_.functions.names());
  if (!guess.empty())
    d.with_hint("did you mean `" + guess + "`?");
  else
    d.with_hint("variables start with `$`, maps with `@`");
  return poison();
}

namespace {

constexpr uint32_t kStackArguments = 10;  // sarg0 ... sarg9

bool is_entry(const Unit &unit) {
  const std::string &provider = unit.target.provider;
  return !unit.function && (provider == "kprobe" || provider == "uprobe");
}

}  // namespace

const Type *Inference::infer_argn(uint32_t number, Span span) {
  const ProbeContext &context = unit().context;
  std::string name = "arg" + std::to_string(number);
  if (context.args_reach == ArgReach::None) {
    Diagnostic &d = error(diag::NotAvailable, span, name, unit().text);
    if (unit().function)
      d.with_hint("take it as a parameter: what a probe offers is not known in a function");
    else if (context.prog_type == ProgType::Tracepoint)
      d.with_hint("use `args.FIELD`; `awl -lv '" + unit().text + "'` lists them");
    return poison();
  }
  if (number >= context.arg_count) {
    Diagnostic &d = error(diag::NotAvailable, span, name, unit().text);
    const uint32_t on_stack = number - context.arg_count;
    d.with_hint(context.arg_count == 0 ? "this probe has no arguments"
                : is_entry(unit()) && on_stack < kStackArguments
                    ? fmt::format("arg0 to arg{} are in registers, this one is on the stack: write `sarg{}`",
                                  context.arg_count - 1, on_stack)
                    : fmt::format("it has arg0 to arg{}", context.arg_count - 1));
    return poison();
  }
  return store().int64();
}

bool Inference::check_signature(const CallSite &call) {
  const Function &f = *call.function;
  size_t least = required_params(f);
  size_t most = f.params.size();
  size_t given = call.args.size();
  if (given >= least && (given <= most || is_variadic(f))) return true;
  std::string wanted = is_variadic(f)  ? fmt::format("at least {}", least)
                       : least == most ? fmt::format("{}", least)
                                       : fmt::format("{} to {}", least, most);
  wanted += wanted == "1" || wanted == "at least 1" ? " argument" : " arguments";
  error(diag::ArgumentCount, call.node->span, f.name, wanted, given).with_hint("its form is `" + signature(f) + "`");
  return false;
}

bool Inference::check_needs(const CallSite &call) {
  const Function &f = *call.function;
  const ProbeContext &c = unit().context;
  bool fits = (!needs(f, "regs") || c.has_regs) && (!needs(f, "retval") || c.has_retval) &&
              (!needs(f, "func") || c.has_func) && (!needs(f, "args") || c.args) &&
              (!needs(f, "user") || c.user_code) && (!needs(f, "kprobe") || unit().target.provider == "kprobe") &&
              (!needs(f, "entry") || is_entry(unit())) && (!needs(f, "probe") || !unit().function);
  if (!fits) {
    Diagnostic &d = error(diag::NotAvailable, call.name_span, f.name, unit().text);
    if (unit().function)
      d.with_hint("take it as a parameter: what a probe offers is not known in a function");
    else if (needs(f, "kprobe"))
      d.with_hint("it works in kprobe");
    else if (needs(f, "entry"))
      d.with_hint("arguments are on the stack at the entry of a function: it works in kprobe and uprobe");
    else if (needs(f, "retval") && has_arg("ret"))
      d.with_hint("write `args.ret`");
    else if (needs(f, "retval"))
      d.with_hint("return values are seen by kretprobe, fexit and uretprobe");
    if (needs(f, "args") && c.args_reach != ArgReach::None)
      d.with_hint(c.user_code ? "there is no debug information about its parameters: use arg0, arg1, ..."
                              : "use arg0, arg1, ..., or fentry, where args has the parameters by name");
  }
  if (const Attribute *today = attribute(f, "old"); fits && today)
    error(diag::OldName, call.name_span, f.name, today->argument).with_hint("write `" + today->argument + "`");
  if (fits && attribute(f, "unsafe") && !input_.config.unsafe) {
    error(diag::Unsafe, call.name_span, f.name + "()").with_hint("allow it with --unsafe");
  }
  return fits;
}

namespace {

// What a parameter's pattern says of an argument's type; literals, words and constants look at the node instead.
bool matches(std::string_view pattern, const Type *type) {
  if (pattern == "any") return type->kind != TypeKind::Void;
  if (pattern == "integer") return type->is_integral();
  if (pattern == "pointer")
    return type->is_pointer() || type->kind == TypeKind::Array || type->kind == TypeKind::Struct;
  if (pattern == "string") return type->is_string();
  if (pattern == "buffer") return type->kind == TypeKind::Buffer;
  return false;
}

}  // namespace

const Type *Inference::infer_call(const CallSite &call) {
  const Function &f = *call.function;
  if (f.of_script) return infer_script_call(call);
  if (f.of_c) return infer_c_call(call);
  return infer_stdlib_call(call);
}

// Number and types of arguments, against the patterns of the declaration.
bool Inference::check_arguments(const CallSite &call) {
  const Function &f = *call.function;
  // What a function with a body calls is part of it to who wrote the script.
  const std::string shown = f.name.starts_with("__") ? f.name.substr(2) : f.name;
  bool fits = check_signature(call);
  for (size_t i = 0; i < call.args.size(); i++) {
    Expr *arg = call.args[i];
    const FunctionParam *param = i < f.params.size() ? &f.params[i] : is_variadic(f) ? &f.params.back() : nullptr;
    std::vector<std::string> patterns = split(param ? param->type.name : "any", '|');
    auto has = [&](std::string_view p) { return std::ranges::find(patterns, p) != patterns.end(); };
    if (has("map") && (as<MapAccess>(arg) || patterns.size() == 1)) {
      if (!map_argument(arg)) {
        error(diag::ArgumentType, arg->span, i + 1, shown, "no map", "a map");
        fits = false;
      }
      continue;
    }
    if (has("word") && as<Identifier>(arg)) continue;
    if (has("variable") && as<Variable>(arg)) continue;
    const Type *type = operand(arg);
    if (!type || type->is_poison()) {
      // Said already; but what has to be known here is not, and rules of intrinsics rely on it.
      fits = fits && !(has("literal") && !literal(arg)) && !(has("constant") && !constant(arg));
      continue;
    }
    if (has("literal") && literal(arg)) continue;
    if (has("constant") && constant(arg)) continue;
    if (!std::ranges::any_of(patterns, [&](const std::string &p) { return matches(p, type); })) {
      std::string wanted;
      for (const std::string &p : patterns)
        wanted += (wanted.empty() ? "" : " or ") + (p == "literal"    ? "a string literal"
                                                    : p == "constant" ? "a constant"
                                                    : p == "word"     ? "a word"
                                                    : p == "variable" ? "a variable"
                                                                      : "`" + p + "`");
      Diagnostic &d = error(diag::ArgumentType, arg->span, i + 1, shown, describe(type), wanted);
      if (f.name == "print") {
        const bool format = literal(call.args[0]).value_or("").find('%') != std::string::npos;
        d.with_hint(format ? "`printf` takes a format: `printf(\"...\", ...)`"
                           : "`print` shows one value: write `printf`, or print a tuple: `print((a, b))`");
      }
      fits = false;
    }
  }
  return fits;
}

const Type *Inference::infer_stdlib_call(const CallSite &call) {
  const Function &f = *call.function;
  if (f.name == "str" && !call.args.empty()) text_param_ = call.args[0];
  if (!check_arguments(call) || !check_needs(call)) return poison();
  if (attribute(f, "aggregate")) {
    if (call.node == assigned_aggregate_) return infer_aggregate(call);
    error(diag::AggregateMisuse, call.node->span, f.name + "()")
        .with_hint("write `@ = " + f.name + "(...)` or `@[key] = " + f.name + "(...)`");
    return poison();
  }
  if (const Attribute *a = attribute(f, "intrinsic")) return find_intrinsic(a->argument)->infer(*this, call);
  if (const Attribute *words = attribute(f, "words")) {  // the words it knows were expanded
    const auto *word = as<Identifier>(call.args[0]);
    error(diag::BadName, call.args[0]->span, f.name, word ? "`" + word->name + "`" : "this",
          "there are " + words->argument);
    return poison();
  }
  return resolve(f.result);
}

const Type *Inference::infer_aggregate(const CallSite &call) {
  std::string_view kind = attribute(*call.function, "aggregate")->argument;
  const Type *argument = call.args.empty() ? nullptr : stored_type(store(), facts_.types[call.args[0]]);
  if (argument && !argument->is_poison()) argument = store().integer(8, argument->is_signed);
  TypeStore &s = store();
  if (kind == "count") return s.aggregate(AggregateKind::Count, s.int64());
  if (kind == "sum") return s.aggregate(AggregateKind::Sum, argument);
  if (kind == "min") return s.aggregate(AggregateKind::Min, argument);
  if (kind == "max") return s.aggregate(AggregateKind::Max, argument);
  if (kind == "avg") return s.aggregate(AggregateKind::Avg, argument);
  if (kind == "stats") return s.aggregate(AggregateKind::Stats, argument);
  if (kind == "hist") {
    int64_t bits = call.args.size() > 1 ? constant_argument(call, 1, 0, 5, "the number of bits") : 0;
    return s.hist(s.int64(), static_cast<uint32_t>(bits));
  }
  if (kind == "tseries") return infer_series(call, argument);
  int64_t low = constant_argument(call, 1, 0, INT32_MAX, "the minimum");
  int64_t high = constant_argument(call, 2, low + 1, INT64_MAX / 2, "the maximum");
  int64_t step = constant_argument(call, 3, 1, INT64_MAX / 2, "the step");
  if ((high - low) / step > 1000) {
    error(diag::OutOfRange, call.node->span, "the number of buckets", (high - low) / step, "at most 1000");
    return poison();
  }
  return s.lhist(s.int64(), low, high, step);
}

// tseries(value, interval, length, function)
const Type *Inference::infer_series(const CallSite &call, const Type *argument) {
  struct Name {
    std::string_view name;
    SeriesKind kind;
  };
  static constexpr Name kNames[] = {{"last", SeriesKind::Last},
                                    {"avg", SeriesKind::Avg},
                                    {"max", SeriesKind::Max},
                                    {"min", SeriesKind::Min},
                                    {"sum", SeriesKind::Sum}};
  int64_t interval = constant_argument(call, 1, 1, INT64_MAX / 2, "the interval");
  int64_t length = constant_argument(call, 2, 1, kMaxSeries, "the number of intervals");
  const Name *name = &kNames[0];
  if (call.args.size() > 3) {
    std::string wanted = literal(call.args[3]).value_or("");
    name = std::ranges::find(kNames, wanted, &Name::name);
    if (name == std::end(kNames)) {
      error(diag::BadName, call.args[3]->span, "tseries", "`" + wanted + "`", "there are last, avg, max, min and sum");
      return poison();
    }
  }
  return store().tseries(argument, interval, static_cast<uint32_t>(length), name->kind);
}

int64_t Inference::constant_argument(const CallSite &call, size_t index, int64_t low, int64_t high,
                                     std::string_view what) {
  std::optional<int64_t> value = constant(call.args[index]);
  if (!value) {
    error(diag::NotConstant, call.args[index]->span, std::string(what));
    return low;
  }
  if (*value < low || *value > high) {
    error(diag::OutOfRange, call.args[index]->span, std::string(what), *value,
          high == INT32_MAX || high > INT32_MAX ? fmt::format("at least {}", low) : fmt::format("{} to {}", low, high));
    return low;
  }
  return *value;
}

namespace {

// Whether the script (or a header of its own) defines the type.
bool defines(const std::vector<CType> &types, std::string_view name) {
  return std::ranges::any_of(types, [&](const CType &type) {
    size_t blank = name.find(' ');
    if (!type.name.empty() && type.name == name.substr(blank == std::string_view::npos ? 0 : blank + 1)) return true;
    return std::ranges::any_of(type.fields,
                               [&](const CField &field) { return field.inner && defines({*field.inner}, name); });
  });
}

}  // namespace

std::optional<std::pair<const Type *, int64_t>> named_constant(const CompileInput &input, const std::string &name) {
  bool in_script = std::ranges::any_of(input.program.types, [&](const CType &type) {
    return std::ranges::any_of(type.enumerators, [&](const CEnumerator &e) { return e.name == name; });
  });
  // The table costs nothing to ask, the kernel's BTF some milliseconds.
  if (!in_script)
    if (std::optional<int64_t> value = uapi_constant(name)) return std::pair{input.store.int64(), *value};
  return input.store.enumerator(name);
}

std::optional<int64_t> Inference::constant(const Expr *expr) const { return fold_constant(input_, facts_, expr); }
std::optional<std::string> Inference::literal(const Expr *expr) const { return fold_literal(input_, facts_, expr); }

// In a probe of a user program its own types come before the kernel's, which may have others of the same name.
Result<std::optional<const Type *>> find_type(const CompileInput &input, const Unit &unit, const std::string &name) {
  const std::string &binary = unit.target.scope;
  bool user = unit.context.user_code && input.user_types && !binary.empty() && !has_wildcard(binary);
  if (!user || builtin_type(input.store, name) || defines(input.program.types, name)) return input.store.find(name);
  if (auto found = TRY(input.user_types->find(input.store, binary, name))) return found;
  return input.store.find(name);
}

const Type *Inference::resolve(const TypeName &name) {
  const Type *type = nullptr;
  if (name.typeof_expr) {
    type = type_of(name.typeof_expr);
    if (!type) return nullptr;
  } else if (name.name == "string" || name.name == "buffer") {
    // Without a size: as long as strings may be.
    auto size = static_cast<uint32_t>(name.array.empty() ? input_.config.max_strlen : name.array[0]);
    return name.name == "string" ? store().string(size) : store().buffer(size);
  } else {
    Result<std::optional<const Type *>> found = find_type(input_, unit(), name.name);
    // `(file *)arg0`, as scripts of 2019 name a struct.
    for (std::string_view keyword : {"struct ", "union "})
      if (found && !*found && name.name.find(' ') == std::string::npos)
        found = find_type(input_, unit(), std::string(keyword) + name.name);
    if (!found || !*found) {
      Diagnostic &d = error(diag::UnknownType, name.span, name.name);
      if (!d.info) return poison();  // it is told already
      if (!found)
        d.note(found.error().message).with_hint(found.error().hint);
      else if (std::string guess = nearest(name.name, store().names()); !guess.empty())
        d.with_hint("did you mean `" + guess + "`?");
      return poison();
    }
    type = **found;
  }
  for (int i = 0; i < name.pointers; i++) type = store().pointer(type);
  for (auto it = name.array.rbegin(); it != name.array.rend(); ++it)
    type = store().array(type, static_cast<uint32_t>(*it));
  return type;
}

// What typeof(), sizeof() and offsetof() look at: a type as it is named, through a macro's parameter too, or the type
// of an expression.
const Type *Inference::type_of(Expr *expr) {
  const Type *type = nullptr;
  if (auto *named = as<TypeExpr>(expr)) {
    type = resolve(named->type);
  } else if (auto *word = as<Identifier>(expr); word && is_type_name(word)) {
    TypeName name;
    name.span = word->span;
    name.name = word->name;
    type = resolve(name);
  } else {
    return infer(expr);
  }
  facts_.types.set(expr, type);
  return type;
}

bool Inference::is_type_name(const Identifier *word) {
  if (argument_number(word->name) || input_.functions.find(word->name)) return false;
  if (word->name == "string" || word->name == "buffer") return true;
  if (named_constant(input_, word->name)) return false;
  Result<std::optional<const Type *>> found = store().find(word->name);
  return found && *found;
}

const Type *Inference::infer_cast(Cast *expr) {
  const Type *from = operand(expr->operand);
  const Type *to = resolve(expr->type);
  if (!from || !to || from->is_poison() || to->is_poison()) return to;
  warn_cut(expr->operand, to, expr->span);
  bool scalar = from->is_scalar() || from->kind == TypeKind::Array;
  if (to->is_scalar() && scalar) return to;
  // Bytes of a string or integer seen as an array; `(uint8[])` is as long as what it is made of.
  if (to->kind == TypeKind::Array && (from->is_integral() || from->is_string())) {
    const auto element = static_cast<uint32_t>(to->target->size);
    const auto bytes = static_cast<uint32_t>(from->size);
    if (to->count == 0 && element > 0 && bytes % element == 0) to = store().array(to->target, bytes / element);
    const bool fits = from->is_string() ? element == 1 && to->size >= bytes : to->size <= 8;
    if (to->count > 0 && fits) return to;
  }
  if (to->is_string() && from->is_string()) return to;
  if (to->kind == TypeKind::Bool && from->is_string()) return to;  // whether there is anything in it
  if (to->kind == TypeKind::Buffer && (from->is_string() || from->kind == TypeKind::Array)) return to;
  if (to == from) return to;
  Diagnostic &d = error(diag::BadCast, expr->span, describe(from), describe(to));
  if (to->kind == TypeKind::Array && from->is_string() && to->target->size == 1)
    d.with_hint("`(int8[])` takes all of it");
  if (to->kind == TypeKind::Struct && to->display == Display::None)
    d.with_hint("cast to a pointer: `(" + to_string(to) + " *)`");
  return poison();
}

const Type *Inference::infer_offsetof(OffsetOf *expr) {
  const Type *type = expr->type ? resolve(*expr->type) : type_of(expr->operand);
  int64_t offset = 0;
  for (const std::string &name : expr->path) {
    if (!type || type->is_poison()) return store().uint64();
    if (type->is_pointer()) type = type->target;
    auto field = type->kind == TypeKind::Struct ? store().field(type, name) : std::optional<FieldRef>();
    if (!field || !*field) {
      error(diag::UnknownField, expr->span, name, to_string(type));
      return store().uint64();
    }
    offset += (*field)->offset;
    type = (*field)->type;
  }
  set_constant(expr, offset);
  return store().uint64();
}

}  // namespace awl::ast
