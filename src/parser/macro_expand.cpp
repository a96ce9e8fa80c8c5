// Expansion of macros: the Preprocessor's other half.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "parser/grammar.h"
#include "parser/preprocessor.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

constexpr size_t kMaxMacroDepth = 200;
constexpr size_t kMaxSteps = 1'000'000;

// `a ## b`: one token if the two together are one.
void paste(std::vector<Token> &out, const Token &right, Diagnostics &diagnostics) {
  Token &left = out.back();
  if (!left.text.empty() && !right.text.empty()) {
    std::vector<Token> one = tokens_of(left.text + right.text, 0, diagnostics);
    if (one.size() == 1) {
      left = one[0];
      return;
    }
  }
  out.push_back(right);
}

}  // namespace

const std::vector<Token> &Preprocessor::body_of(Macro &macro) {
  Diagnostics ignored;
  if (!macro.tokens)
    macro.tokens = tokens_of(macro.body, macro.of_header ? 0 : macro.offset, macro.of_header ? ignored : *diagnostics_);
  return *macro.tokens;
}

std::vector<Token> Preprocessor::expand(const std::vector<Token> &tokens, Span place) {
  std::vector<Token> out;
  Words hidden;
  expand_into(out, tokens, hidden, place);
  for (Token &token : out) token.span = place;
  return out;
}

std::vector<Token> Preprocessor::expand_in_text(Token token, const std::function<Token()> &next,
                                                std::deque<Token> &waiting) {
  MacroKind kind = macro_kind(token);
  if (kind == MacroKind::None) return {std::move(token)};
  std::vector<Token> call{token};
  Span span = token.span;
  if (kind == MacroKind::Function) {
    Token following = next();
    if (following.kind != G::T_LPAREN) {
      waiting.push_front(std::move(following));
      return {std::move(token)};
    }
    for (int depth = 0; following.kind != G::T_END_OF_FILE; following = next()) {
      depth += following.kind == G::T_LPAREN ? 1 : following.kind == G::T_RPAREN ? -1 : 0;
      span = join(span, following.span);
      call.push_back(following);
      if (depth == 0) break;
    }
  }
  std::vector<Token> out = expand(call, span);
  // A name that is a macro's whose arguments stand behind the use.
  if (kind == MacroKind::Object && !out.empty() && macro_kind(out.back()) == MacroKind::Function) {
    waiting.push_front(std::move(out.back()));
    out.pop_back();
  }
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

std::vector<std::vector<Token>> Preprocessor::arguments(const std::vector<Token> &tokens, size_t i, size_t &end) {
  std::vector<std::vector<Token>> args(1);
  int depth = 0;
  for (end = i + 2; end < tokens.size(); end++) {
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
  return args;
}

// Brings the arguments to the number of parameters; false if they are too many or too few.
bool Preprocessor::fit_arguments(const Macro &macro, std::vector<Tokens> &args) const {
  size_t count = macro.params.size();
  if (count == 0 && args.size() == 1 && args[0].empty()) args.clear();
  if (!macro.variadic) return args.size() == count;
  if (args.size() + 1 == count) args.emplace_back();
  while (args.size() > count) {
    Tokens last = std::move(args.back());
    args.pop_back();
    args.back().push_back({G::T_COMMA, {}, ""});
    args.back().insert(args.back().end(), last.begin(), last.end());
    if (args.size() == count) break;
  }
  return args.size() == count;
}

// Expands the call of a macro at tokens[i]; returns the index of its last token.
size_t Preprocessor::expand_function(std::vector<Token> &out, const std::vector<Token> &tokens, size_t i, Words &hidden,
                                     Span place) {
  Macro &macro = macros_.find(tokens[i].text)->second;
  if (i + 1 == tokens.size() || tokens[i + 1].kind != G::T_LPAREN) {  // without arguments it is a plain name
    out.push_back(tokens[i]);
    return i;
  }
  size_t end = 0;
  std::vector<Tokens> args = arguments(tokens, i, end);
  bool fits = fit_arguments(macro, args);
  if (end == tokens.size() || !fits) {
    bad(tokens[i].text,
        end == tokens.size()
            ? "its `(` is not closed"
            : fmt::format("it takes {} and got {}", counted(macro.params.size(), "argument"), args.size()),
        place);
    return end;
  }
  Tokens body = substitute(macro, args, hidden, place);
  hidden.push_back(tokens[i].text);
  expand_into(out, body, hidden, place);
  hidden.pop_back();
  return end;
}

// The body with its parameters replaced: beside `##` and behind `#` by the arguments as written, elsewhere expanded.
std::vector<Token> Preprocessor::substitute(Macro &macro, const std::vector<Tokens> &args, Words &hidden, Span place) {
  const Tokens &body = body_of(macro);
  auto argument = [&](const Token &token) -> const Tokens * {
    auto param = std::find(macro.params.begin(), macro.params.end(), token.kind == G::T_IDENT ? token.text : "");
    return param == macro.params.end() ? nullptr : &args[static_cast<size_t>(param - macro.params.begin())];
  };
  Tokens out;
  bool pasting = false;  // the last element of `out` is the left side of a `##`
  for (size_t i = 0; i < body.size(); i++) {
    if (++steps_ > kMaxSteps) return out;
    if (body[i].kind == G::T_PASTE) continue;
    bool before_paste = i + 1 < body.size() && body[i + 1].kind == G::T_PASTE;
    bool after_paste = i > 0 && body[i - 1].kind == G::T_PASTE;
    Tokens piece;
    if (body[i].kind == G::T_HASH) {
      Token text{G::T_STRING, place, ""};
      if (i + 1 < body.size())
        if (const Tokens *arg = argument(body[++i]))
          for (const Token &token : *arg) text.text += (text.text.empty() ? "" : " ") + token.text;
      piece.push_back(std::move(text));
    } else if (const Tokens *arg = argument(body[i]); arg && (before_paste || after_paste)) {
      piece = *arg;
    } else if (arg) {
      expand_into(piece, *arg, hidden, place);
    } else {
      piece.push_back(body[i]);
    }
    bool comma = after_paste && !out.empty() && out.back().kind == G::T_COMMA;
    if (comma && piece.empty()) out.pop_back();  // gcc's `, ## __VA_ARGS__`
    size_t first = 0;
    if (after_paste && pasting && !comma && !out.empty() && !piece.empty()) {
      Diagnostics ignored;
      paste(out, piece[0], ignored);
      first = 1;
    }
    pasting = before_paste && (!piece.empty() || (after_paste && pasting));
    out.insert(out.end(), piece.begin() + static_cast<std::ptrdiff_t>(first), piece.end());
  }
  return out;
}

std::optional<int64_t> Preprocessor::value_of(const std::string &name) {
  auto it = macros_.find(name);
  if (it == macros_.end() || it->second.function) return std::nullopt;
  Diagnostics ignored;
  Diagnostics *before = report_to(&ignored, in_header_);
  std::vector<Token> tokens = expand({{G::T_IDENT, {}, name}}, {});
  report_to(before, in_header_);
  // Names that nobody defined count as 0 in an #if, but are no value.
  if (tokens.empty() || std::ranges::any_of(tokens, [](const Token &t) { return t.kind == G::T_IDENT; }))
    return std::nullopt;
  std::string error;
  int64_t value = evaluate_condition(tokens, error);
  return error.empty() ? std::optional(value) : std::nullopt;
}

}  // namespace awl::syntax
