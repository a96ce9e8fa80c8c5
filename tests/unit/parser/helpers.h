// What the parser's tests share.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "ast/dump.h"
#include "parser/parser.h"

namespace awl {

struct Parsed {
  Source source;
  ast::Program program;
  Diagnostics diagnostics;
  // "line:column code message" of each diagnostic.
  [[nodiscard]] std::vector<std::string> errors() const {
    std::vector<std::string> out;
    for (const Diagnostic &d : diagnostics.all()) {
      LineColumn at = source.line_column(d.span.begin);
      out.push_back(fmt::format("{}:{} {} {}", at.line, at.column, d.info->code, d.message));
    }
    return out;
  }
  [[nodiscard]] std::string first_error() const { return diagnostics.empty() ? "" : errors()[0]; }
};

inline Parsed parse_text(const std::string &text, const ParseOptions &options = {}) {
  Parsed parsed{Source("test.bt", text), {}, {}};
  parsed.program = parse(parsed.source, options, parsed.diagnostics);
  return parsed;
}

// The tree of an expression on one line; the first error if it has one.
inline std::string tree(const std::string &expression) {
  ast::Program program;
  Diagnostics diagnostics;
  ast::Expr *expr = parse_expression(program, expression, diagnostics);
  if (diagnostics.has_errors()) return "error: " + diagnostics.all()[0].message;
  std::string out;
  for (char c : ast::dump(expr)) {
    if (c != '\n' && !(c == ' ' && (out.empty() || out.back() == ' '))) out += c;
    if (c == '\n' && !out.empty() && out.back() != ' ') out += ' ';
  }
  out.pop_back();
  return out;
}

// The first expression statement of a probe's body, or what stands right of its first assignment.
inline ast::Expr *first_expr(const ast::Program &program) {
  if (program.probes.empty() || program.probes[0].body->body.empty()) return nullptr;
  ast::Stmt *statement = program.probes[0].body->body[0];
  if (auto *assign = ast::as<ast::Assign>(statement)) return assign->value;
  if (auto *expr = ast::as<ast::ExprStmt>(statement)) return expr->expr;
  return nullptr;
}

}  // namespace awl
