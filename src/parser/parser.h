// Source text to ast::Program. Knows no kernel, no type and no builtin.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "base/source.h"
#include "runtime/types/type_store.h"

namespace awl {

// Where C headers are looked for.
struct HeaderSearch {
  std::string directory;              // of the script: for "x.h"
  std::vector<std::string> folders;   // -I
  std::vector<std::string> included;  // --include: read before the script
};

struct ParseOptions {
  std::set<std::string> defines;  // defined for #ifdef, e.g. BPFTRACE_HAVE_BTF, or "NAME=VALUE"
  HeaderSearch headers = {};
  bool stdlib = false;  // accept [[attributes]] and bodiless functions
  size_t file = 0;      // which file of the source
};

// Parses a whole file; imports are only noted (see imports.h). Errors go to `diagnostics`; the program then holds what
// could be understood (recovery at `;`, `}` and the next probe), so that later passes find more errors in one run.
ast::Program parse(const Source &source, const ParseOptions &options, Diagnostics &diagnostics);

// Types and constants of the system's own headers among `includes`, for names that the kernel does not know. They are
// read when such a name is first asked for.
std::unique_ptr<TypeSource> make_header_source(std::vector<ast::Include> includes, ParseOptions options);

// Parses one expression, e.g. the body of an object-like macro of a header.
ast::Expr *parse_expression(ast::Program &program, const std::string &text, Diagnostics &diagnostics);

}  // namespace awl
