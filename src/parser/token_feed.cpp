#include "parser/token_feed.h"

#include <algorithm>
#include <utility>

namespace awl::syntax {

namespace {

using G = Grammar::token;

constexpr size_t kNone = static_cast<size_t>(-1);

bool is_open_brace(int kind) { return kind == G::T_LBRACE || kind == G::T_BLOCK_OPEN; }

bool begins_statement(int kind) {
  switch (kind) {
    case G::T_IDENT:
    case G::T_VARIABLE:
    case G::T_MAP:
    case G::T_KEYED_MAP:
    case G::T_IF:
    case G::T_WHILE:
    case G::T_FOR:
    case G::T_UNROLL:
    case G::T_LET:
    case G::T_RETURN:
    case G::T_BREAK:
    case G::T_CONTINUE: return true;
    default: return false;
  }
}

}  // namespace

Grammar::symbol_type symbol(const Token &token) {
  switch (token.kind) {
    case G::T_IDENT:
    case G::T_VARIABLE:
    case G::T_MAP:
    case G::T_KEYED_MAP:
    case G::T_STRING:
    case G::T_ATTACH:
    case G::T_ATTRIBUTES:
    case G::T_FN:
    case G::T_INT_WORD:
    case G::T_C_ATTRIBUTE: return {token.kind, token.text, token.span};
    case G::T_INTEGER: return {token.kind, Number{token.value, token.is_unsigned, token.text}, token.span};
    case G::T_POSITIONAL: return {token.kind, static_cast<uint32_t>(token.value), token.span};
    case G::T_ASSIGN_OP:
    case G::T_EQUALITY:
    case G::T_RELATION:
    case G::T_SHIFT: return {token.kind, static_cast<ast::BinaryOp>(token.value), token.span};
    default: return {token.kind, token.span};
  }
}

TokenFeed::TokenFeed(std::vector<Token> &tokens, int start, const Source &source, Diagnostics &diagnostics,
                     size_t most_errors)
    : tokens_(tokens), start_(start), source_(source), diagnostics_(diagnostics), most_errors_(most_errors) {
  match_braces();
}

void TokenFeed::match_braces() {
  open_.assign(tokens_.size(), kNone);
  close_.assign(tokens_.size(), kNone);
  std::vector<size_t> stack;
  for (size_t i = 0; i < tokens_.size(); i++) {
    int kind = tokens_[i].kind;
    if (kind == G::T_END) stack.clear();
    open_[i] = stack.empty() ? kNone : stack.back();
    if (is_open_brace(kind)) stack.push_back(i);
    if (kind == G::T_RBRACE && !stack.empty()) {
      close_[stack.back()] = i;
      stack.pop_back();
    }
  }
}

Grammar::symbol_type TokenFeed::next() {
  if (start_ != 0) return {std::exchange(start_, 0), Span{}};
  if (repaired_ || given_up_) return {static_cast<int>(G::T_END_OF_FILE), Span{}};
  if (std::exchange(sync_, false))
    return {static_cast<int>(G::T_SYNC), Span{tokens_[at_].span.begin, tokens_[at_].span.begin}};
  last_ = at_;
  if (at_ + 1 < tokens_.size()) at_++;
  return symbol(tokens_[last_]);
}

void TokenFeed::failed(const std::vector<int> &expected) {
  given_up_ = diagnostics_.error_count() >= most_errors_;
  if (repaired_ || given_up_) return;
  constexpr size_t kMaxFailures = 8;
  failures_ = last_ == failed_at_ ? failures_ + 1 : 0;
  failed_at_ = last_;
  given_up_ = failures_ > kMaxFailures;  // the grammar has no way on from here; not known to happen
  // What was put in to close a brace has been reported with the brace.
  if (!tokens_[last_].synthetic && !behind_unclosed()) report(expected);
  if (!repair(expected)) skip();
}

// A `;` forgotten at the end of a line is put in, so that neither statement is lost.
bool TokenFeed::repair(const std::vector<int> &expected) {
  constexpr size_t kMaxRepairedTokens = 200'000;
  if (!may_repair_ || std::find(expected.begin(), expected.end(), Grammar::symbol_kind::S_SEMICOLON) == expected.end())
    return false;
  if (last_ == 0 || !begins_statement(tokens_[last_].kind) || tokens_.size() > kMaxRepairedTokens) return false;
  Span before = tokens_[last_ - 1].span;
  if (source_.total_line_column(before.end).line >= source_.total_line_column(tokens_[last_].span.begin).line)
    return false;
  Token semicolon{G::T_SEMICOLON, {before.end, before.end}, ""};
  semicolon.synthetic = true;
  tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(last_), semicolon);
  repaired_ = true;
  return true;
}

