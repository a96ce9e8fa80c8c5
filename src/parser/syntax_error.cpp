// What is said about a token the grammar cannot take: what it is, what was expected, what to do.
#include <algorithm>
#include <set>
#include <string_view>

#include "base/strings.h"
#include "parser/token_feed.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;
using S = Grammar::symbol_kind;

// Any of these stands for "an expression".
const std::set<int> kOperands = {S::S_IDENT,    S::S_VARIABLE,   S::S_MAP,        S::S_KEYED_MAP,    S::S_STRING,
                                 S::S_INTEGER,  S::S_POSITIONAL, S::S_TRUE,       S::S_FALSE,        S::S_PARAM_COUNT,
                                 S::S_IF_VALUE, S::S_SIZEOF,     S::S_OFFSETOF,   S::S_CONTAINER_OF, S::S_COMPTIME,
                                 S::S_LPAREN,   S::S_CAST_OPEN,  S::S_BLOCK_OPEN, S::S_MINUS,        S::S_STAR,
                                 S::S_AND,      S::S_NOT,        S::S_TILDE,      S::S_INCREMENT,    S::S_DECREMENT};
const std::set<int> kStatements = {S::S_LET,   S::S_IF,       S::S_WHILE,  S::S_FOR,       S::S_UNROLL,
                                   S::S_BREAK, S::S_CONTINUE, S::S_RETURN, S::S_SEMICOLON, S::S_LBRACE};
// An expression can always go on with these; they say nothing about what is missing.
const std::set<int> kContinuations = {S::S_QUESTION, S::S_ELVIS,     S::S_LOR,      S::S_LAND,      S::S_OR,
                                      S::S_XOR,      S::S_AND,       S::S_EQUALITY, S::S_RELATION,  S::S_SHIFT,
                                      S::S_PLUS,     S::S_MINUS,     S::S_STAR,     S::S_SLASH,     S::S_PERCENT,
                                      S::S_DOT,      S::S_ARROW,     S::S_LBRACKET, S::S_INCREMENT, S::S_DECREMENT,
                                      S::S_ASSIGN,   S::S_ASSIGN_OP, S::S_LPAREN,   S::S_MATCH,     S::S_NO_MATCH};

std::string name_of(int kind) {
  switch (kind) {
    case S::S_PREDICATE_OPEN: return "a predicate";
    case S::S_PREDICATE_CLOSE: return "`/` before `{`";
    case S::S_IDENT: return "a name";
    case S::S_VARIABLE: return "a variable";
    case S::S_MAP:
    case S::S_KEYED_MAP: return "a map";
    case S::S_STRING: return "a string";
    case S::S_INTEGER: return "a number";
    case S::S_ATTACH: return "a probe";
    case S::S_INT_WORD: return "a C type";
    case S::S_RELATION: return "`<`";
    case S::S_EQUALITY: return "`==`";
    case S::S_SHIFT: return "`<<`";
    case S::S_ASSIGN_OP: return "`+=`";
    case S::S_END: return "its end";
    case S::S_SYNC:
    case S::S_C_ATTRIBUTE:
    case S::S_C_PARAMS:
    case S::S_IF_VALUE:
    case S::S_BLOCK_OPEN: return "";
    default: return std::string("`") + Grammar::symbol_name(static_cast<Grammar::symbol_kind_type>(kind)) + "`";
  }
}

bool has(const std::vector<int> &kinds, int kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

}  // namespace

