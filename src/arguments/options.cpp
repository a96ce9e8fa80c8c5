#include "arguments/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <regex>

#include "arguments/option_table.h"
#include "base/diagnostic.h"
#include "base/strings.h"

namespace awl {

namespace {

// Options that say what is to be done instead of how.
struct Modes {
  bool help = false, version = false, info = false, fmt = false, test = false, bench = false;
  std::string aot;
};

bool Modes::*mode_flag(std::string_view names) {
  static const std::pair<std::string_view, bool Modes::*> table[] = {
      {"-h,--help", &Modes::help}, {"-V,--version", &Modes::version}, {"--info", &Modes::info},
      {"--fmt", &Modes::fmt},      {"--test", &Modes::test},          {"--bench", &Modes::bench}};
  for (const auto &[name, member] : table)
    if (name == names) return member;
  return nullptr;
}

// An unset variable of the shell must not mean all processes, or no file.
std::string not_empty(const std::string &value) { return value.empty() ? "its value is empty" : ""; }

void declare(CLI::App &app, const OptionRow &row, Options &o, Modes &modes, std::vector<std::string> &unused) {
  const std::string names(row.names);
  CLI::Option *option = nullptr;
  if (names == "--aot") {
    option = app.add_option(names, modes.aot);
  } else if (names == "-k,--warnings") {
    option = app.add_flag(names, o.warnings);
  } else if (bool Modes::*flag = mode_flag(row.names)) {
    option = app.add_flag(names, modes.*flag);
  } else if (const auto *yes = std::get_if<bool Options::*>(&row.target)) {
    option = app.add_flag(names, o.**yes);
  } else if (const auto *number = std::get_if<int Options::*>(&row.target)) {
    option = app.add_option(names, o.**number)->check(CLI::Range(1, 1 << 22));
  } else if (const auto *numbers = std::get_if<std::vector<int> Options::*>(&row.target)) {
    option = app.add_option(names, o.**numbers)->check(CLI::Range(1, 1 << 22))->delimiter(',')->allow_extra_args(false);
  } else if (const auto *text = std::get_if<std::string Options::*>(&row.target)) {
    option = app.add_option(names, o.**text)->check(not_empty);
  } else if (const auto *maybe = std::get_if<std::optional<std::string> Options::*>(&row.target)) {
    option = app.add_option(names, o.**maybe);
  } else if (const auto *list = std::get_if<std::vector<std::string> Options::*>(&row.target)) {
    // One value a time, which may hold several: `-d ast,typed`, `--debuginfo A:B`.
    option = app.add_option(names, o.**list)->allow_extra_args(false);
    if (row.value.ends_with(",...")) option->delimiter(',');
    if (row.value.ends_with("[:DIR]")) option->delimiter(':');
  } else if (row.value.empty()) {
    option = app.add_flag(names);
  } else {
    option = app.add_option(names, unused)->allow_extra_args(false);
  }
  if (!row.choices.empty())
    option->check(CLI::IsMember(std::vector<std::string>(row.choices.begin(), row.choices.end())));
}

// The first word may be a command.
void take_command(std::vector<std::string> &args, Options &o) {
  if (args.empty()) return;
  std::span<const CommandRow> rows = command_table();
  auto row = std::ranges::find(rows, std::string_view(args[0]), &CommandRow::name);
  if (row == rows.end()) return;
  o.command = row->command;
  args.erase(args.begin());
}

// What stands behind `--` belongs to the script: named parameters (`--name=value`) and positional ones.
void take_parameters(std::vector<std::string> &args, Options &o) {
  auto mark = std::ranges::find(args, "--");
  if (mark == args.end()) return;
  for (auto word = mark + 1; word != args.end(); ++word)
    (word->size() > 2 && word->starts_with("--") ? o.script_options : o.behind).push_back(std::move(*word));
  args.erase(mark, args.end());
}

// Whether the option, or the step of -d, is one of this program.
bool takes(Tool tool, const auto &row) { return tool == Tool::Awl || row.of_run; }

// An option that is nearly right.
std::string suggestion(const std::vector<std::string> &args, Tool tool) {
  std::vector<std::string> known;
  for (const OptionRow &row : option_table())
    if (takes(tool, row))
      for (const std::string &name : split(row.names, ',')) known.push_back(name);
  for (const std::string &word : args) {
    std::string name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || std::ranges::find(known, name) != known.end()) continue;
    if (std::string near = nearest(name, known); !near.empty()) return "did you mean `" + near + "`?";
  }
  return tool == Tool::Awl ? "`awl --help` lists the options"
                           : "`awl-run --help` lists the options; those of the script stand behind `--`";
}

Result<void> check_steps(Options &o, Tool tool) {
  std::string known;
  for (const DebugStep &step : debug_steps())
    if (takes(tool, step)) known += fmt::format("\n  {:<12} {}", step.name, step.doc);
  for (std::string &step : o.debug) {
    if (step == "parse") step = "ast";  // as bpftrace calls it
    if (step == "d") step = "all";      // -dd of old
    if (std::ranges::none_of(debug_steps(), [&](const DebugStep &s) { return s.name == step && takes(tool, s); }))
      return fail(fmt::format("-d {}: there is no such step", step), "the steps are:" + known);
  }
  return {};
}

Result<void> check(Options &o, Tool tool) {
  if (!o.pids.empty() && !o.child.empty()) return fail("-p and -c exclude each other");
  if (o.follow && o.pids.empty() && o.child.empty())
    return fail("--follow needs a process to start from", "give one with -p, or start one with -c");
  if (o.warnings && o.no_warnings) return fail("-k and --no-warnings exclude each other");
  if (!o.probe_filter.empty()) {
    try {
      std::regex compiled(o.probe_filter);
    } catch (const std::regex_error &e) {
      return fail(fmt::format("--probe-filter: `{}` is no regular expression", o.probe_filter), e.what());
    }
  }
  return check_steps(o, tool);
}

void take_modes(const Modes &modes, Options &o) {
  if (modes.test) o.mode = "test";
  if (modes.bench) o.mode = "bench";
  if (modes.fmt || o.mode == "format") o.command = Command::Format;
  if (!modes.aot.empty()) {
    o.command = Command::Build;
    o.output = modes.aot;
    o.notes.push_back("--aot: `awl run " + modes.aot + "` runs what is written");
  }
  if (modes.help) o.command = Command::Help;
  if (modes.version) o.command = Command::Version;
  if (modes.info) o.command = Command::Info;
}

}  // namespace

Result<Options> parse_options(int argc, char **argv, Tool tool) {
  Options options;
  std::vector<std::string> args(argv + 1, argv + argc);
  if (tool == Tool::Runner) options.command = Command::RunImage;
  if (args.empty()) options.command = Command::Help;
  if (tool == Tool::Awl) take_command(args, options);
  take_parameters(args, options);
  CLI::App app;
  app.set_help_flag();
  Modes modes;
  std::vector<std::string> unused;
  for (const OptionRow &row : option_table())
    if (takes(tool, row)) declare(app, row, options, modes, unused);
  app.add_option("words", options.words);
  const std::vector<std::string> given = args;
  std::ranges::reverse(args);  // as CLI11 wants them
  try {
    app.parse(args);
  } catch (const CLI::ParseError &e) {
    return fail(e.what(), suggestion(given, tool));
  }
  for (const OptionRow &row : option_table())
    if (takes(tool, row) && !row.note.empty() && app.count(split(row.names, ',').back()) > 0)
      options.notes.emplace_back(row.note);
  take_modes(modes, options);
  TRY(check(options, tool));
  if (options.command != Command::Check)
    std::ranges::move(options.behind, std::back_inserter(options.words)), options.behind.clear();
  return options;
}

}  // namespace awl
