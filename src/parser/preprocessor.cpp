#include "parser/preprocessor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "parser/grammar.h"
#include "parser/lexer.h"
#include "parser/text_scan.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

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

// What headers ask of the compiler that reads them.
constexpr std::array kOfCompiler = {
    "__linux__ 1",
    "__LP64__ 1",
    "_LP64 1",
    "__STDC__ 1",
    "__STDC_VERSION__ 201710",
    "__STDC_HOSTED__ 1",
    "__GNUC__ 12",
    "__GNUC_MINOR__ 2",
    "__GNUC_PATCHLEVEL__ 0",
    "__CHAR_BIT__ 8",
    "__SIZEOF_INT__ 4",
    "__SIZEOF_LONG__ 8",
    "__SIZEOF_POINTER__ 8",
    "__SIZEOF_LONG_LONG__ 8",
    "__SIZEOF_SHORT__ 2",
    "__SIZEOF_SIZE_T__ 8",
    "__ORDER_LITTLE_ENDIAN__ 1234",
    "__ORDER_BIG_ENDIAN__ 4321",
    "__BYTE_ORDER__ 1234",
    "__SIZE_TYPE__ unsigned long",
    "__PTRDIFF_TYPE__ long",
    "__WCHAR_TYPE__ int",
    "__INTMAX_TYPE__ long",
    "__UINTMAX_TYPE__ unsigned long",
    "__has_include(x) 0",
    "__has_attribute(x) 0",
    "__has_feature(x) 0",
    "__has_builtin(x) 0",
    "__has_extension(x) 0",
    "__INT_MAX__ 2147483647",
    "__LONG_MAX__ 9223372036854775807",
    "__LONG_LONG_MAX__ 9223372036854775807",
#if defined(__x86_64__)
    "__x86_64__ 1",
    "__x86_64 1",
    "__amd64__ 1",
#elif defined(__aarch64__)
    "__aarch64__ 1",
    "__ARM_64BIT_STATE 1",
#endif
};

}  // namespace

std::vector<Token> tokens_of(std::string_view text, uint32_t offset, Diagnostics &diagnostics) {
  Lexer lexer(text, offset, diagnostics);
  lexer.not_at_line_start();
  lexer.in_c(true);
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
  if (!options.stdlib)
    for (const char *name : kOfCompiler) predefine(name);
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
  if (name == "pragma") return pragma(text);
  if (name.empty() || name == "warning" || name == "line" || name == "ident") return;  // say nothing to a tracer
  if (name == "include_next" && in_header_) return include(text, place);
  if (name == "error") return bad("#error", std::string(trim(text)), place);
  std::string near = nearest(name, {"define", "include", "undef", "ifdef", "ifndef", "elif", "else", "endif"});
  if (!in_header_ && (near.empty() || line.text[hash + 1] == ' ')) return comment(name, place);
  Diagnostic &d = diagnostics_->emit(diag::BadPreprocessor, place, "#" + std::string(name), "unknown directive");
  d.with_hint(near.empty() ? "comments begin with `//`" : "did you mean `#" + near + "`?");
}

// `# like this`, as in awk and in shells: once is enough to say.
void Preprocessor::comment(std::string_view word, Span place) {
  if (std::exchange(comments_, true)) return;
  diagnostics_->emit(diag::HashComment, place, std::string(word)).with_hint("comments begin with `//`");
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
      if (trim(rest) == "...") {  // `...` or, as gcc has it, `name...`
        macro.variadic = true;
        if (param.empty()) param = "__VA_ARGS__";
        rest = {};
      }
      if (!trim(rest).empty()) return bad("#define " + name, "its parameters are not names", place);
      if (!param.empty()) macro.params.push_back(param);
    }
    macro.function = true;
    text.remove_prefix(close + 1);
  }
  macro.offset = end - static_cast<uint32_t>(text.size());
  // The line goes away, the macro stays.
  std::string &body = bodies_.emplace_back(text);
  for (size_t i = 0; i + 1 < body.size(); i++)
    if (body[i] == '\\' && (body[i + 1] == '\n' || body[i + 1] == '\r')) body[i] = body[i + 1] = ' ';
  std::ranges::replace(body, '\n', ' ');
  macro.of_header = in_header_;
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
  includes.push_back({place, std::string(text.substr(1, close - 1)), text.front() == '"', ""});
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

void Preprocessor::finish(size_t open) {
  for (size_t i = open; i < branches_.size(); i++) bad("#if", "there is no #endif for it", branches_[i].span);
  branches_.resize(std::min(open, branches_.size()), Branch{});
}

Diagnostics *Preprocessor::report_to(Diagnostics *diagnostics, bool in_header) {
  in_header_ = in_header;
  steps_ = 0;
  return std::exchange(diagnostics_, diagnostics);
}

// #pragma pack(1), pack(push, 1), pack(push), pack(pop), pack(); other pragmas say nothing to us.
void Preprocessor::pragma(std::string_view text) {
  if (take_name(text) != "pack") return;
  size_t open = text.find('('), close = text.find(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return;
  std::vector<std::string> words = split(text.substr(open + 1, close - open - 1), ',');
  for (std::string &word : words) word = trim(word);
  if (words[0] == "push") {
    packings_.push_back(packing_);
  } else if (words[0] == "pop") {
    packing_ = packings_.empty() ? 0 : packings_.back();
    if (!packings_.empty()) packings_.pop_back();
  } else if (words[0].empty()) {
    packing_ = 0;
  }
  if (auto bytes = parse_unsigned(words.back())) packing_ = *bytes <= 16 ? static_cast<uint32_t>(*bytes) : 0;
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

}  // namespace awl::syntax
