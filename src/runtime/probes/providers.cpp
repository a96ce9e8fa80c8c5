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
  std::vector<std::string> names;
  for (const Provider *provider : all_providers()) names.emplace_back(provider->name());
  return unknown_name("provider", given, names);
}

bool spelled(const Provider &provider, std::string_view name) {
  if (provider.name() == name) return true;
  std::vector<std::string_view> aliases = provider.aliases();
  return std::ranges::find(aliases, name) != aliases.end();
}

}  // namespace

const std::vector<const Provider *> &all_providers() {
  static const std::vector<const Provider *> list = {
      &begin_provider(),
      &end_provider(),
      &kprobe_provider(),
      &kretprobe_provider(),
      &fentry_provider(),
      &fexit_provider(),
      &tracepoint_provider(),
      &raw_tracepoint_provider(),
      &uprobe_provider(),
      &uretprobe_provider(),
      &usdt_provider(),
      &profile_provider(),
      &interval_provider(),
      &software_provider(),
      &hardware_provider(),
      &watchpoint_provider(),
      &async_watchpoint_provider(),
      &iter_provider(),
      &self_provider(),
      &test_provider(),
      &bench_provider(),
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
    const bool usual =
        of_user ? provider->name() == "uprobe" || provider->name() == "usdt" : provider->listed_by_default();
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

// A listing must not end at the first provider that cannot be asked: its error counts only if nothing
// else was found.
Result<std::vector<ListEntry>> list_matches(std::string_view pattern, bool verbose, const ProbeEnvironment &env) {
  std::vector<std::string> parts = TRY(split_attach_point(pattern.empty() ? "*" : pattern));
  std::vector<const Provider *> chosen;
  if (const Provider *provider = find_provider(parts[0])) {
    if (provider->listed_by_syntax()) return std::vector<ListEntry>{{std::string(provider->syntax()), {}}};
    chosen.push_back(provider);
    parts.erase(parts.begin());
    if (parts.empty() || (parts.size() == 1 && parts[0].empty())) parts = {"*"};
    if (parts.size() == 1 && parts[0].find('/') != std::string::npos) parts.emplace_back("*");  // all of a file
  } else {
    if (std::ranges::find(kPlanned, lower(parts[0])) != kPlanned.end()) return unknown_provider(parts[0]);
    bool any = parts.size() == 1;  // "*open*": part of a target's name, of whatever provider
    for (const Provider *candidate : all_providers()) {
      bool usual = (!any && parts[0] != "*") || candidate->listed_by_default() ||
                   (env.pid != 0 && (candidate->name() == "uprobe" || candidate->name() == "usdt"));
      if (usual && (any || glob_match(lower(parts[0]), candidate->name()))) chosen.push_back(candidate);
    }
    if (!any && chosen.empty()) return unknown_provider(parts[0]);
    if (!any) parts.erase(parts.begin());
  }
  std::vector<ListEntry> out;
  std::optional<Error> error;
  for (const Provider *provider : chosen) {
    if (provider->listed_by_syntax()) continue;  // nothing that a pattern could match
    auto target = provider->parse(parts, env);
    auto found = target ? provider->list(*target, verbose, env) : std::unexpected(std::move(target).error());
    if (found)
      std::ranges::move(*found, std::back_inserter(out));
    else if (!error)
      error = std::move(found).error();
  }
  if (out.empty() && error) return std::unexpected(std::move(*error));
  return out;
}

}  // namespace

Result<std::vector<ListEntry>> list_probes(std::string_view patterns, bool verbose, const ProbeEnvironment &env) {
  std::vector<ListEntry> out;
  for (const std::string_view pattern : split_patterns(patterns))
    std::ranges::move(TRY(list_matches(pattern, verbose, env)), std::back_inserter(out));
  return out;
}

}  // namespace awl
