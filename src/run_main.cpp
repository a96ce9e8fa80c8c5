// awl-run: runs a written Image and nothing else. It holds no compiler: no LLVM, no parser, no tree.
#include <fmt/core.h>

#include <cstdio>
#include <span>
#include <string_view>

#include "runtime/image/image_file.h"
#include "runtime/probes/kernel_types.h"
#include "runtime/session/session.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: awl-run IMAGE [PARAMETER]... [--OPTION=VALUE]...\n");
    return 1;
  }
  awl::RunOptions options;
  for (const std::string_view word : std::span(argv + 2, argv + argc))
    if (word != "--") (word.starts_with("--") ? options.script_options : options.params).emplace_back(word);
  awl::TypeStore store;
  awl::add_kernel_types(store);
  awl::Result<awl::Image> image = awl::read_image(argv[1], store);
  if (!image) {
    fmt::print(stderr, "awl-run: {}\n", image.error().message);
    return 1;
  }
  return awl::run_image(*image, store, options);
}