std::string expectation(const std::vector<int> &expected) {
  bool operand = has(expected, S::S_INTEGER) && has(expected, S::S_VARIABLE);
  bool statement = operand && has(expected, S::S_WHILE);
  bool type = has(expected, S::S_STRUCT) && has(expected, S::S_INT_WORD);
  bool item = has(expected, S::S_ATTACH) && has(expected, S::S_CONFIG);
  std::vector<std::string> names;
  if (statement) names.emplace_back("a statement");
  if (operand && !statement) names.emplace_back("an expression");
  if (type && !item) names.emplace_back("a type");
  if (item) return "a probe";
  if (has(expected, S::S_YYEOF)) return "the end";
  for (int kind : expected) {
    if (operand && kOperands.contains(kind)) continue;
    if (statement && kStatements.contains(kind)) continue;
    if (!operand && kContinuations.contains(kind)) continue;
    if (type && (kind == S::S_IDENT || (kind >= S::S_STRUCT && kind <= S::S_ENUM) || kind == S::S_INT_WORD ||
                 kind == S::S_TYPEOF))
      continue;
    if (kind == S::S_RBRACE && has(expected, S::S_SEMICOLON)) continue;
    if (kind == S::S_END && expected.size() > 1) continue;
    std::string name = name_of(kind);
    if (!name.empty()) names.push_back(std::move(name));
  }
  if (names.empty()) {  // only ways to go on
    for (int kind : expected)
      if (kind == S::S_ASSIGN || kind == S::S_LPAREN || kind == S::S_LBRACKET) names.push_back(name_of(kind));
    if (names.empty()) return "an operator";
  }
  std::string text = names[0];
  for (size_t i = 1; i < names.size(); i++) text += (i + 1 == names.size() ? " or " : ", ") + names[i];
  return text;
}

std::string TokenFeed::describe(size_t i) const {
  const Token &token = tokens_[i];
  std::string text(source_.text(token.span));
  if (token.kind == G::T_END_OF_FILE || token.span.begin >= source_.text().size()) return "end of script";
  if (token.kind == G::T_STRING) return "string";
  if (token.kind == G::T_END && token.text.empty()) return "end of the definition";
  if (text.empty()) text = token.text.empty() ? Grammar::symbol_name(symbol(token).kind()) : token.text;
  if (text.size() > 40) text = text.substr(0, 37) + "...";
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "`" + text + "`";
}

// The name in front of the parenthesis that closes before token i: `switch` of `switch (x) {`.
std::string TokenFeed::callee_before(size_t i) const {
  int depth = 0;
  while (i-- > 0) {
    const int kind = tokens_[i].kind;
    if (kind == G::T_RPAREN) depth++;
    if (kind == G::T_LPAREN && --depth == 0)
      return i > 0 && tokens_[i - 1].kind == G::T_IDENT ? tokens_[i - 1].text : "";
    if (depth == 0 || kind == G::T_SEMICOLON) return "";
  }
  return "";
}

// Whether the statement of token i assigns already: it is the second `=` of `@x = @y = 5`.
bool TokenFeed::assigns_before(size_t i) const {
  while (i-- > 0) {
    const int kind = tokens_[i].kind;
    if (kind == G::T_ASSIGN || kind == G::T_ASSIGN_OP) return true;
    if (kind == G::T_SEMICOLON || kind == G::T_LBRACE || kind == G::T_RBRACE || kind == G::T_END) return false;
  }
  return false;
}

// For variables, maps and parameters as other languages declare them.
std::string TokenFeed::declaration_hint(size_t i) const {
  auto kind_at = [&](size_t at) { return at < tokens_.size() ? tokens_[at].kind : 0; };
  const Token &token = tokens_[i];
  const int before = i == 0 ? 0 : tokens_[i - 1].kind;
  const std::string word = before == G::T_IDENT ? tokens_[i - 1].text : "";
  const bool names = token.kind == G::T_IDENT || token.kind == G::T_VARIABLE;
  if (token.kind == G::T_IDENT && before == G::T_LET)
    return "names of variables begin with `$`: `let $" + token.text + "`";
  if (names && (word == "var" || word == "local" || word == "my" || word == "auto"))
    return "a variable is set, or declared by `let`: `let $" + token.text + " = ...`";
  if (token.kind == G::T_COLON && kind_at(i + 1) == G::T_ASSIGN) return "write `=` to set a variable";
  if (token.kind == G::T_LBRACKET && before == G::T_ASSIGN)
    return "several values make a tuple, `(1, 2)`, or stand in a map under keys: `@x[0] = 1`";
  if (token.kind == G::T_LBRACE && before == G::T_MAP)
    return "keys stand in brackets: `@" + tokens_[i - 1].text + "[...]`";
  const size_t map = i >= 3 && kind_at(i - 1) == G::T_IDENT ? i - 3 : i;
  if (token.kind == G::T_SEMICOLON && kind_at(map) == G::T_MAP && kind_at(map - 1) == G::T_LET)
    return "with its greatest number of entries: `let @" + tokens_[map].text + " = " + word + "(1000);`";
  const bool in_head = open_[i] == static_cast<size_t>(-1);
  const bool ends = token.kind == G::T_RPAREN || token.kind == G::T_COMMA;
  if (in_head && ends && before == G::T_VARIABLE)
    return "a parameter has a type: `$" + tokens_[i - 1].text + ": int64`";
  return "";
}

