#include "parser/builder.h"

#include <algorithm>

#include "ast/walk.h"
#include "base/strings.h"
#include "parser/attach_text.h"

namespace awl::syntax {

using namespace ast;

namespace {

// Of the tree, for the passes that walk it by recursion. Chains such as `a + b + c` count as well, so it
// is more than the nesting of brackets a script may have.
constexpr uint16_t kMaxTreeDepth = 1000;

std::string strip(std::string_view text) { return std::string(trim(text)); }

}  // namespace

bool Builder::too_deep(const Node *node) {
  uint16_t deepest = 0;
  for_each_child(node, [&](const Node *child) { deepest = std::max(deepest, depth_[child->id - first_id_]); });
  size_t index = node->id - first_id_;
  if (depth_.size() <= index) depth_.resize(index + 1);
  depth_[index] = static_cast<uint16_t>(deepest + 1);
  if (deepest < kMaxTreeDepth) return false;
  if (!reported_depth_) diagnostics_.emit(diag::TooDeep, node->span, "this is", static_cast<int>(kMaxTreeDepth));
  reported_depth_ = true;
  return true;
}

Expr *Builder::poison(Span span) { return make<Poison>(span); }

Stmt *Builder::empty_block(Span span) { return statement<Block>(span, std::vector<Stmt *>()); }

// --- Expressions -----------------------------------------------------------------------------------

Expr *Builder::integer(Span span, const Number &number) {
  return make<IntegerLiteral>(span, number.value, number.is_unsigned);
}

Expr *Builder::field(Span span, Expr *base, Name name, bool arrow) {
  return make<FieldAccess>(span, base, std::move(name.text), name.span, arrow);
}

Name Builder::tuple_index(Span span, const Number &number) {
  if (number.text.find_first_not_of("0123456789") != std::string::npos)
    diagnostics_.emit(diag::BadNumber, span, number.text, "the index into a tuple is a decimal number");
  return {span, std::to_string(number.value)};
}

Expr *Builder::tuple(Span span, Expr *first, std::vector<Expr *> rest) {
  rest.insert(rest.begin(), first);
  return make<TupleExpr>(span, std::move(rest));
}

Expr *Builder::record(Span span, RecordFields fields) {
  return make<RecordExpr>(span, std::move(fields.names), std::move(fields.values));
}

// `a ** b` reads as `a * (*b)`. Whether that was meant is known with the types.
Expr *Builder::multiply(Span span, Span sign, Expr *left, Expr *right) {
  if (auto *unary = as<Unary>(right); unary && unary->op == UnaryOp::Deref && unary->span.begin == sign.end)
    unary->power_sign = true;
  return make<Binary>(span, BinaryOp::Mul, left, right);
}

Expr *Builder::match(Span span, Expr *text, Span op, Span pattern_span, std::string pattern) {
  std::vector<Expr *> args{text, make<StringLiteral>(pattern_span, std::move(pattern))};
  return make<Call>(span, "regmatch", op, std::move(args));
}

Expr *Builder::container_of(Span span, Expr *pointer, TypeName type, std::vector<std::string> path) {
  Expr *bytes = make<Cast>(pointer->span, pointer_to(span, named_type(span, "uint8")), pointer);
  Expr *offset = make<OffsetOf>(span, std::optional<TypeName>(type), nullptr, std::move(path));
  return make<Cast>(span, pointer_to(type.span, type), make<Binary>(span, BinaryOp::Sub, bytes, offset));
}

Expr *Builder::block_value(Span span, Body body) { return value_of(block(span, std::move(body))); }

// The block as a value: its last expression, after its other statements.
Expr *Builder::value_of(Block *block) {
  Expr *value = nullptr;
  if (!block->body.empty()) {
    Stmt *last = block->body.back();
    if (auto *statement = as<ExprStmt>(last)) {
      value = statement->expr;
    } else if (auto *choice = as<If>(last); choice && choice->otherwise) {
      value = if_value(choice->span, choice->condition, choice->then, value_of(choice->otherwise));
    }
  }
  if (!value) {
    diagnostics_.emit(diag::BlockWithoutValue, block->span)
        .with_hint("write the value as the last thing in it, without `;`: { ...; $x }");
    return poison(block->span);
  }
  block->body.pop_back();
  if (block->body.empty()) return value;
  return make<BlockExpr>(block->span, block, value);
}

Expr *Builder::if_value(Span span, Expr *cond, Block *then, Expr *otherwise) {
  return make<Conditional>(span, condition(cond), value_of(then), otherwise);
}

// `(pid = 1)` is a record of one field, and where a condition stands it was meant to compare.
Expr *Builder::condition(Expr *expr) {
  if (expr->kind != NodeKind::RecordExpr) return expr;
  diagnostics_.emit(diag::SyntaxError, expr->span, "`=`", "`==`").with_hint("`=` assigns; write `==` to compare");
  return poison(expr->span);
}

// --- Statements --------------------------------------------------------------------------------------

Block *Builder::block(Span span, Body body) {
  append(body.statements, body.last);
  return static_cast<Block *>(statement<Block>(span, std::move(body.statements)));
}

void Builder::append(std::vector<Stmt *> &statements, Stmt *statement) {
  if (statement) statements.push_back(statement);
}

Stmt *Builder::assign(Span span, Expr *target, std::optional<BinaryOp> op, Expr *value) {
  return statement<Assign>(span, target, op, value);
}

Stmt *Builder::let(Span span, Name name, std::optional<TypeName> type, Expr *value) {
  auto *variable = static_cast<Variable *>(make<Variable>(name.span, std::move(name.text)));
  return statement<Let>(span, variable, std::move(type), value);
}

Stmt *Builder::for_loop(Span span, ForHead head, Block *body) {
  auto *variable = static_cast<Variable *>(make<Variable>(head.variable.span, std::move(head.variable.text)));
  if (head.last) return statement<ForRange>(span, variable, head.first, head.last, body);
  if (auto *map = as<MapAccess>(head.first)) return statement<ForMap>(span, variable, map, body);
  if (head.first->kind != NodeKind::Poison)
    diagnostics_.emit(diag::SyntaxError, head.first->span, "expression", "a map or a range")
        .with_hint("a loop runs over `@map` or over `first..last`");
  return empty_block(span);
}

// --- Top level ---------------------------------------------------------------------------------------

void Builder::add_probe(Span span, std::vector<AttachPoint> points, Expr *predicate, Block *body) {
  Probe probe;
  probe.span = span;
  probe.attach_points = std::move(points);
  probe.predicate = predicate;
  probe.body = body;
  AttachPoint &first = probe.attach_points.front();
  if (size_t length = probe_name_length(first.text)) {
    probe.name = first.text.substr(0, length - 1);
    first.text.erase(0, length);
    first.span.begin += static_cast<uint32_t>(length);
  }
  program_.probes.push_back(std::move(probe));
}

void Builder::add_config(Span span, std::string name, Expr *value) {
  program_.config.push_back({span, std::move(name), value, value->span});
}

void Builder::add_map(Span span, std::string name, std::string kind, Expr *entries) {
  constexpr int64_t kMaxEntries = 1 << 24;
  std::optional<int64_t> size = constant(entries);
  if (!size)
    diagnostics_.emit(diag::UnknownConstant, entries->span, "the number of entries");
  else if (*size < 1 || *size > kMaxEntries)
    diagnostics_.emit(diag::OutOfRange, entries->span, "the number of entries", *size,
                      fmt::format("1 to {}", kMaxEntries));
  program_.maps.push_back({span, std::move(name), std::move(kind), static_cast<uint64_t>(size.value_or(1))});
}

void Builder::add_import(Span span, std::string path) { program_.imports.push_back({span, std::move(path)}); }

void Builder::add_macro(Span span, Name name, std::vector<MacroParam> params, Block *body) {
  for (size_t i = 0; i < params.size(); i++)
    for (size_t j = 0; j < i; j++)
      if (params[i].name == params[j].name && params[i].kind == params[j].kind)
        diagnostics_.emit(diag::Redeclared, params[i].span, params[i].name).at(params[j].span, "first here");
  program_.macros.push_back({span, std::move(name.text), name.span, std::move(params), body});
}

void Builder::not_supported(Span span, const std::string &what) {
  diagnostics_.emit(diag::SyntaxNotSupported, span, what);
}

// `text` is what stands between `[[` and `]]`: `action(printf), async`.
std::vector<Attribute> Builder::attributes(std::vector<Attribute> before, Span span, const std::string &text) {
  if (!stdlib_) not_supported(span, "an attribute in a script");
  size_t begin = 0;
  while (begin <= text.size()) {
    int depth = 0;
    size_t end = begin;
    for (; end < text.size() && (depth > 0 || text[end] != ','); end++)
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    std::string piece = strip(std::string_view(text).substr(begin, end - begin));
    size_t open = piece.find('(');
    auto at = span.begin + 2 + static_cast<uint32_t>(begin + text.substr(begin).find_first_not_of(" \t\r\n"));
    Attribute attribute{{at, at + static_cast<uint32_t>(piece.size())}, strip(piece.substr(0, open)), ""};
    if (open != std::string::npos) {
      size_t close = piece.ends_with(')') ? piece.size() - 1 : piece.size();
      attribute.argument = strip(piece.substr(open + 1, close - open - 1));
    }
    if (attribute.name.empty())
      diagnostics_.emit(diag::SyntaxError, span, "`,` or `]]`", "the name of an attribute");
    else
      before.push_back(std::move(attribute));
    begin = end + 1;
  }
  return before;
}

void Builder::add_function(Span span, std::vector<Attribute> attributes, std::string doc, Name name,
                           std::vector<FunctionParam> params, TypeName result, Block *body, Span end) {
  if (!body && !stdlib_) {
    diagnostics_.emit(diag::SyntaxError, end, "`;`", "`{`").with_hint("a function of a script has a body: { ... }");
    body = program_.make<ast::Block>(span, std::vector<ast::Stmt *>{});
  }
  Function function;
  function.span = span;
  function.name = std::move(name.text);
  function.name_span = name.span;
  function.doc = std::move(doc);
  function.attributes = std::move(attributes);
  function.params = std::move(params);
  function.result = std::move(result);
  function.body = body;
  function.of_script = !stdlib_;
  program_.functions.push_back(std::move(function));
}

}  // namespace awl::syntax
