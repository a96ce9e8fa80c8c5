#include "runtime/probes/context_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "runtime/probes/attach_point.h"

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

ListEntry context_list_entry(std::string_view kind, std::string_view module, std::string_view name, bool verbose,
                             const ProbeEnvironment &env) {
  ListEntry entry;
  entry.text = module.empty() ? fmt::format("{}:{}", kind, name) : fmt::format("{}:{}:{}", kind, module, name);
  if (verbose)
    if (auto record = find_context_record(kind, module, name, env); record && *record)
      entry.params = describe_context_record(**record);
  return entry;
}

std::vector<std::string> described_names(std::string_view prefix, std::string_view pattern,
                                         const ProbeEnvironment &env) {
  std::vector<std::string> out;
  if (!env.types) return out;
  for (const std::string &name : env.types->names())
    if (name.starts_with(prefix) && glob_match(pattern, std::string_view(name).substr(prefix.size())))
      out.push_back(name.substr(prefix.size()));
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

Result<ProbeTarget> parse_in_module(const Provider &provider, const std::vector<std::string> &parts) {
  if (parts.empty() || parts.size() > 2 || parts[0].empty() || parts.back().empty())
    return wrong_parts(provider, parts.size());
  ProbeTarget target;
  target.provider = provider.name();
  if (parts.size() == 2) target.scope = parts[0];
  target.name = parts.back();
  return target;
}

}  // namespace awl
