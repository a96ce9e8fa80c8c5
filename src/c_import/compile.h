// Functions written in C (`import "x.bpf.c"`): compiled by an installed clang, linked to the script's object by libbpf.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ast/passes/c_functions.h"
#include "base/diagnostic.h"
#include "base/result.h"
#include "runtime/types/type_store.h"

namespace awl {

// A C file as a BPF object.
struct CObject {
  ast::CSource source;
  std::string bytes;
};

// Runs clang, $AWL_CLANG or what is found in PATH, and remembers what it has made of each file: a script whose
// parameters stay open is compiled several times.
class CCompiler {
 public:
  explicit CCompiler(std::vector<std::string> include_dirs) : include_dirs_(std::move(include_dirs)) {}
  // What clang says becomes diagnostics at the import, with the line of the C file, which is added to `source` for
  // that. nullopt after an error.
  std::optional<CObject> compile(const ast::CSource &file, Source &source, Diagnostics &diagnostics);

 private:
  struct Outcome {
    Result<int> status;  // of clang, or why there was no run
    std::string object, messages;
  };
  const Outcome &outcome(const std::string &clang, const std::string &path);

  std::vector<std::string> include_dirs_;
  std::map<std::string, Outcome> outcomes_;  // by path
};

// The functions that an object offers: global ones, with their types from its BTF.
Result<std::vector<ast::CFunction>> functions_of(const CObject &object, TypeStore &store);

// The walk of user stacks (runtime/unwind/walk.bpf.cc), compiled when awl was built.
CObject unwinder_object();

// One object of the script's and all that it calls.
Result<std::string> link_objects(const std::string &script, const std::vector<CObject> &others);

}  // namespace awl
