// Running and building: from a script to its end, or to an Image.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>

#include "arguments/option_table.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "runtime/image/image_file.h"

namespace awl {

namespace {

using Dumps = std::map<std::string, std::string>;

// What is to be written down: for -d, and for --emit-llvm.
Dumps wanted_dumps(const Options &options) {
  Dumps dumps;
  for (const std::string &step : options.debug)
    for (const DebugStep &known : debug_steps())
      if (step == "all" || step == known.name) dumps[std::string(known.name)];
  if (!options.emit_llvm.empty()) dumps["codegen"], dumps["codegen-opt"];
  return dumps;
}

void print_dumps(const Dumps &dumps, const Options &options) {
  auto asked = [&](std::string_view step) {
    return std::ranges::any_of(options.debug, [&](const std::string &s) { return s == step || s == "all"; });
  };
  for (const DebugStep &step : debug_steps()) {
    auto text = dumps.find(std::string(step.name));
    if (text == dumps.end() || text->second.empty() || !asked(step.name)) continue;
    if (dumps.size() > 1) fmt::print("== {}\n", step.name);
    fmt::print("{}{}", text->second, text->second.ends_with('\n') ? "" : "\n");
  }
  std::fflush(stdout);
}

Result<void> write_text(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail_errno("write " + path);
  return {};
}

Result<void> emit_files(const Options &options, const Dumps &dumps, const Image &image) {
  if (!options.emit_elf.empty()) TRY(write_text(options.emit_elf, image.object));
  if (!options.emit_llvm.empty()) {
    TRY(write_text(options.emit_llvm + ".original.ll", dumps.at("codegen")));
    TRY(write_text(options.emit_llvm + ".optimized.ll", dumps.at("codegen-opt")));
  }
  return {};
}

// --mode compiler-bench: how long it takes from text to object.
int time_compiler(const Source &source, const CompileRequest &request) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::seconds(1);
  while (times.size() < 3 || (Clock::now() < end && times.size() < 1000)) {
    TypeStore store;
    Diagnostics diagnostics;
    Source own(source.name(), std::string(source.text_of(source.files().front())));  // without what was imported
    const auto begin = Clock::now();
    compile(own, request, store, diagnostics);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::ranges::sort(times);
  fmt::print("compiled {} times: median {:.2f} ms, fastest {:.2f} ms, slowest {:.2f} ms\n", times.size(),
             times[times.size() / 2], times.front(), times.back());
  return 0;
}

}  // namespace

int run_program(Options options) {
  if (Result<void> good = disable_features(options); !good) return complain(good.error());
  Result<Source> source = take_source(options);
  if (!source) return complain(source.error());
  CompileRequest request = compile_request(options);
  Dumps dumps = wanted_dumps(options);
  request.dumps = &dumps;
  std::string options_help;
  request.options_help = &options_help;
  TypeStore store;
  Diagnostics diagnostics;
  std::optional<Image> image = options.command == Command::Build
                                   ? compile_for_image(*source, request, store, diagnostics)
                                   : compile(*source, request, store, diagnostics);
  print_dumps(dumps, options);
  print(diagnostics, *source, options);
  if (diagnostics.has_errors()) return 1;
  fmt::print("{}", options_help);
  if (!image) return 0;
  if (Result<void> written = emit_files(options, dumps, *image); !written) return complain(written.error());
  if (options.mode == "codegen") return 0;
  if (options.mode == "compiler-bench") {
    request.dumps = nullptr;
    return time_compiler(*source, request);
  }
  if (options.command == Command::Build) {
    if (options.output.empty()) return complain(Error{"build needs the name of the image", "awl build -o FILE ...", 0});
    Result<void> written = write_image(*image, options.output);
    return written ? 0 : complain(written.error());
  }
  return run_image(*image, store, run_options(options));
}

}  // namespace awl