// For what other languages write.
std::string TokenFeed::foreign_hint(size_t i, bool operator_place) const {
  auto kind_at = [&](size_t at) { return at < tokens_.size() ? tokens_[at].kind : 0; };
  const Token &token = tokens_[i];
  const int before = i == 0 ? 0 : tokens_[i - 1].kind;
  const std::string word = before == G::T_IDENT || before == G::T_ATTACH ? tokens_[i - 1].text : "";
  if (token.kind == G::T_ATTACH && (word == "function" || word == "def" || word == "func" || word == "sub"))
    return "a function is written `fn NAME($a: int64): int64 { return $a + 1; }`";
  if (token.kind == G::T_STRING && before == G::T_DOT) return "texts are joined by `+`";
  const bool no_action = token.kind == G::T_END || token.kind == G::T_END_OF_FILE || token.kind == G::T_RBRACE;
  if (no_action && before == G::T_ATTACH) {
    if (word.ends_with(')')) return "a probe stands in front of the action: `BEGIN { " + word + "; }`";
    const Span probe = tokens_[i - 1].span;
    std::string_view rest = source_.text({probe.end, static_cast<uint32_t>(source_.text().size())});
    if (trim(rest).starts_with("//")) return "`//` begins a comment; where all is meant there is no predicate";
  }
  if (token.kind == G::T_LBRACE) {
    if (i == 0 || before == G::T_END) return "a probe stands in front: `BEGIN { ... }` runs once, at the start";
    if (word == "do") return "there is no `do`: write `while (1) { ...; if (...) { break; } }`";
    const std::string callee = callee_before(i);
    if (callee == "switch") return "there is no `switch`: write `if (...) { ... } else if (...) { ... }`";
    if (callee == "elif" || callee == "elsif" || callee == "elseif") return "write `else if`";
    if (callee == "foreach") return "write `for $entry : @map { ... }`";
  }
  if (token.kind == G::T_COLON && before == G::T_VARIABLE && kind_at(i - 2) == G::T_LPAREN &&
      kind_at(i - 3) == G::T_IDENT && tokens_[i - 3].text == "foreach")
    return "write `for $entry : @map { ... }`";
  const bool head = before == G::T_FOR || (before == G::T_LPAREN && kind_at(i - 2) == G::T_FOR);
  const bool in = token.kind == G::T_IDENT && token.text == "in";
  const bool in_next = kind_at(i + 1) == G::T_IDENT && tokens_[i + 1].text == "in";
  if ((head && in_next) || (in && before == G::T_VARIABLE && !operator_place))
    return "a loop is written with a colon: `for $entry : @map { ... }`, `for $i : 0..10 { ... }`";
  if (in && operator_place) return "write `has_key(@map, key)`";
  if (token.kind == G::T_INT_WORD && (before == G::T_SEMICOLON || before == G::T_LBRACE || before == G::T_RBRACE)) {
    const int next = kind_at(i + 1);
    const std::string name = next == G::T_IDENT || next == G::T_VARIABLE ? tokens_[i + 1].text : "x";
    return "a variable is declared as `let $" + name + ": int32 = ...`, or just set: `$" + name + " = ...`";
  }
  const bool pattern = (token.kind == G::T_ASSIGN && kind_at(i + 1) == G::T_TILDE) ||
                       (token.kind == G::T_SLASH && before == G::T_TILDE && kind_at(i - 2) == G::T_ASSIGN);
  if (pattern) return "the pattern of `=~` stands in double quotes: `comm =~ \"^ba\"`";
  if (std::string text = declaration_hint(i); !text.empty()) return text;
  if (token.kind == G::T_TILDE && operator_place) return "write `=~` to look for a pattern: `comm =~ \"^ba\"`";
  return "";
}

