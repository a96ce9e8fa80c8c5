#include "runtime/probes/providers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"

namespace awl {

namespace {

// Providers that scripts may ask for and that are not there yet.
constexpr std::array<std::string_view, 4> kPlanned = {"ksyscall", "kretsyscall", "lsm", "xdp"};

std::unexpected<Error> unknown_provider(std::string_view given) {
  std::string name = lower(given);
  if (std::ranges::find(kPlanned, name) != kPlanned.end())
    return fail(fmt::format("provider `{}` is not supported yet", given));
  if (name == "asyncwatchpoint" || name == "aw")
    return fail(fmt::format("there is no provider `{}` any more", given),
                "an argument is watched in two steps: print its address in a probe of the function, and watch it: "
                "`watchpoint:ADDRESS:LENGTH:MODE`");
  if (name == "else") return fail("`else` without an `if`", "the `}` in front of it ends the probe");
  std::vector<std::string> names;
  for (const Provider *provider : all_providers()) names.emplace_back(provider->name());
  std::string similar = nearest(name, names);
  // They have small letters too, but who begins with a capital one has always seen the others.
  if (given[0] >= 'A' && given[0] <= 'Z' && (similar == "begin" || similar == "end"))
    similar = similar == "begin" ? "BEGIN" : "END";
  return fail(fmt::format("no provider `{}`", given),
              similar.empty() ? "" : fmt::format("did you mean `{}`?", similar));
}

bool spelled(const Provider &provider, std::string_view name) {
  if (provider.name() == name) return true;
  std::vector<std::string_view> aliases = provider.aliases();
  return std::ranges::find(aliases, name) != aliases.end();
}

}  // namespace

const std::vector<const Provider *> &all_providers() {
  static const std::vector<const Provider *> list = {
#define AWL_PROVIDER(name) &name##_provider(),
#include "runtime/probes/providers.def"
#undef AWL_PROVIDER
  };
  return list;
}

const Provider *find_provider(std::string_view given) {
  // As written first: `u` is a uprobe, `U` is usdt.
  for (const std::string &name : {std::string(given), lower(given)})
    for (const Provider *provider : all_providers())
      if (spelled(*provider, name)) return provider;
  return nullptr;
}

bool is_run_by_session(std::string_view name) {
  const Provider *provider = find_provider(name);
  return provider && provider->occasion() != Occasion::Event;
}

Result<ProbeTarget> parse_attach_point(std::string_view text, const ProbeEnvironment &env) {
  std::vector<std::string> parts = TRY(split_attach_point(text));
  const Provider *provider = find_provider(parts[0]);
  if (!provider) return unknown_provider(parts[0]);
  parts.erase(parts.begin());
  return provider->parse(parts, env);
}

Result<std::vector<ProbeTarget>> parse_attach_points(std::string_view text, const ProbeEnvironment &env) {
  std::vector<std::string> parts = TRY(split_attach_point(text));
  if (!has_wildcard(parts[0]) || parts.size() < 2) return std::vector{TRY(parse_attach_point(text, env))};
  const std::string name = lower(parts[0]);
  parts.erase(parts.begin());
  const bool of_user = env.pid != 0 || parts[0].find('/') != std::string::npos;
  std::vector<ProbeTarget> out;
  bool known = false;
  for (const Provider *provider : all_providers()) {
    const bool usual = of_user ? provider->listed_in_programs() : provider->listed_by_default();
    if (!usual || !glob_match(name, provider->name())) continue;
    known = true;
    Result<ProbeTarget> target = provider->parse(parts, env);
    if (!target) continue;  // takes other parts
    Result<std::vector<ProbeTarget>> exact = provider->expand(*target, env);
    if (exact && !exact->empty()) out.push_back(std::move(*target));
  }
  if (!known) return unknown_provider(text.substr(0, text.find(':')));
  if (out.empty())
    return fail(fmt::format("no probe matches `{}`", text), fmt::format("`awl -l '{}'` lists them", text));
  return out;
}

namespace {

// The patterns of a list, at commas outside quotes.
std::vector<std::string_view> split_patterns(std::string_view text) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i <= text.size(); i++) {
    const bool end = i == text.size();
    if (!end && text[i] == '"') quoted = !quoted;
    if (!end && (text[i] != ',' || quoted)) continue;
    out.push_back(trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return out;
}

// What a pattern of a listing asks for: the rest of its parts goes to each of the providers.
struct Search {
  std::vector<std::string> parts;
  std::vector<const Provider *> providers;
  bool named = false;  // the only provider is the one that the pattern names
};

Result<Search> search_for(std::string_view pattern, const ProbeEnvironment &env) {
  Search search{TRY(split_attach_point(pattern.empty() ? "*" : pattern)), {}};
  std::vector<std::string> &parts = search.parts;
  const std::string first = lower(parts[0]);
  if (const Provider *provider = find_provider(parts[0])) {
    search.providers = {provider};
    search.named = true;
    parts.erase(parts.begin());
    if (parts.empty() || (parts.size() == 1 && parts[0].empty())) parts = {"*"};
    if (parts.size() == 1 && parts[0].find('/') != std::string::npos) parts.emplace_back("*");  // all of a file
    return search;
  }
  if (std::ranges::find(kPlanned, first) != kPlanned.end()) return unknown_provider(parts[0]);
  const bool any = parts.size() == 1;  // "*open*": part of a target's name, of whatever provider
  for (const Provider *candidate : all_providers()) {
    const bool usual =
        (!any && first != "*") || candidate->listed_by_default() || (env.pid != 0 && candidate->listed_in_programs());
    if (usual && !candidate->listed_by_syntax() && (any || glob_match(first, candidate->name())))
      search.providers.push_back(candidate);
  }
  if (!any && search.providers.empty()) return unknown_provider(parts[0]);
  if (!any) parts.erase(parts.begin());
  return search;
}

// The name of an event alone is enough where no provider is named.
Result<ProbeTarget> parse_search(const Provider &provider, const Search &search, const ProbeEnvironment &env) {
  auto target = provider.parse(search.parts, env);
  if (target || search.named || search.parts.size() != 1 || !provider.listed_by_default()) return target;
  auto anywhere = provider.parse({"*", search.parts[0]}, env);
  return anywhere && anywhere->name == search.parts[0] ? anywhere : target;
}

// Where no provider is named, those that the kernel lacks or that take other parts have nothing to list; one that
// cannot be asked is an error only if nothing else was found.
Result<std::vector<ListEntry>> list_matches(const Search &search, bool verbose, const ProbeEnvironment &env) {
  if (search.named && search.providers[0]->listed_by_syntax())
    return std::vector<ListEntry>{{std::string(search.providers[0]->syntax()), {}}};
  std::vector<ListEntry> out;
  std::optional<Error> error;
  for (const Provider *provider : search.providers) {
    auto target = parse_search(*provider, search, env);
    if (!target && search.named) return std::unexpected(std::move(target).error());
    if (!target || (!search.named && !provider->available(env))) continue;
    auto found = provider->list(*target, verbose, env);
    if (found)
      std::ranges::move(*found, std::back_inserter(out));
    else if (!error)
      error = std::move(found).error();
  }
  if (out.empty() && error) return std::unexpected(std::move(*error));
  return out;
}

// Why a search has found nothing: what its provider would say to a script, or what is called nearly so.
Error nothing_matches(std::string_view pattern, const Search &search, const ProbeEnvironment &env) {
  Error out;
  out.message = fmt::format("no probe matches `{}`", pattern);
  if (search.named) {
    auto target = parse_search(*search.providers[0], search, env);
    auto exact = target ? search.providers[0]->expand(*target, env) : std::unexpected(std::move(target).error());
    return exact ? out : std::move(exact).error();
  }
  const std::string &name = search.parts.back();
  if (has_wildcard(name)) return out;
  Search wider = search;
  wider.parts = {"*" + name + "*"};
  if (auto found = list_matches(wider, false, env); found && !found->empty()) {
    out.hint = fmt::format("`awl -l '*{}*'` lists {} whose names hold it", name, found->size());
    return out;
  }
  wider.parts = {"*"};
  std::vector<std::string> names;
  for (const ListEntry &entry : list_matches(wider, false, env).value_or(std::vector<ListEntry>()))
    names.push_back(entry.text.substr(entry.text.rfind(':') + 1));
  if (std::string similar = nearest(name, names); !similar.empty())
    out.hint = fmt::format("did you mean `{}`?", similar);
  return out;
}

}  // namespace

Result<std::vector<ListEntry>> list_probes(std::string_view patterns, bool verbose, const ProbeEnvironment &env,
                                           std::vector<Error> *unmatched) {
  std::vector<ListEntry> out;
  for (const std::string_view pattern : split_patterns(patterns)) {
    const Search search = TRY(search_for(pattern, env));
    std::vector<ListEntry> found = TRY(list_matches(search, verbose, env));
    if (found.empty() && unmatched) unmatched->push_back(nothing_matches(pattern, search, env));
    std::ranges::move(found, std::back_inserter(out));
  }
  return out;
}

}  // namespace awl
