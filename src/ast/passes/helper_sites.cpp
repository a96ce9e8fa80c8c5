#include "ast/passes/helper_sites.h"

#include <linux/bpf.h>

#include <algorithm>
#include <optional>

#include "ast/typed/walk.h"

namespace awl::ast {

namespace {

std::optional<uint32_t> helper_of(const typed::Value &value) {
  using typed::Kind;
  switch (value.kind) {
    case Kind::Load: return typed::read_helper(static_cast<const typed::Load &>(value).space);
    case Kind::FieldLoad: return typed::read_helper(static_cast<const typed::FieldLoad &>(value).space);
    case Kind::ReadBuffer: return typed::read_helper(static_cast<const typed::ReadBuffer &>(value).space);
    case Kind::ReadString: return typed::read_string_helper(static_cast<const typed::ReadString &>(value).space);
    case Kind::MapGet:
      if (static_cast<const typed::MapGet &>(value).key) return BPF_FUNC_map_lookup_elem;
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace

std::vector<HelperSite> find_helper_sites(const typed::Module &module, bool all) {
  std::vector<HelperSite> sites;
  auto look = [&](const typed::Value &value) {
    std::optional<uint32_t> helper = helper_of(value);
    if (helper && (all || helper == BPF_FUNC_probe_read_user_str)) {
      bool known = std::ranges::any_of(sites, [&](const HelperSite &site) {
        return site.helper == *helper && site.span.begin == value.span.begin && site.span.end == value.span.end;
      });
      if (!known) sites.push_back({value.span, *helper});
    }
    return false;
  };
  for (const typed::Function &function : module.functions) typed::any_of(function.body, look);
  for (const typed::Program &program : module.programs) typed::any_of(program.body, look);
  return sites;
}

}  // namespace awl::ast
