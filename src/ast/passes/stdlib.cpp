#include "ast/passes/stdlib.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/strings.h"

namespace awl::ast {

bool FunctionTable::add(const Function &function) {
  return !find(function.name) && of_script_.emplace(function.name, &function).second;
}

const Function *FunctionTable::find(std::string_view name) {
  if (auto it = of_script_.find(name); it != of_script_.end()) return it->second;
  // The name that bpftrace's own library uses for what its macro `pid` stands for.
  constexpr std::string_view kBuiltin = "__builtin_";
  if (name.starts_with(kBuiltin)) name.remove_prefix(kBuiltin.size());
  auto known = parsed_.find(name);
  if (known == parsed_.end()) {
    std::span<const StdlibEntry> index = stdlib_index();
    auto entry = std::lower_bound(index.begin(), index.end(), name,
                                  [](const StdlibEntry &e, std::string_view n) { return e.name < n; });
    if (entry == index.end() || entry->name != name) return nullptr;
    Diagnostics diagnostics;
    Program program = parse_(Source("stdlib", std::string(entry->text)), diagnostics);
    assert(!diagnostics.has_errors() && program.functions.size() == 1);
    known = parsed_.emplace(std::string(name), std::make_unique<Program>(std::move(program))).first;
  }
  return &known->second->functions.front();
}

std::vector<std::string> FunctionTable::names() const {
  std::vector<std::string> out;
  for (const StdlibEntry &entry : stdlib_index())
    if (!entry.name.starts_with("__")) out.emplace_back(entry.name);
  for (const auto &[name, function] : of_script_) out.push_back(name);
  return out;
}

namespace {

struct ForeignName {
  std::string_view name, hint;
};
// Names that other tracers have.
constexpr ForeignName kForeignNames[] = {
    {"quantize", "write `hist(value)`"},
    {"lquantize", "write `lhist(value, min, max, step)`"},
    {"execname", "write `comm`"},
    {"timestamp", "write `nsecs`"},
    {"walltimestamp", "`time()` prints the time of day, `strftime(format, nsecs)` makes a text of it"},
    {"copyinstr", "write `str(address)`"},
    {"stringof", "write `str(address)`"},
    {"tracemem", "write `buf(address, length)`"},
    {"probefunc", "write `func`"},
    {"probename", "write `probe`"},
    {"printa", "write `print(@map)`"},
    {"trunc", "write `clear(@map)`"},
    {"strcmp", "strings are compared with `==`"},
    {"null", "write `0`"},
    {"nil", "write `0`"},
    {"None", "write `0`"},
    {"next", "`return` ends the action"},
    {"cgroup_id", "write `cgroup`"},
    {"getpid", "write `pid`"},
    {"gettid", "write `tid`"},
    {"getuid", "write `uid`"},
    {"length", "write `len(value)`"},
    {"substr", "`str(text, length)` takes the front of a text, `strstr(text, part)` finds a part"},
    {"tolower", "there are no functions for upper and lower case; `comm =~ \"[Bb]ash\"` matches both"},
    {"toupper", "there are no functions for upper and lower case; `comm =~ \"[Bb]ash\"` matches both"},
    {"sprintf", "`printf` prints a text; a key of a map or a value can be a tuple: `(pid, comm)`"},
    {"name", "write `comm` for the name of the process, `probe` for that of the probe"},
};

}  // namespace

std::string_view foreign_name_hint(std::string_view name) {
  for (const ForeignName &foreign : kForeignNames)
    if (foreign.name == name) return foreign.hint;
  return {};
}

const Attribute *attribute(const Function &function, std::string_view name) {
  for (const Attribute &a : function.attributes)
    if (a.name == name) return &a;
  return nullptr;
}

bool needs(const Function &function, std::string_view what) {
  return std::ranges::any_of(function.attributes,
                             [&](const Attribute &a) { return a.name == "needs" && trim(a.argument) == what; });
}

size_t required_params(const Function &function) {
  return static_cast<size_t>(
      std::ranges::count_if(function.params, [](const FunctionParam &p) { return !p.variadic && !p.default_value; }));
}

bool is_variadic(const Function &function) { return !function.params.empty() && function.params.back().variadic; }

std::string signature(const Function &function) {
  std::string params;
  for (const FunctionParam &p : function.params) {
    if (!params.empty()) params += ", ";
    params += fmt::format("{}{}: {}{}", p.variadic ? "..." : "", p.name, p.type.name, p.default_value ? " = ..." : "");
  }
  return fmt::format("{}({}): {}", function.name, params, function.result.name);
}

}  // namespace awl::ast
