// From source text to Image: the pipeline of docs/architecture.md.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/source.h"
#include "runtime/image/manifest.h"
#include "runtime/probes/provider.h"
#include "runtime/types/type_store.h"

namespace awl {

struct CompileRequest {
  std::vector<std::string> params;  // positional parameters of the script
  int pid = 0;                      // -p: binaries of probes may be omitted then
  bool unsafe = false;
  std::set<std::string> dump;       // steps to print on stdout: ast, typed, codegen
  bool check_only = false;          // stop after the checks
};

// Image of a script; nullopt if there were errors (or with check_only).
std::optional<Image> compile(const Source &source, const CompileRequest &request, TypeStore &store, Diagnostics &diagnostics);

// Adds the running kernel's types: tracepoint formats and BTF.
void add_kernel_types(TypeStore &store);

}  // namespace awl
