#include "cli/program.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "cli/option_table.h"
#include "runtime/session/features.h"

namespace awl {

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
      fmt::print(stderr, "{}", render_text(d, source, {.colour = colour_wanted()}));
  }
}

bool is_file(const std::string &path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

Result<Source> take_source(Options &options) {
  if (options.program) return Source("-e", *options.program);
  if (options.words.empty())
    return fail("no program given", "awl -e 'PROGRAM', awl FILE; `awl --help` lists the options");
  std::string word = options.words.front();
  options.words.erase(options.words.begin());
  if (word == "-") return Source("stdin", std::string(std::istreambuf_iterator<char>(std::cin), {}));
  if (is_file(word)) return Source(word, TRY(read_file(word)));
  // What has a brace is a program; anything else was meant as a file.
  if (word.find('{') == std::string::npos) {
    std::vector<std::string> commands;
    for (const CommandRow &row : command_table()) commands.emplace_back(row.name);
    const std::string near = nearest(word, commands);
    return fail((std::filesystem::is_directory(word) ? "a folder is not a program: " : "no such file: ") + word,
                near.empty() ? "a program as argument looks like 'PROBE { ... }'"
                             : fmt::format("did you mean `awl {}`?", near));
  }
  return Source("argument", word);
}

ProbeRoots probe_roots(const Options &options) {
  ProbeRoots roots;
  if (const char *path = std::getenv("BPFTRACE_BTF")) roots.btf = path;
  roots.traceable = options.traceable_functions;
  return roots;
}

CompileRequest compile_request(const Options &options) {
  CompileRequest out;
  out.params = options.words;
  out.options = options.script_options;
  out.pids = options.pids;
  out.unsafe = options.unsafe;
  out.helper_errors = options.warnings > 0;
  out.include_dirs = options.include_dirs;
  out.include_files = options.include_files;
  out.debuginfo_dirs = options.debuginfo_dirs;
  out.verify_ir = options.verify_llvm_ir;
  out.roots = probe_roots(options);
  return out;
}

RunOptions run_options(const Options &options) {
  RunOptions out;
  out.processes = {options.pids, options.follow, options.comms, options.cgroups, options.containers};
  out.command = options.child;
  out.json = options.format == "json";
  out.folded = options.format == "folded";
  out.json_frames = options.json_stacks == "frames";
  out.quiet = options.quiet;
  out.verbose = options.verbose;
  out.dry_run = options.dry_run;
  out.unsafe = options.unsafe;
  out.buffering = options.buffering == "full"   ? Buffering::Full
                  : options.buffering == "none" ? Buffering::None
                                                : Buffering::Line;
  out.output_file = options.output;
  out.debug_folders = options.debuginfo_dirs;
  out.roots = probe_roots(options);
  if (options.mode == "test") out.selection.mode = RunMode::Test;
  if (options.mode == "bench") out.selection.mode = RunMode::Bench;
  if (!options.probe_filter.empty()) out.selection.filter.emplace(options.probe_filter);
  for (const std::string &step : options.debug) {
    out.show_libbpf = out.show_libbpf || step == "libbpf" || step == "all";
    out.show_verifier = out.show_verifier || step == "verifier" || step == "all";
  }
  return out;
}

Result<void> disable_features(const Options &options) {
  for (const std::string &name : options.without_features) {
    if (disable_feature(name)) continue;
    std::string known;
    for (const FeatureReport &feature : all_features()) known += (known.empty() ? "" : ", ") + feature.name;
    return fail(fmt::format("--no-feature {}: there is no such feature", name), "the features are " + known);
  }
  return {};
}

}  // namespace awl
