// Source text to ast::Program. Knows no kernel, no type and no builtin.
#pragma once

#include <set>
#include <string>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "base/source.h"

namespace awl {

struct ParseOptions {
  std::set<std::string> defines;  // defined for #ifdef, e.g. BPFTRACE_HAVE_BTF
  bool stdlib = false;            // accept [[attributes]] and bodiless functions
  size_t file = 0;                // which file of the source
};

// Parses a whole file; imports are only noted (see imports.h). Errors go to `diagnostics`; the program then holds what
// could be understood (recovery at `;`, `}` and the next probe), so that later passes find more errors in one run.
ast::Program parse(const Source &source, const ParseOptions &options, Diagnostics &diagnostics);

// Parses one expression, e.g. the body of an object-like macro of a header.
ast::Expr *parse_expression(ast::Program &program, const std::string &text, Diagnostics &diagnostics);

}  // namespace awl
