// What the compiler knows of a program besides its tree. Made by infer_types(), immutable afterwards.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/passes/bind.h"
#include "ast/passes/c_functions.h"
#include "ast/passes/open_params.h"
#include "ast/passes/resolve.h"
#include "ast/passes/stdlib.h"
#include "base/diagnostic.h"
#include "runtime/image/manifest.h"
#include "runtime/types/type_store.h"

namespace awl::ast {

// What stays the same from binding to lowering.
struct CompileInput {
  Program &program;
  const std::vector<Unit> &units;
  const Names &names;
  FunctionTable &functions;
  TypeStore &store;
  const ConfigValues &config;
  const std::vector<std::string> &params;  // positional
  bool asks_param_count = false;           // the script uses `$#`
  UserTypes *user_types = nullptr;         // of the programs that are probed
  const CFunctions *c_functions = nullptr;
  const OpenParams *open_params = nullptr;  // null: all are known

  // A parameter that is not known before the program is run; null for all others.
  [[nodiscard]] const ScriptParam *open_param(const PositionalParam &param) const {
    return open_params ? open_params->find(param.number) : nullptr;
  }
};

struct MapFacts {
  std::string name;                // "@x"
  Span first;                      // where it is named first
  bool shape_known = false;        // keys says whether it has keys
  std::vector<const Type *> keys;  // empty: scalar map
  const Type *value = nullptr;     // null until something was stored
  const MapDecl *declared = nullptr;
  bool read = false;       // an entry is used as a value
  bool never_set = false;  // it is only read: always 0
};

struct Facts {
  NodeTable<const Type *> types;                  // of expressions
  NodeTable<std::optional<int64_t>> constants;    // of sizeof, offsetof, is_*(): what follows from types
  std::map<std::string, MapFacts> maps;           // by name with `@`
  std::vector<std::vector<const Type *>> locals;  // by unit and local
  std::vector<const Type *> results;              // by unit: what a function gives
};

// Types of everything, by rules to a fixed point; then each rule once more for the diagnostics.
Facts infer_types(const CompileInput &input, Diagnostics &diagnostics);

}  // namespace awl::ast
