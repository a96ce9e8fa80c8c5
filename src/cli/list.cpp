// `awl -l`: probes of the kernel, of a file, of a script.
#include <fmt/core.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/list_types.h"
#include "cli/program.h"
#include "runtime/dwarf/program_types.h"
#include "runtime/probes/kernel_types.h"
#include "runtime/probes/provider.h"

namespace awl {

namespace {

// `awl -l -e PROGRAM`, `awl -l FILE`.
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

}  // namespace

int list_probes_command(const Options &options) {
  if (!options.child.empty())
    fmt::print(stderr,
               "awl: note: `-l` only lists probes: the command `{0}` of -c is not run\n"
               "  hint: `-c '{0} -l'` gives the option to the command\n",
               options.child);
  if (options.program || (!options.words.empty() && is_file(options.words[0]))) return list_probes_of_script(options);
  TypeStore store;
  ProbeRoots roots = probe_roots(options);
  add_kernel_types(store, roots);
  ProbeEnvironment environment{.types = &store,
                               .pid = options.pids.empty() ? 0 : options.pids.front(),
                               .unsafe = options.unsafe,
                               .missing_probes = "error",
                               .roots = std::move(roots),
                               .user_types = add_user_types(store, options.debuginfo_dirs)};
  std::string pattern = options.words.empty() ? "*" : options.words[0];
  if (is_type_pattern(pattern)) {
    Result<std::string> types = list_types(pattern, options.verbose, store);
    if (!types) return complain(types.error());
    fmt::print("{}", *types);
    return 0;
  }
  std::vector<Error> unmatched;
  Result<std::vector<ListEntry>> entries = list_probes(pattern, options.verbose, environment, &unmatched);
  if ((!entries || entries->empty()) && pattern.ends_with(".bt"))
    return complain(fail("there is no file `" + pattern + "`", "patterns look like `tracepoint:sched:*`").error());
  if (!entries) return complain(entries.error());
  std::string out;
  for (const ListEntry &entry : *entries) {
    out += entry.text + "\n";
    for (const std::string &param : entry.params) out += "    " + param + "\n";
  }
  fwrite(out.data(), 1, out.size(), stdout);
  for (const Error &error : unmatched) complain(error);  // an empty list, as its reader sees
  return 0;
}

}  // namespace awl
