// libFuzzer target: whatever bytes a script has, parse() returns, and what it returns can be dumped
// and cloned. The first byte chooses between a script, the standard library and an expression.
#include <cstdint>
#include <string>

#include "ast/clone.h"
#include "ast/dump.h"
#include "parser/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char *>(data) + 1, size - 1);
  awl::Diagnostics diagnostics;
  if (data[0] % 4 == 1) {
    awl::ast::Program program;
    awl::ast::dump(awl::parse_expression(program, text, diagnostics));
    return 0;
  }
  awl::ParseOptions options;
  options.stdlib = data[0] % 4 == 2;
  awl::Source source("fuzz", text);
  awl::ast::Program program = awl::parse(source, options, diagnostics);
  std::string dump = awl::ast::dump(program);
  for (awl::ast::Probe &probe : program.probes) probe.body = awl::ast::clone(program, probe.body);
  if (awl::ast::dump(program) != dump) __builtin_trap();
  for (const awl::Diagnostic &diagnostic : diagnostics.all()) awl::render_text(diagnostic, source);
  return 0;
}
