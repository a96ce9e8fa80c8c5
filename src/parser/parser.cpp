#include "parser/parser.h"

#include "parser/builder.h"
#include "parser/grammar.h"
#include "parser/scan.h"
#include "parser/token_feed.h"

namespace awl {

using namespace syntax;

namespace {
constexpr size_t kMaxErrors = 100;
}  // namespace

ast::Program parse(const Source &source, const ParseOptions &options, Diagnostics &diagnostics) {
  // Each round puts in one forgotten `;`, so that what follows it is read as it was meant.
  constexpr int kMaxRepairs = 25;
  Scanned scanned = scan(source, options, diagnostics);
  size_t most_errors = diagnostics.error_count() + kMaxErrors;
  for (int round = 0;; round++) {
    ast::Program program;
    program.includes = scanned.includes;
    program.unread_types = scanned.headers.unread;
    Constants constants = scanned.headers.constants;
    TokenFeed feed(scanned.tokens, Grammar::token::T_START_PROGRAM, source, diagnostics, most_errors);
    feed.allow_repair(round < kMaxRepairs);
    Builder builder(program, options.stdlib, diagnostics, constants);
    builder.know_types(scanned.headers.types);
    Grammar(feed, builder).parse();
    if (feed.repaired()) continue;
    program.unread_names = feed.unread_names();
    program.types.insert(program.types.end(), scanned.headers.types.begin(), scanned.headers.types.end());
    return program;
  }
}

ast::Expr *parse_expression(ast::Program &program, const std::string &text, Diagnostics &diagnostics) {
  Source source("", text);
  size_t most_errors = diagnostics.error_count() + kMaxErrors;
  std::vector<Token> tokens = scan_expression(text, diagnostics);
  TokenFeed feed(tokens, Grammar::token::T_START_EXPRESSION, source, diagnostics, most_errors);
  Constants constants;
  Builder builder(program, false, diagnostics, constants);
  bool read = Grammar(feed, builder).parse() == 0 && builder.result();
  return read ? builder.result() : builder.poison({});
}

}  // namespace awl
