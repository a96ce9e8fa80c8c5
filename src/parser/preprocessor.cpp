#include "parser/preprocessor.h"

#include <algorithm>

#include "base/strings.h"
#include "parser/grammar.h"
#include "parser/lexer.h"
#include "parser/text_scan.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

constexpr size_t kMaxMacroDepth = 200;
constexpr size_t kMaxSteps = 200'000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\\'; }

bool is_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Takes blanks and then a name off the front of `text`.
std::string_view take_name(std::string_view &text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  size_t length = 0;
  while (length < text.size() && is_name(text[length])) length++;
  std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  return name;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text, uint32_t offset, Diagnostics &diagnostics) {
  Lexer lexer(text, offset, diagnostics);
  lexer.not_at_line_start();
  std::vector<Token> tokens;
  while (true) {
    Token token = lexer.next(Lexer::Mode::Code);
    if (token.kind == G::T_END_OF_FILE) return tokens;
    if (token.kind != G::T_DIRECTIVE) tokens.push_back(std::move(token));
  }
}

Preprocessor::Preprocessor(const ParseOptions &options, uint32_t begin, Diagnostics &diagnostics)
    : begin_(begin), diagnostics_(&diagnostics) {
  auto predefine = [&](std::string text) {
    bodies_.push_back(std::move(text));
    define(bodies_.back(), 0, {});
  };
  predefine("KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))");
  for (const std::string &name : options.defines) {
    size_t equals = name.find('=');
    predefine(equals == std::string::npos ? name + " 1" : name.substr(0, equals) + " " + name.substr(equals + 1));
  }
}

void Preprocessor::bad(const std::string &what, const std::string &why, Span place) {
  diagnostics_->emit(diag::BadPreprocessor, place, what, why);
}

void Preprocessor::directive(const Token &line) {
  std::string_view text = line.text;
  if (line.span.begin == begin_ && text.starts_with("#!")) return;
  size_t hash = text.find('#');
  text.remove_prefix(hash + 1);
  std::string_view name = take_name(text);
  Span place{line.span.begin + static_cast<uint32_t>(hash), line.span.end};
  uint32_t offset = line.span.end - static_cast<uint32_t>(text.size());
  if (name == "if" || name == "ifdef" || name == "ifndef") return conditional(name, text, offset, place);
  if (name == "elif" || name == "else" || name == "endif") return otherwise(name, text, offset, place);
  if (!active()) return;
  if (name == "define") return define(text, offset, place);
  if (name == "undef") return undefine(text, place);
  if (name == "include") return include(text, place);
  if (name.empty() || name == "pragma" || name == "warning" || name == "line") return;  // say nothing to a tracer
  if (name == "error") return bad("#error", std::string(trim(text)), place);
  Diagnostic &d = diagnostics_->emit(diag::BadPreprocessor, place, "#" + std::string(name), "unknown directive");
  std::string near = nearest(name, {"define", "include", "undef", "ifdef", "ifndef", "elif", "else", "endif"});
  d.with_hint(near.empty() ? "comments begin with `//`" : "did you mean `#" + near + "`?");
}

void Preprocessor::define(std::string_view text, uint32_t offset, Span place) {
  auto end = static_cast<uint32_t>(offset + text.size());
  std::string name(take_name(text));
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return bad("#define", "a name must follow", place);
  Macro macro;
  if (text.starts_with('(')) {  // only a parenthesis right behind the name makes a function
    size_t close = text.find(')');
    if (close == std::string_view::npos) return bad("#define " + name, "its `(` is not closed", place);
    for (const std::string &piece : split(text.substr(1, close - 1), ',')) {
      std::string_view rest = piece;
      std::string param(take_name(rest));
      if (!trim(rest).empty()) return bad("#define " + name, "its parameters are not names", place);
      if (!param.empty()) macro.params.push_back(param);
    }
    macro.function = true;
    text.remove_prefix(close + 1);
  }
  macro.offset = end - static_cast<uint32_t>(text.size());
  // The line goes away, the macro stays.
  bodies_.emplace_back(text);
  macro.body = bodies_.back();
  macros_.insert_or_assign(name, std::move(macro));
}

void Preprocessor::undefine(std::string_view text, Span place) {
  std::string name(take_name(text));
  if (name.empty()) return bad("#undef", "a name must follow", place);
  macros_.erase(name);
}

void Preprocessor::include(std::string_view text, Span place) {
  text = skip_blanks(text);
  size_t close = text.size() < 2       ? std::string_view::npos
                 : text.front() == '<' ? text.find('>')
                 : text.front() == '"' ? text.find('"', 1)
                                       : std::string_view::npos;
  if (close == std::string_view::npos || close == 1) return bad("#include", "a <header> must follow", place);
  includes.push_back({place, std::string(text.substr(1, close - 1))});
}

void Preprocessor::conditional(std::string_view name, std::string_view text, uint32_t offset, Span place) {
  bool outer = active();
  bool value = false;
  if (outer && name == "if") {
    value = condition(text, offset, place);
  } else if (outer) {
    std::string macro(take_name(text));
    if (macro.empty()) bad("#" + std::string(name), "a name must follow", place);
    value = (macros_.count(macro) > 0) == (name == "ifdef");
  }
  branches_.push_back({place, outer, value, outer && value});
}

void Preprocessor::otherwise(std::string_view name, std::string_view text, uint32_t offset, Span place) {
  if (branches_.empty()) return bad("#" + std::string(name), "there is no #if before it", place);
  Branch &branch = branches_.back();
  if (name == "endif") {
    branches_.pop_back();
    return;
  }
  if (branch.in_else) return bad("#" + std::string(name), "it comes after #else", place);
  branch.in_else = name == "else";
  branch.active = branch.outer && !branch.taken && (branch.in_else || condition(text, offset, place));
  branch.taken = branch.taken || branch.active;
}

