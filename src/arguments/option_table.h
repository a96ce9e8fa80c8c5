// Every option, every command and every step of -d in one table each: parsing, --help and the completions of shells are
// made from them.
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "arguments/options.h"

namespace awl {

// What a shell offers for the value of an option, or for the words of a command.
enum class Offer { Nothing, File, Directory, Process, Probe, Choice, Step, Function, Code, Shell };

struct Ignored {};  // accepted because scripts and aliases pass it
using OptionTarget =
    std::variant<Ignored, bool Options::*, int Options::*, std::vector<int> Options::*, std::string Options::*,
                 std::optional<std::string> Options::*, std::vector<std::string> Options::*>;

struct OptionRow {
  std::string_view names;  // "-o,--output"
  std::string_view value;  // "FILE"; "" for a flag
  std::string_view group;  // heading in --help; "" for what is accepted and not shown
  std::string_view doc;
  OptionTarget target = Ignored{};
  Offer offer = Offer::Nothing;
  std::vector<std::string_view> choices;  // the only values that are right
  std::string_view note;                  // printed when the option is given and does nothing
  bool of_run = false;                    // awl-run takes it as well
};
const std::vector<OptionRow> &option_table();

// What `-d` can print, in the order of the pipeline. The last ones are said by the run, not by the compiler.
struct DebugStep {
  std::string_view name;  // "ast"
  std::string_view doc;
  bool of_run = false;
};
std::span<const DebugStep> debug_steps();

struct CommandRow {
  std::string_view name;
  Command command;
  std::string_view synopsis;  // "FILE..."
  std::string_view doc;
  Offer offer = Offer::Nothing;
};
std::span<const CommandRow> command_table();

// Text of `awl --help` and of `awl-run --help`: at most 80 columns.
std::string general_help();
std::string runner_help();

}  // namespace awl
