// The standard library: declarations of all functions, found by name, parsed when first used.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"

namespace awl::ast {

// One declaration of stdlib/*.bt: its doc, attributes, signature and body.
struct StdlibEntry {
  std::string_view name;
  std::string_view text;
};
std::span<const StdlibEntry> stdlib_index();  // sorted by name; generated

// The parser, given from above: this folder does not know it.
using ParseStdlib = std::function<Program(const Source &, Diagnostics &)>;

class FunctionTable {
 public:
  explicit FunctionTable(ParseStdlib parse) : parse_(std::move(parse)) {}

  // Functions of the script are found as well. False if the name is taken. `function` must stay where it is.
  bool add(const Function &function);
  // Declaration of a function, null if there is none.
  const Function *find(std::string_view name);
  [[nodiscard]] std::vector<std::string> names() const;
  // Declarations of the standard library that were parsed so far: those that somebody asked for.
  [[nodiscard]] size_t read_count() const { return parsed_.size(); }

 private:
  ParseStdlib parse_;
  std::map<std::string, const Function *, std::less<>> of_script_;
  std::map<std::string, std::unique_ptr<Program>, std::less<>> parsed_;
};

// What to write instead of a name that other tracers have: "write `comm`" for `execname`; "" for all other names.
std::string_view foreign_name_hint(std::string_view name);

// Attribute of a declaration by name, null if it has none of that name.
const Attribute *attribute(const Function &function, std::string_view name);
// True if [[needs(...)]] names `what`.
bool needs(const Function &function, std::string_view what);
// Parameters that must be given.
size_t required_params(const Function &function);
bool is_variadic(const Function &function);
// "printf(format: literal, ...values: any): void"
std::string signature(const Function &function);

}  // namespace awl::ast
