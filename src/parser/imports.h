// A script with all that it imports, as one program.
#pragma once

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "base/source.h"
#include "parser/parser.h"

namespace awl {

// Parses the first file of `source` and, before it, what it imports: each file once, those of a folder by name. The
// files are added to `source`. Paths are relative to the file that imports, those of a program without a file to the
// current folder.
ast::Program parse_with_imports(Source &source, const ParseOptions &options, Diagnostics &diagnostics);

// Whoever can write into a folder can put in what then runs as root. "": the current one.
bool everybody_may_write(const std::string &folder);

}  // namespace awl
