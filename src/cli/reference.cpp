#include "cli/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "arguments/option_table.h"
#include "ast/passes/config.h"
#include "ast/passes/stdlib.h"
#include "base/strings.h"
#include "parser/parser.h"
#include "runtime/probes/provider.h"

namespace awl {

namespace {

ast::Program parse_declaration(const Source &source, Diagnostics &diagnostics) {
  return parse(source, {.defines = {}, .stdlib = true, .file = 0}, diagnostics);
}

// One function as its declaration describes it.
struct Entry {
  std::string name, form, doc;
  std::vector<std::string> notes;
  bool aggregate = false;
  bool bare = false;  // nothing must be given: callable without parentheses
};

// "fn str(address: integer, length: constant = 0): string { ... }" -> "str(address: integer, length: constant = 0):
// string"
std::string form_of(std::string_view declaration) {
  for (std::string_view rest = declaration; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.starts_with("fn ")) continue;
    line.remove_prefix(3);
    return std::string(trim(line.substr(0, line.find_first_of("{;"))));
  }
  return {};
}

std::vector<std::string> notes_of(const ast::Function &function) {
  static constexpr std::pair<std::string_view, std::string_view> kNeeds[] = {
      {"regs", "a probe that has registers"},
      {"func", "a probe in a function"},
      {"retval", "a probe at a return"},
      {"args", "a probe whose arguments have names"},
      {"argn", "a probe with arguments"},
      {"user", "a probe in a program"},
      {"entry", "a probe at the entry of a function, kprobe or uprobe"},
  };
  std::vector<std::string> notes;
  for (const auto &[key, text] : kNeeds)
    if (ast::needs(function, key)) notes.push_back(fmt::format("Needs {}.", text));
  if (ast::attribute(function, "unsafe")) notes.emplace_back("Needs --unsafe.");
  if (ast::attribute(function, "async"))
    notes.emplace_back("Carried out in the order of the calls, a little later than the event.");
  return notes;
}

Entry entry_of(const ast::StdlibEntry &declared) {
  Diagnostics diagnostics;
  ast::Program program = parse_declaration(Source("stdlib", std::string(declared.text)), diagnostics);
  Entry entry;
  entry.name = declared.name;
  entry.form = form_of(declared.text);
  if (program.functions.empty()) return entry;
  const ast::Function &function = program.functions.front();
  entry.doc = function.doc;
  entry.notes = notes_of(function);
  entry.aggregate = ast::attribute(function, "aggregate") != nullptr;
  entry.bare = ast::required_params(function) == 0 && !ast::is_variadic(function) && function.result.name != "void";
  return entry;
}

std::vector<Entry> all_entries() {
  std::vector<Entry> out;
  for (const ast::StdlibEntry &declared : ast::stdlib_index())
    if (!declared.name.starts_with("__")) out.push_back(entry_of(declared));
  return out;
}

std::string text_of(const Entry &entry) {
  std::string out = entry.form + "\n\n" + entry.doc + "\n";
  for (const std::string &note : entry.notes) out += note + "\n";
  if (entry.aggregate) out += "Assigned to a map: @ = " + entry.name + "(...), @[key] = " + entry.name + "(...)\n";
  return out;
}

std::optional<std::string> about_provider(std::string_view name) {
  const Provider *provider = find_provider(name);
  if (!provider) return std::nullopt;
  std::string out = fmt::format("{}\n\nFires {}.\n", provider->syntax(), provider->doc());
  std::string aliases;
  for (std::string_view alias : provider->aliases()) aliases += (aliases.empty() ? "" : ", ") + std::string(alias);
  if (!aliases.empty()) out += fmt::format("Short: {}\n", aliases);
  return out + fmt::format("`awl -l '{}:*'` lists what there is; docs/probes.md says more.\n", provider->name());
}

std::string list_of_config() {
  std::string out = "config = { name = value; ... } in front of the probes, or BPFTRACE_NAME in the environment:\n\n";
  for (const ast::ConfigVariable &variable : ast::config_variables())
    out += fmt::format("  {:<26} {}\n", variable.name, variable.doc);
  return out;
}

std::optional<std::string> about_config(std::string_view given) {
  const std::string name = lower(given);
  if (name == "config") return list_of_config();
  const ast::ConfigVariable *variable = ast::config_variable(name);
  if (!variable) return std::nullopt;
  std::string upper(variable->name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string out = fmt::format("config = {{ {} = ... }} or BPFTRACE_{} in the environment\n\n{}\n", variable->name,
                                upper, variable->doc);
  const std::string today(variable->name);
  if (name != today && name != "bpftrace_" + today && name != "awl_" + today)
    out += fmt::format("{} is an old name{}.\n", given, name.ends_with("no_" + today) ? " of the opposite" : "");
  return out;
}

std::optional<std::string> about_option(std::string_view name) {
  for (const OptionRow &row : option_table()) {
    const std::vector<std::string> names = split(row.names, ',');
    if (std::ranges::find(names, name) == names.end()) continue;
    const std::string value = row.value.empty() ? "" : " " + std::string(row.value);
    const std::string_view doc = !row.doc.empty()    ? row.doc
                                 : !row.note.empty() ? row.note
                                                     : "accepted, changes nothing";
    return fmt::format("{}{}\n\n{}\n", fmt::join(names, ", "), value, doc);
  }
  for (const CommandRow &row : command_table())
    if (row.name == name) return fmt::format("awl {} {}\n\n{}\n", row.name, row.synopsis, row.doc);
  return std::nullopt;
}

std::string section(const std::vector<Entry> &entries, std::string_view title, std::string_view intro,
                    bool (*belongs)(const Entry &)) {
  std::string out = fmt::format("## {}\n\n{}\n\n", title, intro);
  for (const Entry &entry : entries) {
    if (!belongs(entry)) continue;
    out += fmt::format("### {}\n\n    {}\n\n{}\n", entry.name, entry.form, entry.doc);
    for (const std::string &note : entry.notes) out += note + "\n";
    out += '\n';
  }
  return out;
}

}  // namespace

std::vector<std::string> function_names() {
  std::vector<std::string> out;
  for (const ast::StdlibEntry &entry : ast::stdlib_index())
    if (!entry.name.starts_with("__")) out.emplace_back(entry.name);
  return out;
}

std::optional<std::string> about(std::string_view name) {
  std::string text;
  auto add = [&](std::optional<std::string> part) {
    if (part) text += (text.empty() ? "" : "\n") + *part;
  };
  for (const ast::StdlibEntry &entry : ast::stdlib_index())
    if (entry.name == name && !name.starts_with("__")) add(text_of(entry_of(entry)));
  add(about_provider(name));
  add(about_config(name));
  add(about_option(name));
  add(explanation(name));
  return text.empty() ? std::nullopt : std::optional(text);
}

std::vector<std::string> topics() {
  std::vector<std::string> out = function_names();
  for (const Provider *provider : all_providers()) out.emplace_back(provider->name());
  for (const ast::ConfigVariable &variable : ast::config_variables()) out.emplace_back(variable.name);
  for (const CommandRow &row : command_table()) out.emplace_back(row.name);
  for (const OptionRow &row : option_table())
    for (const std::string &name : split(row.names, ',')) out.push_back(name);
  out.emplace_back("config");
  return out;
}

std::string functions_markdown() {
  const std::vector<Entry> entries = all_entries();
  std::string out =
      "# Functions\n\n"
      "Made from stdlib/*.bt by `awl help --markdown`; `awl help NAME` shows one. What follows `=` is the default of "
      "an\n"
      "argument that may be left out; `...` stands for any number of them. `literal` is a string written in the "
      "script,\n"
      "`constant` a number known when it is compiled, `word` a bare name.\n\n";
  out += section(entries, "Builtins", "Nothing must be given: they are called with or without parentheses.",
                 [](const Entry &e) { return e.bare && !e.aggregate; });
  out += section(entries, "Functions", "Called with their arguments.",
                 [](const Entry &e) { return !e.bare && !e.aggregate; });
  out +=
      section(entries, "Aggregations", "Assigned to a map, which then collects: `@ = count();`, `@[comm] = hist(x);`",
              [](const Entry &e) { return e.aggregate; });
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace awl
