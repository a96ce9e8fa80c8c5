// C headers: what they declare, as far as the grammar of the language knows C. Functions, variables and what else a
// script has no use for is skipped.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "parser/lexer.h"
#include "parser/parser.h"
#include "parser/preprocessor.h"

namespace awl::syntax {

struct HeaderDeclarations {
  std::vector<ast::CType> types;
  std::vector<ast::UnreadType> unread;
  std::map<std::string, int64_t, std::less<>> constants;  // enumerators
};

// Where the system has its headers.
const std::vector<std::string> &system_header_folders();

class Headers {
 public:
  // Macros of the headers go to `preprocessor`, a header that is not found to `diagnostics`.
  Headers(const HeaderSearch &search, Preprocessor &preprocessor, Diagnostics &diagnostics)
      : search_(search), preprocessor_(preprocessor), diagnostics_(diagnostics) {}

  // Reads what --include names.
  void read_included();
  // Reads the header of preprocessor.includes[index], if it is one that we are to read, and notes its file there.
  void read(size_t index);
  // Reads one header into the declarations, for messages at `place` of the script.
  void read_file(const std::string &path, Span place);
  HeaderDeclarations take() { return std::move(out_); }

 private:
  // A file being read; those that it includes are on top of it.
  struct File {
    File(std::string path, std::string text, Diagnostics &diagnostics)
        : source(std::move(path), std::move(text)), lexer(source.text(), 0, diagnostics) {
      lexer.in_c(true);
    }
    Source source;
    Lexer lexer;
    size_t branches = 0;
  };

  [[nodiscard]] std::string find(const ast::Include &include, const std::string &directory) const;
  bool open(const std::string &path);
  void nested_include(const ast::Include &include);
  Token raw();
  void accept(Token token);
  [[nodiscard]] bool opens_function() const;
  void end_item();
  void read_item();
  void keep_types(ast::Program &program);
  void note_unread(const std::string &why);
  [[nodiscard]] std::string here() const;

  const HeaderSearch &search_;
  Preprocessor &preprocessor_;
  Diagnostics &diagnostics_;  // the script's
  Diagnostics problems_;      // of the item being read
  HeaderDeclarations out_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<std::string> once_;  // with #pragma once
  std::deque<Token> waiting_;
  std::vector<Token> item_;
  std::vector<bool> braces_;  // open ones; true: of a function's body
  size_t parentheses_ = 0;
  bool has_function_ = false;
  std::string item_place_;
  Span place_;  // of the #include in the script
};

}  // namespace awl::syntax
