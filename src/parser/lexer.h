// Raw tokens of a text: a class around the flex scanner. Numbers and strings are decoded here, words
// told from keywords; macros, attach point structure and casts are for later steps.
#pragma once

#include <string_view>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "parser/token.h"

namespace awl::syntax {

class Lexer {
 public:
  enum class Mode { Code, Top, Skip };

  // Spans count from `offset`, the place of `text` in its source.
  Lexer(std::string_view text, uint32_t offset, Diagnostics &diagnostics);
  ~Lexer();
  Lexer(const Lexer &) = delete;
  Lexer &operator=(const Lexer &) = delete;

  Token next(Mode mode);
  // A `#` at the start of this text is not a directive (the body of a macro).
  void not_at_line_start();
  // Top level only: whether a new item may begin here, so that `struct` is a keyword.
  void at_item_start(bool yes) { item_start_ = yes; }
  // Code only: whether a `/` before `{` ends a predicate.
  void in_predicate(bool yes) { in_predicate_ = yes; }
  // C's own text: 'x' is a number, `#` and `##` are tokens.
  void in_c(bool yes) { in_c_ = yes; }
  // The `///` lines right above the place reached, taken away.
  std::string take_doc();
  // The text behind the last token, and whether that is the start of a line.
  [[nodiscard]] std::string_view rest() const;
  [[nodiscard]] bool at_line_start() const;

  // Called from the scanner's rules.
  void begin_token(const char *text, size_t length);
  int word();
  int number();
  int positional();
  int string();
  int curly_quoted();
  size_t unterminated_string();
  int single_quoted();
  int hash();  // 0 if it is none
  int lone_dollar();
  int slash();
  int directive();
  int text_token(int kind, size_t skip_front, size_t skip_back);
  int operator_token(int kind, ast::BinaryOp op);
  size_t top_level_word();
  [[nodiscard]] int token_kind() const { return token_.kind; }
  void doc_line();
  void unterminated_comment();
  void bad_character();

 private:
  static size_t guessed_end(std::string_view text, std::string_view behind);
  [[nodiscard]] Span here() const;
  // Counts an error; true if a message more would help nobody.
  bool enough_errors();
  [[nodiscard]] std::string_view spelling() const { return text_.substr(begin_, end_ - begin_); }
  void decode_string(std::string_view content, size_t content_begin);

  std::string_view text_;
  uint32_t offset_;
  Diagnostics *diagnostics_;
  void *scanner_ = nullptr;
  size_t begin_ = 0;  // of the token being made, in text_
  size_t end_ = 0;
  Token token_;
  int errors_ = 0;
  bool item_start_ = true;
  bool in_predicate_ = false;
  bool in_c_ = false;
  std::string doc_;
  size_t doc_end_ = 0;
};

}  // namespace awl::syntax
