#include "ast/passes/facts_dump.h"

#include <fmt/format.h>

namespace awl::ast {

namespace {

std::string name(const Type *type) { return type ? to_string(type) : "?"; }

}  // namespace

std::string dump(const CompileInput &input, const Facts &facts) {
  std::string out;
  for (const auto &[map_name, map] : facts.maps) {
    out += map_name;
    if (!map.keys.empty()) {
      out += '[';
      for (const Type *key : map.keys) out += (key == map.keys.front() ? "" : ", ") + name(key);
      out += ']';
    }
    out += ": " + name(map.value) + "\n";
  }
  for (size_t unit = 0; unit < input.units.size(); unit++) {
    out += input.units[unit].text + "\n";
    const std::vector<LocalFacts> &locals = input.names.locals[unit];
    for (size_t i = 0; i < locals.size() && i < facts.locals[unit].size(); i++)
      out += fmt::format("  ${}: {}\n", locals[i].name, name(facts.locals[unit][i]));
  }
  return out;
}

}  // namespace awl::ast