std::string TokenFeed::hint(size_t i, const std::vector<int> &expected) const {
  const Token &token = tokens_[i];
  int before = i == 0 ? 0 : tokens_[i - 1].kind;
  bool operator_place = has(expected, S::S_LAND);
  if (in_c_loop()) return "a loop runs over a range or a map: for $i : 0..10 { ... }";
  if (std::string text = foreign_hint(i, operator_place); !text.empty()) return text;
  if (token.kind == G::T_ASSIGN && operator_place && assigns_before(i))
    return "a statement assigns once: write two, `@y = 5; @x = @y`";
  if (token.kind == G::T_ASSIGN && operator_place) return "`=` assigns; write `==` to compare";
  if (token.kind == G::T_IDENT && operator_place) {
    if (token.text == "and") return "write `&&`";
    if (token.text == "or") return "write `||`";
  }
  if (before == G::T_IDENT && tokens_[i - 1].text == "not") return "write `!`";
  const bool value = token.kind == G::T_STRING || token.kind == G::T_MAP || token.kind == G::T_KEYED_MAP ||
                     token.kind == G::T_POSITIONAL || token.kind == G::T_VARIABLE;
  if (before == G::T_IDENT && value && same_line(i))
    return "a call takes its arguments in parentheses: `" + tokens_[i - 1].text + "(...)`";
  if (before == G::T_STRING && (value || token.kind == G::T_IDENT || token.kind == G::T_INTEGER) &&
      has(expected, S::S_COMMA) && has(expected, S::S_RPAREN))
    return "a `,` stands between arguments";
  if (has(expected, S::S_LBRACE) && !has(expected, S::S_INTEGER) && open_[i] != static_cast<size_t>(-1))
    return "the body stands in braces: { ... }";
  if (token.kind == G::T_ELSE) return "`else` follows the `}` of an `if`";
  if (has(expected, S::S_PREDICATE_CLOSE))
    return "a predicate stands between slashes, before the `{`: /pid == 1/ { ... }";
  if (token.kind == G::T_ASSIGN && before == G::T_POSITIONAL) return "a positional parameter cannot be assigned";
  return "";
}

bool TokenFeed::same_line(size_t i) const {
  const Span before = i == 0 ? Span{} : tokens_[i - 1].span;
  return source_.total_line_column(before.end).line >= source_.total_line_column(tokens_[i].span.begin).line;
}

void TokenFeed::report(const std::vector<int> &expected) {
  const Token &token = tokens_[last_];
  // An end has no text of its own: what stands in front of it is shown.
  const Span place = token.span.empty() && last_ > 0 ? tokens_[last_ - 1].span : token.span;
  Diagnostic &d = diagnostics_.emit(diag::SyntaxError, place, describe(last_), expectation(expected));
  std::string text = hint(last_, expected);
  Span before = last_ == 0 ? Span{} : tokens_[last_ - 1].span;
  bool new_line = !same_line(last_);
  if (text.empty() && new_line && has(expected, S::S_SEMICOLON) && before.end > 0)
    d.at({before.end - 1, before.end}, "`;` is missing behind this");
  if (!text.empty()) d.with_hint(std::move(text));
}

void Grammar::report_syntax_error(const context &yyctx) const {
  std::vector<int> expected;
  if (int count = yyctx.expected_tokens(nullptr, 0); count > 0) {
    std::vector<symbol_kind_type> kinds(static_cast<size_t>(count));
    yyctx.expected_tokens(kinds.data(), count);
    expected.assign(kinds.begin(), kinds.end());
  }
  feed.failed(expected);
}

void Grammar::error(const location_type &, const std::string &) {}  // only for parse.error other than custom

}  // namespace awl::syntax
