// The C preprocessor as scripts use it: #include is recorded, #define substitutes tokens, #if leaves
// out text. Works on tokens; a token that comes out of a macro has the place of its use.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "parser/parser.h"
#include "parser/token.h"

namespace awl::syntax {

class Preprocessor {
 public:
  // `begin` is where the text begins in its source.
  Preprocessor(const ParseOptions &options, uint32_t begin, Diagnostics &diagnostics);

  // Does what a `#...` line says; `line` is the whole line with its continuations.
  void directive(const Token &line);
  // False while a branch of #if is left out.
  [[nodiscard]] bool active() const { return branches_.empty() || branches_.back().active; }
  // Reports an #if without #endif.
  void finish();

  enum class MacroKind { None, Object, Function };
  [[nodiscard]] MacroKind macro_kind(const Token &token) const;
  // Replaces macros in `tokens` until none is left; all results stand at `place`.
  std::vector<Token> expand(const std::vector<Token> &tokens, Span place);

  std::vector<ast::Include> includes;

 private:
  struct Macro {
    bool function = false;
    std::vector<std::string> params;
    std::string_view body;
    uint32_t offset = 0;                       // of the body in the source
    std::optional<std::vector<Token>> tokens;  // of the body, made at the first use
  };
  struct Branch {
    Span span;    // of the #if
    bool outer;   // the text around is active
    bool taken;   // one of the branches was active
    bool active;  // the branch we are in
    bool in_else = false;
  };
  using Words = std::vector<std::string>;

  void define(std::string_view text, uint32_t offset, Span place);
  void include(std::string_view text, Span place);
  void undefine(std::string_view text, Span place);
  void conditional(std::string_view name, std::string_view text, uint32_t offset, Span place);
  void otherwise(std::string_view name, std::string_view text, uint32_t offset, Span place);
  bool condition(std::string_view text, uint32_t offset, Span place);
  void bad(const std::string &what, const std::string &why, Span place);
  const std::vector<Token> &body_of(Macro &macro);
  void expand_into(std::vector<Token> &out, const std::vector<Token> &tokens, Words &hidden, Span place);
  size_t expand_function(std::vector<Token> &out, const std::vector<Token> &tokens, size_t i, Words &hidden,
                         Span place);

  uint32_t begin_;
  Diagnostics *diagnostics_;
  std::map<std::string, Macro, std::less<>> macros_;
  std::deque<std::string> bodies_;  // texts of the macros
  std::vector<Branch> branches_;
  size_t steps_ = 0;  // of expansion, against macros that double themselves
};

// Tokens of a piece of source text, without END_OF_FILE.
std::vector<Token> tokens_of(std::string_view text, uint32_t offset, Diagnostics &diagnostics);

// Value of the expression of an #if after expansion; names count as 0. Sets `error` if it is not one.
int64_t evaluate_condition(const std::vector<Token> &tokens, std::string &error);

}  // namespace awl::syntax