// Whether the item of the last token has a block of statements.
bool TokenFeed::has_body() const {
  size_t first = last_;
  while (first > 0 && tokens_[first - 1].kind != G::T_END) first--;
  switch (tokens_[first].kind) {
    case G::T_STRUCT:
    case G::T_UNION:
    case G::T_ENUM:
    case G::T_TYPEDEF:
    case G::T_CONFIG:
    case G::T_LET:
    case G::T_IMPORT: return false;
    default: return true;
  }
}

// Whether the last token is the `=` of `for ($i = 0; ...`, or the `i` of `for (i = 0; ...` or the `int` of
// `for (int i = 0; ...`.
bool TokenFeed::in_c_loop() const {
  if (last_ >= 2 && last_ + 1 < tokens_.size() && tokens_[last_ - 1].kind == G::T_LPAREN &&
      tokens_[last_ - 2].kind == G::T_FOR)
    return tokens_[last_].kind == G::T_INT_WORD ||
           (tokens_[last_].kind == G::T_IDENT && tokens_[last_ + 1].kind == G::T_ASSIGN);
  if (last_ < 3 || tokens_[last_].kind != G::T_ASSIGN || tokens_[last_ - 1].kind != G::T_VARIABLE) return false;
  int before = tokens_[last_ - 2].kind;
  return before == G::T_FOR || (before == G::T_LPAREN && tokens_[last_ - 3].kind == G::T_FOR);
}

// Whether the item has a string in front that was reported: what does not fit then comes of that.
bool TokenFeed::behind_unclosed() const {
  for (size_t i = last_ + 1; i-- > 0;) {
    if (tokens_[i].unclosed) return true;
    if (i < last_ && tokens_[i].kind == G::T_END) return false;
  }
  return false;
}

void TokenFeed::skip() {
  size_t first = last_;
  auto separates = [](int kind) {
    return kind == G::T_SEMICOLON || kind == G::T_LBRACE || kind == G::T_RBRACE || kind == G::T_END;
  };
  while (first > 0 && !separates(tokens_[first - 1].kind)) first--;
  pass_over();
  note_names(first);
}

// The names from there to where it goes on.
void TokenFeed::note_names(size_t from) {
  for (size_t i = from; i < at_; i++) {
    const Token &token = tokens_[i];
    if (token.kind == G::T_VARIABLE) unread_names_.insert("$" + token.text);
    if (token.kind == G::T_IDENT) unread_names_.insert(token.text);
    if (token.kind == G::T_ATTACH) unread_names_.insert(token.text.substr(0, token.text.find('(')));
  }
}

// Sets where to go on.
void TokenFeed::pass_over() {
  bool whole_head = in_c_loop();
  const bool do_while = tokens_[last_].kind == G::T_LBRACE && last_ > 0 && tokens_[last_ - 1].text == "do";
  sync_ = true;
  size_t i = last_;
  if (open_[last_] == kNone) {  // in the head of an item: on with its body
    bool body = has_body();
    while (i + 1 < tokens_.size() && tokens_[i].kind != G::T_END && !(body && tokens_[i].kind == G::T_LBRACE)) i++;
    at_ = i;
    return;
  }
  for (; i + 1 < tokens_.size() && tokens_[i].kind != G::T_END && tokens_[i].kind != G::T_RBRACE; i++) {
    if (tokens_[i].kind == G::T_SEMICOLON && !whole_head) {
      at_ = i + 1;
      return;
    }
    if (!is_open_brace(tokens_[i].kind) || close_[i] == kNone) continue;
    i = close_[i];
    if (tokens_[i + 1].kind == G::T_ELSE || tokens_[i + 1].kind == G::T_SEMICOLON) continue;
    if (do_while && tokens_[i + 1].kind == G::T_WHILE) continue;
    // Behind the `}` of what could not be read the next statement begins, unless the expression goes on.
    if (begins_statement(tokens_[i + 1].kind) || tokens_[i + 1].kind == G::T_RBRACE) {
      at_ = i + 1;
      return;
    }
  }
  at_ = i;
}

}  // namespace awl::syntax
