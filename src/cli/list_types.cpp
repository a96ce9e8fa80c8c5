#include "cli/list_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/diagnostic.h"
#include "base/strings.h"

namespace awl {

namespace {

std::string member(const Field &field) {
  if (field.name.empty()) return fmt::format("    {};\n", to_string(field.type));
  return fmt::format("    {} {}{};\n", to_string(field.type), field.name,
                     field.bits ? fmt::format(":{}", field.bits) : "");
}

Result<std::string> definition(const std::string &name, TypeStore &store) {
  std::optional<const Type *> type = TRY(store.find(name));
  if (!type) return fail("the kernel does not describe `" + name + "`");
  std::string out = name + " {\n";
  if ((*type)->kind == TypeKind::Enum) {
    for (const Enumerator &one : (*type)->enumerators) out += fmt::format("    {} = {},\n", one.name, one.value);
  } else if ((*type)->is_struct()) {
    for (const Field &field : *TRY(store.fields(*type))) out += member(field);
  }
  return out + fmt::format("}};  // {} bytes\n", (*type)->size);
}

}  // namespace

bool is_type_pattern(std::string_view pattern) {
  return pattern.starts_with("struct ") || pattern.starts_with("union ") || pattern.starts_with("enum ");
}

Result<std::string> list_types(std::string_view pattern, bool verbose, TypeStore &store) {
  std::vector<std::string> found;
  const std::vector<std::string> all = store.names();
  std::ranges::copy_if(all, std::back_inserter(found), [&](const std::string &n) { return glob_match(pattern, n); });
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) {
    std::string near = nearest(pattern, all);
    return fail(fmt::format("the kernel describes no `{}`", pattern),
                near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  }
  std::string out;
  for (const std::string &name : found) out += verbose ? TRY(definition(name, store)) : name + "\n";
  return out;
}

}  // namespace awl
