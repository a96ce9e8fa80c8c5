// Which command was asked for.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <map>

#include "base/strings.h"
#include "cli/options.h"
#include "driver.h"
#include "runtime/image/image_file.h"
#include "runtime/probes/kernel_types.h"
#include "runtime/probes/provider.h"
#include "runtime/session/features.h"
#include "runtime/session/session.h"

using namespace awl;

namespace {

constexpr const char *kVersion = AWL_VERSION;

bool use_colour() {
  const char *wish = std::getenv("BPFTRACE_COLOR");
  if (wish && std::string_view(wish) == "always") return true;
  if (wish && std::string_view(wish) == "never") return false;
  return isatty(STDERR_FILENO) && !std::getenv("NO_COLOR");
}

int complain(const Error &error) {
  fmt::print(stderr, "awl: {}\n", error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  hint: {}\n", error.hint);
  return 1;
}

void print(const Diagnostics &diagnostics, const Source &source, const Options &options) {
  for (const Diagnostic &d : diagnostics.all()) {
    if (options.no_warnings && d.severity == Severity::Warning) continue;
    if (options.format == "json")
      fmt::print(stderr, "{}\n", render_json(d, source));
    else
      fmt::print(stderr, "{}", render_text(d, source, {.colour = use_colour()}));
  }
}

bool is_file(const std::string &path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

// The program: -e, a file, standard input, or, as in awk, the first argument itself. Takes its word out of the list.
Result<Source> take_source(Options &options) {
  if (options.program) return Source("-e", *options.program);
  if (options.words.empty())
    return fail("no program given", "awl -e 'PROGRAM', awl FILE; `awl --help` lists the options");
  std::string word = options.words.front();
  options.words.erase(options.words.begin());
  if (word == "-") return Source("stdin", std::string(std::istreambuf_iterator<char>(std::cin), {}));
  if (is_file(word)) return Source(word, TRY(read_file(word)));
  // What has a brace is a program; anything else was meant as a file.
  if (word.find('{') == std::string::npos)
    return fail("no such file: " + word, "a program as argument looks like 'PROBE { ... }'");
  return Source("argument", word);
}

RunOptions run_options(const Options &options) {
  RunOptions out;
  out.pid = options.pid;
  out.command = options.child;
  out.json = options.format == "json";
  out.json_frames = options.json_stacks == "frames";
  out.quiet = options.quiet;
  out.verbose = options.verbose;
  out.dry_run = options.dry_run;
  out.unsafe = options.unsafe;
  out.buffering = options.buffering == "full"   ? Buffering::Full
                  : options.buffering == "none" ? Buffering::None
                                                : Buffering::Line;
  out.output_file = options.output;
  return out;
}

CompileRequest compile_request(const Options &options) {
  CompileRequest out;
  out.params = options.words;
  out.options = options.script_options;
  out.pid = options.pid;
  out.unsafe = options.unsafe;
  return out;
}

int run_program(Options options) {
  Result<Source> source = take_source(options);
  if (!source) return complain(source.error());
  CompileRequest request = compile_request(options);
  std::map<std::string, std::string> dumps;
  for (const std::string &step : options.debug) dumps[step];
  request.dumps = &dumps;
  request.check_only = options.command == Command::Check;
  std::string options_help;
  request.options_help = &options_help;
  TypeStore store;
  Diagnostics diagnostics;
  std::optional<Image> image = compile(*source, request, store, diagnostics);
  for (const auto &[step, text] : dumps) fmt::print("{}", text);
  print(diagnostics, *source, options);
  if (diagnostics.has_errors()) return 1;
  fmt::print("{}", options_help);
  if (!image) return 0;
  if (options.command == Command::Build) {
    if (options.output.empty()) return complain(Error{"build needs the name of the image", "awl build -o FILE ...", 0});
    Result<void> written = write_image(*image, options.output);
    return written ? 0 : complain(written.error());
  }
  return run_image(*image, store, run_options(options));
}

int run_written_image(const Options &options) {
  if (options.words.empty()) return complain(Error{"run takes an image", "awl run FILE", 0});
  if (options.words.size() > 1 || !options.script_options.empty())
    return complain(Error{"the parameters of an image were fixed when it was built",
                          "give them to the build: awl build -o FILE SCRIPT PARAMETERS...", 0});
  TypeStore store;
  add_kernel_types(store);
  Result<Image> image = read_image(options.words[0], store);
  if (!image) return complain(image.error());
  return run_image(*image, store, run_options(options));
}

// The probes of a script: `awl -l -e PROGRAM`, `awl -l FILE`.
int list_probes_of_script(Options options) {
  Result<Source> source = take_source(options);
  if (!source) return complain(source.error());
  CompileRequest request = compile_request(options);
  TypeStore store;
  Diagnostics diagnostics;
  for (const std::string &probe : list_script(*source, request, store, diagnostics)) fmt::print("{}\n", probe);
  print(diagnostics, *source, options);
  return diagnostics.has_errors() ? 1 : 0;
}

int list(const Options &options) {
  if (options.program || (!options.words.empty() && is_file(options.words[0]))) return list_probes_of_script(options);
  TypeStore store;
  add_kernel_types(store);
  ProbeEnvironment environment{.types = &store, .pid = options.pid, .unsafe = options.unsafe};
  std::string pattern = options.words.empty() ? "*" : options.words[0];
  Result<std::vector<ListEntry>> entries = list_probes(pattern, options.verbose, environment);
  if (!entries) return complain(entries.error());
  std::string out;
  for (const ListEntry &entry : *entries) {
    out += entry.text + "\n";
    for (const std::string &param : entry.params) out += "    " + param + "\n";
  }
  fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}

int info() {
  for (const FeatureReport &f : all_features())
    fmt::print("{:<20} {}{}\n", f.name, f.present ? "yes" : "no", f.detail.empty() ? "" : " (" + f.detail + ")");
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  Result<Options> options = parse_options(argc, argv);
  if (!options) return complain(options.error());
  switch (options->command) {
    case Command::Help: fmt::print("{}", options->help_text); return 0;
    case Command::Version: fmt::print("awl {}\n", kVersion); return 0;
    case Command::Info: return info();
    case Command::RunImage: return run_written_image(*options);
    case Command::Run:
    case Command::Build:
    case Command::Check: break;
  }
  return options->list ? list(*options) : run_program(std::move(*options));
}
