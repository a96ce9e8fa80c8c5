// A script's text to the tokens of the grammar: top level told from code, macros replaced, each item
// closed by END, brackets made whole. From here on the grammar can rely on that shape.
#pragma once

#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "base/source.h"
#include "parser/headers.h"
#include "parser/parser.h"
#include "parser/token.h"

namespace awl::syntax {

struct Scanned {
  std::vector<Token> tokens;  // ends with END_OF_FILE
  HeaderDeclarations headers;
  std::vector<ast::Include> includes;
};
Scanned scan(const Source &source, const ParseOptions &options, Diagnostics &diagnostics);

// The tokens of one expression, END_OF_FILE behind them.
std::vector<Token> scan_expression(const std::string &text, Diagnostics &diagnostics);

enum class ItemKind { None, Probe, CType, Config, Map, Import, Macro, Function };

// Words that say nothing about a type here: `const`, and in C declarations `__user` and their like.
bool is_qualifier(const Token &token, ItemKind item);

// Says with an attribute behind a last `struct` or `union` what #pragma pack says; 0: nothing.
void pack(std::vector<Token> &item, uint32_t packing);

// Decides what the grammar cannot with one token of look-ahead: which parenthesis is a cast's, which
// brace a block expression's, which `if` a value. `tokens` are those of one item.
void classify(std::vector<Token> &tokens, ItemKind item, Diagnostics &diagnostics);

}  // namespace awl::syntax