bool Preprocessor::condition(std::string_view text, uint32_t offset, Span place) {
  std::vector<Token> tokens;
  std::vector<Token> raw = tokens_of(text, offset, *diagnostics_);
  for (size_t i = 0; i < raw.size(); i++) {
    if (raw[i].kind != G::T_IDENT || raw[i].text != "defined") {
      tokens.push_back(raw[i]);
      continue;
    }
    bool parenthesis = i + 1 < raw.size() && raw[i + 1].kind == G::T_LPAREN;
    size_t name = i + (parenthesis ? 2 : 1);
    Token answer{G::T_INTEGER, raw[i].span, "", 0};
    if (name < raw.size()) answer.value = macros_.count(raw[name].text);
    tokens.push_back(answer);
    i = name + (parenthesis ? 1 : 0);
  }
  std::string error;
  int64_t value = evaluate_condition(expand(tokens, place), error);
  if (!error.empty()) bad("#if", error, place);
  return value != 0;
}

void Preprocessor::finish() {
  for (const Branch &branch : branches_) bad("#if", "there is no #endif for it", branch.span);
  branches_.clear();
}

Preprocessor::MacroKind Preprocessor::macro_kind(const Token &token) const {
  if (token.text.empty() || token.kind == G::T_STRING) return MacroKind::None;
  bool word = is_name(token.text[0]) && (token.text[0] < '0' || token.text[0] > '9');
  bool sigil = token.kind == G::T_VARIABLE || token.kind == G::T_MAP || token.kind == G::T_ATTRIBUTES;
  if (!word || sigil) return MacroKind::None;
  auto it = macros_.find(token.text);
  if (it == macros_.end()) return MacroKind::None;
  return it->second.function ? MacroKind::Function : MacroKind::Object;
}

const std::vector<Token> &Preprocessor::body_of(Macro &macro) {
  if (!macro.tokens) macro.tokens = tokens_of(macro.body, macro.offset, *diagnostics_);
  return *macro.tokens;
}

std::vector<Token> Preprocessor::expand(const std::vector<Token> &tokens, Span place) {
  std::vector<Token> out;
  Words hidden;
  expand_into(out, tokens, hidden, place);
  for (Token &token : out) token.span = place;
  return out;
}

void Preprocessor::expand_into(std::vector<Token> &out, const std::vector<Token> &tokens, Words &hidden, Span place) {
  if (hidden.size() > kMaxMacroDepth) {
    diagnostics_->emit(diag::TooDeep, place, "macros", static_cast<int>(kMaxMacroDepth));
    return;
  }
  for (size_t i = 0; i < tokens.size(); i++) {
    if (++steps_ > kMaxSteps) {
      if (steps_ == kMaxSteps + 1) bad("#define", "its macros become too many tokens", place);
      return;
    }
    MacroKind kind = macro_kind(tokens[i]);
    bool is_hidden = std::find(hidden.begin(), hidden.end(), tokens[i].text) != hidden.end();
    if (kind == MacroKind::None || is_hidden) {
      out.push_back(tokens[i]);
    } else if (kind == MacroKind::Object) {
      const std::vector<Token> &body = body_of(macros_.find(tokens[i].text)->second);
      hidden.push_back(tokens[i].text);
      expand_into(out, body, hidden, place);
      hidden.pop_back();
    } else {
      i = expand_function(out, tokens, i, hidden, place);
    }
  }
}

// Expands the call of a macro at tokens[i]; returns the index of its last token.
size_t Preprocessor::expand_function(std::vector<Token> &out, const std::vector<Token> &tokens, size_t i, Words &hidden,
                                     Span place) {
  Macro &macro = macros_.find(tokens[i].text)->second;
  if (i + 1 == tokens.size() || tokens[i + 1].kind != G::T_LPAREN) {  // without arguments it is a plain name
    out.push_back(tokens[i]);
    return i;
  }
  std::vector<std::vector<Token>> args(1);
  size_t end = i + 2;
  for (int depth = 0; end < tokens.size(); end++) {
    int kind = tokens[end].kind;
    if (kind == G::T_RPAREN && depth == 0) break;
    if (kind == G::T_LPAREN || kind == G::T_LBRACKET) depth++;
    if (kind == G::T_RPAREN || kind == G::T_RBRACKET) depth--;
    if (kind == G::T_COMMA && depth == 0) {
      args.emplace_back();
    } else {
      args.back().push_back(tokens[end]);
    }
  }
  if (macro.params.empty() && args.size() == 1 && args[0].empty()) args.clear();
  if (end == tokens.size() || args.size() != macro.params.size()) {
    bad(tokens[i].text,
        end == tokens.size() ? "its `(` is not closed"
                             : fmt::format("it takes {} arguments and got {}", macro.params.size(), args.size()),
        place);
    return end;
  }
  std::vector<Token> body;
  for (const Token &token : body_of(macro)) {
    auto param = std::find(macro.params.begin(), macro.params.end(), token.kind == G::T_IDENT ? token.text : "");
    if (param == macro.params.end())
      body.push_back(token);
    else
      expand_into(body, args[static_cast<size_t>(param - macro.params.begin())], hidden, place);
  }
  hidden.push_back(tokens[i].text);
  expand_into(out, body, hidden, place);
  hidden.pop_back();
  return end;
}

}  // namespace awl::syntax
