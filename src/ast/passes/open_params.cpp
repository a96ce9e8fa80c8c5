#include "ast/passes/open_params.h"

#include <fmt/format.h>

#include <set>

#include "ast/walk.h"
#include "base/strings.h"

namespace awl::ast {

namespace {

constexpr uint32_t kFirstOption = 1 << 20;  // as the number of a PositionalParam

std::optional<int64_t> number_of(const Expr *literal) {
  if (const auto *number = as<IntegerLiteral>(literal)) return static_cast<int64_t>(number->value);
  if (const auto *flag = as<BoolLiteral>(literal)) return flag->value;
  const auto *minus = as<Unary>(literal);
  if (!minus || minus->op != UnaryOp::Negate) return std::nullopt;
  std::optional<int64_t> value = number_of(minus->operand);
  return value ? std::optional(static_cast<int64_t>(0 - static_cast<uint64_t>(*value))) : std::nullopt;
}

// What a program uses of its positional parameters, and how.
struct Uses {
  std::set<uint32_t> numbers, as_text;
  bool count = false;  // `$#`
};

void look(const Node *node, Uses &uses) {
  for_each_node(const_cast<Node *>(node), [&](const Node *each) {
    if (const auto *param = as<PositionalParam>(each); param && param->number < kFirstOption)
      uses.numbers.insert(param->number);
    uses.count = uses.count || each->kind == NodeKind::ParamCount;
    const auto *call = as<Call>(each);
    if (!call || call->name != "str" || call->args.empty()) return;
    for_each_node(call->args[0], [&](const Node *part) {  // `$1`, `$1 + 4`
      if (const auto *param = as<PositionalParam>(part)) uses.as_text.insert(param->number);
    });
  });
}

Uses uses_of(const Program &program) {
  Uses uses;
  for (const Probe &probe : program.probes) {
    if (probe.predicate) look(probe.predicate, uses);
    if (probe.body) look(probe.body, uses);
  }
  for (const Function &function : program.functions)
    if (function.body) look(function.body, uses);
  return uses;
}

bool in_attach_point(const Program &program, uint32_t number) {
  const std::string word = "$" + std::to_string(number);
  for (const Probe &probe : program.probes)
    for (const AttachPoint &point : probe.attach_points)
      for (size_t at = point.text.find(word); at != std::string::npos; at = point.text.find(word, at + 1))
        if (at + word.size() == point.text.size() ||
            !std::isdigit(static_cast<unsigned char>(point.text[at + word.size()])))
          return true;
  return false;
}

}  // namespace

ScriptParam &OpenParams::add(uint32_t number, ScriptParam param, const std::string &why_fixed) {
  auto fixed = fixed_.find(param.name);
  param.fixed = fixed == fixed_.end() ? why_fixed : fixed->second;
  if (param.fixed.empty()) {
    param.word = kParamCount + open_++;
    by_number_[number] = all_.size();
  }
  return all_.emplace_back(std::move(param));
}

Expr *OpenParams::take_option(Program &program, const std::string &name, Expr *literal, Span span) {
  ScriptParam param;
  param.name = "--" + name;
  param.is_flag = literal->kind == NodeKind::BoolLiteral;
  std::optional<int64_t> value = number_of(literal);
  param.value = value.value_or(0);
  if (const auto *text = as<StringLiteral>(literal)) param.text = text->value;
  size_t index = 0;
  while (index < all_.size() && all_[index].name != param.name) index++;
  const auto number = static_cast<uint32_t>(kFirstOption + index);
  if (index == all_.size()) add(number, std::move(param), value ? "" : "it is a text");
  return all_[index].word != 0 ? program.make<PositionalParam>(span, number) : literal;
}

void OpenParams::take_positional(const Program &program, const std::vector<std::string> &given) {
  Uses uses = uses_of(program);
  for (uint32_t number = 1; number <= given.size(); number++)
    if (in_attach_point(program, number)) uses.numbers.insert(number);
  for (uint32_t number : uses.numbers) {
    ScriptParam param;
    param.name = "$" + std::to_string(number);
    param.text = number <= given.size() ? given[number - 1] : "";
    bool negative = param.text.starts_with("-");
    std::optional<uint64_t> value =
        param.text.empty() ? std::optional<uint64_t>(0) : parse_amount(param.text.substr(negative ? 1 : 0));
    param.value = static_cast<int64_t>(negative ? 0 - value.value_or(0) : value.value_or(0));
    add(number, std::move(param),
        in_attach_point(program, number)          ? "a probe is named with it"
        : !value || uses.as_text.contains(number) ? "it is used as a text"
                                                  : "");
  }
  if (!uses.count) return;
  ScriptParam count;
  count.name = "$#";
  count.value = static_cast<int64_t>(given.size());
  add(0, std::move(count), "the number of parameters is part of the program");
}

const ScriptParam *OpenParams::find(uint32_t number) const {
  auto it = by_number_.find(number);
  return it == by_number_.end() ? nullptr : &all_[it->second];
}

}  // namespace awl::ast
