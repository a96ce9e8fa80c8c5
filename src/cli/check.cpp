// `awl check FILE...`: all errors of many scripts, nothing is run. An Image is loaded, which needs privileges.
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "runtime/image/image_file.h"
#include "runtime/probes/kernel_types.h"

namespace awl {

namespace {

// Error lines go to standard error. True if there was none.
bool check_source(Source source, const Options &options) {
  CompileRequest request = compile_request(options);
  request.unprivileged = true;
  TypeStore store;
  Diagnostics diagnostics;
  compile(source, request, store, diagnostics);
  print(diagnostics, source, options);
  return !diagnostics.has_errors();
}

bool check_image(const std::string &path, const std::string &bytes, const Options &options) {
  TypeStore store;
  add_kernel_types(store, probe_roots(options));
  Result<Image> image = parse_image(bytes, store);
  if (!image) return complain(std::move(image).error().context(path)) == 0;
  RunOptions run = run_options(options);
  run.load_only = true;
  return run_image(*image, store, run) == 0;
}

bool check_file(const std::string &path, const Options &options) {
  Result<std::string> text = read_file(path);
  if (!text) return complain(text.error()) == 0;
  return is_image(*text) ? check_image(path, *text, options) : check_source(Source(path, *text), options);
}

}  // namespace

int check_files(Options options) {
  bool good = true;
  if (options.program || options.words == std::vector<std::string>{"-"}) {
    Result<Source> source = take_source(options);
    if (!source) return complain(source.error());
    std::ranges::move(options.behind, std::back_inserter(options.words));
    good = check_source(*std::move(source), options);
  } else if (options.words.empty()) {
    return complain(Error{"check needs a file", "awl check FILE... [-- PARAMETER...]", 0});
  } else {
    const std::vector<std::string> files = std::exchange(options.words, std::exchange(options.behind, {}));
    for (const std::string &path : files) good = check_file(path, options) && good;
  }
  return good ? 0 : 1;
}

}  // namespace awl
