#include "ast/passes/options.h"

#include <algorithm>
#include <optional>

#include "ast/walk.h"
#include "base/strings.h"

namespace awl::ast {

namespace {

struct Given {
  std::string name;
  std::optional<std::string> value;
  bool known = false;
};

std::optional<int64_t> signed_number(std::string_view text) {
  bool negative = text.starts_with('-');
  std::optional<uint64_t> number = parse_amount(text.substr(negative ? 1 : 0));
  if (!number || *number > (uint64_t{1} << 63) - (negative ? 0 : 1)) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - *number : *number);
}

std::optional<int64_t> literal_number(const Expr *expr) {
  if (const auto *number = as<IntegerLiteral>(expr)) return static_cast<int64_t>(number->value);
  const auto *minus = as<Unary>(expr);
  if (!minus || minus->op != UnaryOp::Negate) return std::nullopt;
  std::optional<int64_t> value = literal_number(minus->operand);
  return value ? std::optional(static_cast<int64_t>(0 - static_cast<uint64_t>(*value))) : std::nullopt;
}

bool is_literal(const Expr *expr) {
  return literal_number(expr) || expr->kind == NodeKind::StringLiteral || expr->kind == NodeKind::BoolLiteral;
}

std::string text_of(const Expr *literal) {
  if (const auto *text = as<StringLiteral>(literal)) return json_quote(text->value);
  if (const auto *flag = as<BoolLiteral>(literal)) return flag->value ? "true" : "false";
  return std::to_string(literal_number(literal).value_or(0));
}

class Reader {
 public:
  Reader(Program &program, const std::vector<std::string> &given, OpenParams *open, Diagnostics &diagnostics)
      : program_(program), open_(open), diagnostics_(diagnostics) {
    for (std::string_view word : given) {
      if (word.starts_with("--")) word.remove_prefix(2);
      size_t equals = word.find('=');
      Given one{std::string(word.substr(0, equals)), std::nullopt};
      if (equals != std::string_view::npos) one.value = word.substr(equals + 1);
      given_.push_back(std::move(one));
    }
  }

  void visit(Node *node) {
    for_each_slot(node, [&](Expr *&slot) { rewrite(slot); }, [&](Stmt *child) { visit(child); });
  }

  void rewrite(Expr *&slot) {
    visit(slot);
    auto *call = as<Call>(slot);
    if (!call || call->name != "getopt") return;
    auto *name = call->args.empty() ? nullptr : as<StringLiteral>(call->args[0]);
    // The wrong number of arguments, or no name: the checker says what the declaration says.
    if (!name || call->args.size() > 3) return;
    Expr *fallback = call->args.size() > 1 ? call->args[1] : program_.make<BoolLiteral>(call->span, false);
    auto *description = call->args.size() > 2 ? as<StringLiteral>(call->args[2]) : nullptr;
    if (!is_literal(fallback)) {
      diagnostics_.emit(diag::BadOptionDefault, fallback->span, name->value)
          .with_hint("it is what the option is without being given: a number, a string, true or false");
      return;
    }
    if (const ScriptOption *before = find(name->value)) {
      if (text_of(before->fallback) != text_of(fallback))
        diagnostics_.emit(diag::OptionConflict, call->span, name->value, text_of(before->fallback), text_of(fallback))
            .at(before->span, "first asked for here");
    } else {
      options_.push_back({name->value, fallback, description ? description->value : "", call->span});
    }
    slot = value(*name, fallback, call->span);
    if (open_) slot = open_->take_option(program_, name->value, slot, call->span);
  }

  std::vector<ScriptOption> finish() {
    std::vector<std::string> names;
    for (const ScriptOption &option : options_) names.push_back(option.name);
    for (const Given &given : given_) {
      if (given.known) continue;
      Diagnostic &d = diagnostics_.emit(diag::UnknownOption, Span{}, given.name);
      if (std::string guess = nearest(given.name, names); !guess.empty())
        d.with_hint("did you mean `--" + guess + "`?");
      else if (names.empty())
        d.with_hint("it asks for none with getopt()");
      else
        d.with_hint(fmt::format("it has: --{}", fmt::join(names, ", --")));
    }
    return std::move(options_);
  }

 private:
  [[nodiscard]] const ScriptOption *find(const std::string &name) const {
    auto it = std::ranges::find(options_, name, &ScriptOption::name);
    return it == options_.end() ? nullptr : &*it;
  }

  // The last that was given counts.
  Expr *value(const StringLiteral &name, Expr *fallback, Span span) {
    Expr *out = fallback;
    for (Given &given : given_) {
      if (given.name != name.value) continue;
      given.known = true;
      out = parse(given, fallback, span);
    }
    return out;
  }

  Expr *parse(const Given &given, Expr *fallback, Span span) {
    if (fallback->kind == NodeKind::BoolLiteral) {
      std::string word = lower(given.value.value_or("true"));
      if (word == "true" || word == "1") return program_.make<BoolLiteral>(span, true);
      if (word == "false" || word == "0") return program_.make<BoolLiteral>(span, false);
      return bad(given, "it is a flag: true or false", fallback);
    }
    bool is_text = fallback->kind == NodeKind::StringLiteral;
    if (!given.value)
      return bad(given,
                 is_text ? "it needs a text: --" + given.name + "=TEXT" : "it needs a number: --" + given.name + "=N",
                 fallback);
    if (is_text) return program_.make<StringLiteral>(span, *given.value);
    std::optional<int64_t> number = signed_number(*given.value);
    if (!number) return bad(given, "expected a whole number", fallback);
    return program_.make<IntegerLiteral>(span, static_cast<uint64_t>(*number));
  }

  Expr *bad(const Given &given, const std::string &why, Expr *fallback) {
    diagnostics_.emit(diag::BadOptionValue, Span{}, given.name + (given.value ? "=" + *given.value : ""), why);
    return fallback;
  }

  Program &program_;
  OpenParams *open_;
  Diagnostics &diagnostics_;
  std::vector<Given> given_;
  std::vector<ScriptOption> options_;
};

}  // namespace

std::vector<ScriptOption> read_options(Program &program, const std::vector<std::string> &given, OpenParams *open,
                                       Diagnostics &diagnostics) {
  Reader reader(program, given, open, diagnostics);
  for (Probe &probe : program.probes) {
    if (probe.predicate) reader.rewrite(probe.predicate);
    if (probe.body) reader.visit(probe.body);
  }
  for (Function &function : program.functions)
    if (function.body) reader.visit(function.body);
  return reader.finish();
}

std::string options_help(const std::vector<ScriptOption> &options) {
  if (options.empty()) return "This script has no options.\n";
  std::vector<std::string> left;
  size_t width = 0;
  for (const ScriptOption &option : options) {
    bool flag = option.fallback->kind == NodeKind::BoolLiteral;
    bool text = option.fallback->kind == NodeKind::StringLiteral;
    left.push_back("--" + option.name + (flag ? "" : text ? "=TEXT" : "=N"));
    width = std::max(width, left.back().size());
  }
  std::string out = "Options of this script, to be given behind `--`:\n";
  for (size_t i = 0; i < options.size(); i++)
    out += fmt::format("  {:<{}}  {}{}default {}\n", left[i], width, options[i].description,
                       options[i].description.empty() ? "" : "; ", text_of(options[i].fallback));
  return out;
}

}  // namespace awl::ast
