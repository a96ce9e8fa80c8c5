#include "cli/program.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "arguments/option_table.h"
#include "base/diagnostic.h"
#include "base/strings.h"

namespace awl {

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

}  // namespace awl
