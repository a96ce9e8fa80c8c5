// Hands the tokens of a script to the grammar, and decides how it goes on after an error.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/source.h"
#include "parser/grammar.h"
#include "parser/token.h"

namespace awl::syntax {

class TokenFeed {
 public:
  // `start` is START_PROGRAM or START_EXPRESSION; with `most_errors` in all it gives up.
  TokenFeed(std::vector<Token> &tokens, int start, const Source &source, Diagnostics &diagnostics, size_t most_errors);
  // Whether failed() may put in a `;` and ask for another round.
  void allow_repair(bool yes) { may_repair_ = yes; }

  Grammar::symbol_type next();

  // The grammar cannot take the last token, but one of `expected` (symbol kinds): reports it, then makes next() deliver
  // SYNC and go on at a place where a statement, member or item may end.
  void failed(const std::vector<int> &expected);

  // Names, `$x` or `f`, of what was passed over.
  [[nodiscard]] const std::set<std::string> &unread_names() const { return unread_names_; }

  // A missing `;` was put in: parse again from the start with the same tokens.
  [[nodiscard]] bool repaired() const { return repaired_; }

 private:
  void match_braces();
  bool repair(const std::vector<int> &expected);
  void skip();
  void pass_over();
  void note_names(size_t from);
  [[nodiscard]] bool behind_unclosed() const;
  [[nodiscard]] bool has_body() const;
  [[nodiscard]] bool in_c_loop() const;
  void report(const std::vector<int> &expected);
  [[nodiscard]] std::string describe(size_t i) const;
  [[nodiscard]] std::string callee_before(size_t i) const;
  [[nodiscard]] bool assigns_before(size_t i) const;
  [[nodiscard]] bool same_line(size_t i) const;
  [[nodiscard]] std::string declaration_hint(size_t i) const;
  [[nodiscard]] std::string foreign_hint(size_t i, bool operator_place) const;
  [[nodiscard]] std::string hint(size_t i, const std::vector<int> &expected) const;

  std::vector<Token> &tokens_;
  int start_;
  const Source &source_;
  Diagnostics &diagnostics_;
  size_t at_ = 0;      // next to deliver
  size_t last_ = 0;    // delivered last
  bool sync_ = false;  // deliver SYNC first
  size_t most_errors_;
  bool given_up_ = false;
  bool may_repair_ = false;
  bool repaired_ = false;
  size_t failures_ = 0;  // at the same token
  size_t failed_at_ = 0;
  std::set<std::string> unread_names_;
  std::vector<size_t> open_;   // for each token: its innermost `{`, kNone outside
  std::vector<size_t> close_;  // for each `{`: its `}`
};

// The token as the grammar's own type.
Grammar::symbol_type symbol(const Token &token);

// What may stand in place of a token that was not expected: "`;`", "an expression, `)` or `,`".
std::string expectation(const std::vector<int> &expected);

}  // namespace awl::syntax
