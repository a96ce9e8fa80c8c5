// libFuzzer target: whatever text a script has, compile() ends, with an Image or with an error that can be printed; an
// Image can be written and read again. Kernel types, tracepoints and symbols are those of tests/golden/fixture.
#include <cstdint>
#include <string>
#include <string_view>

#include "driver.h"
#include "golden/fixture_roots.h"
#include "parser/parser.h"
#include "runtime/image/image_file.h"

namespace {

using namespace awl;

// A pattern for files would walk through the file system of the machine.
bool walks_through_files(const std::string &text) {
  Source source("fuzz", text);
  Diagnostics diagnostics;
  for (const ast::Probe &probe : parse(source, {.defines = {}, .headers = {}, .file = 0}, diagnostics).probes)
    for (const ast::AttachPoint &point : probe.attach_points) {
      std::string_view path(point.text);
      path = path.substr(0, path.rfind(':'));
      if (path.find('/') != path.npos && path.find_first_of("*?[{") != path.npos) return true;
    }
  return false;
}

CompileRequest fuzz_request() {
  CompileRequest request;
  request.params = {"1", "a"};
  request.unsafe = true;
  request.use_environment = false;
  request.verify_ir = true;
  request.roots = fixture_roots();
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  if (walks_through_files(text)) return 0;
  Source source("fuzz", text);
  TypeStore store;
  Diagnostics diagnostics;
  std::optional<Image> image = compile(source, fuzz_request(), store, diagnostics);
  for (const Diagnostic &diagnostic : diagnostics.all()) render_text(diagnostic, source);
  if (!image) {
    if (!diagnostics.has_errors()) __builtin_trap();  // it failed without a word
    return 0;
  }
  TypeStore other;
  if (!parse_image(serialize_image(*image), other)) __builtin_trap();
  return 0;
}
