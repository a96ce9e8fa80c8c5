#include "runtime/probes/context_record.h"

#include <fmt/format.h>

namespace awl {

Result<std::optional<const Type *>> find_context_record(std::string_view kind, std::string_view module,
                                                        std::string_view name, const ProbeEnvironment &env) {
  if (!env.types) return std::nullopt;
  return env.types->find(module.empty() ? fmt::format("{} {}", kind, name)
                                        : fmt::format("{} {}:{}", kind, module, name));
}

std::vector<std::string> describe_context_record(const Type *record) {
  std::vector<std::string> out;
  for (const Field &field : record->fields) {
    std::string type = to_string(field.type);
    out.push_back(fmt::format("{} {}", type, field.name));
  }
  return out;
}

}  // namespace awl
