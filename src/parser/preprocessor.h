// The C preprocessor: #define substitutes tokens, #if leaves out text, #include is recorded for who reads the text.
// Works on tokens; a token that comes out of a macro has the place of its use.
#pragma once

#include <deque>
#include <functional>
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
  // Reports an #if without #endif, of those that were opened after the first `open` ones.
  void finish(size_t open = 0);
  [[nodiscard]] size_t open_branches() const { return branches_.size(); }
  // While the text is a header's, problems go to another list, and macros are not blamed on the script.
  Diagnostics *report_to(Diagnostics *diagnostics, bool in_header);
  // What #pragma pack(n) says, 0 if nothing.
  [[nodiscard]] uint32_t packing() const { return packing_; }

  enum class MacroKind { None, Object, Function };
  [[nodiscard]] MacroKind macro_kind(const Token &token) const;
  // Replaces macros in `tokens` until none is left; all results stand at `place`.
  std::vector<Token> expand(const std::vector<Token> &tokens, Span place);
  // What `token` stands for in a text. The arguments of a macro come from `next`; what was taken in vain, and a macro
  // whose arguments follow, goes to the front of `waiting`.
  std::vector<Token> expand_in_text(Token token, const std::function<Token()> &next, std::deque<Token> &waiting);
  // Value of a macro that is a constant; nullopt if it is none.
  std::optional<int64_t> value_of(const std::string &name);

  std::vector<ast::Include> includes;

 private:
  struct Macro {
    bool function = false;
    bool variadic = false;   // the last parameter takes all that is left
    bool of_header = false;  // its text is no part of the script
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
  using Tokens = std::vector<Token>;

  void define(std::string_view text, uint32_t offset, Span place);
  void include(std::string_view text, Span place);
  void undefine(std::string_view text, Span place);
  void conditional(std::string_view name, std::string_view text, uint32_t offset, Span place);
  void otherwise(std::string_view name, std::string_view text, uint32_t offset, Span place);
  bool condition(std::string_view text, uint32_t offset, Span place);
  void pragma(std::string_view text);
  void bad(const std::string &what, const std::string &why, Span place);
  void comment(std::string_view word, Span place);
  const std::vector<Token> &body_of(Macro &macro);
  void expand_into(std::vector<Token> &out, const std::vector<Token> &tokens, Words &hidden, Span place);
  size_t expand_function(std::vector<Token> &out, const std::vector<Token> &tokens, size_t i, Words &hidden,
                         Span place);

  // The arguments of the call at tokens[i]; `end` becomes the index of its last token.
  static std::vector<Tokens> arguments(const std::vector<Token> &tokens, size_t i, size_t &end);
  bool fit_arguments(const Macro &macro, std::vector<Tokens> &args) const;
  Tokens substitute(Macro &macro, const std::vector<Tokens> &args, Words &hidden, Span place);

  uint32_t begin_;
  Diagnostics *diagnostics_;
  bool in_header_ = false;
  bool comments_ = false;  // a `#` comment was found
  uint32_t packing_ = 0;
  std::vector<uint32_t> packings_;  // of #pragma pack(push)
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
