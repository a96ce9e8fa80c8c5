// `awl --help` and `awl-run --help`, made from the tables of options and commands.
#include <fmt/format.h>

#include "arguments/option_table.h"
#include "base/strings.h"

namespace awl {

namespace {

constexpr size_t kWidth = 79;
constexpr size_t kColumn = 27;  // where descriptions start

constexpr std::string_view kHead = R"(awk for the live kernel: compiles a small language to BPF, attaches it, and
prints what it collects.

Usage:
  awl [OPTIONS] -e PROGRAM [PARAMETER...] [-- --NAME=VALUE...]
  awl [OPTIONS] FILE [PARAMETER...] [-- --NAME=VALUE...]
  awl [OPTIONS] -l [PATTERN | FILE]
  awl COMMAND ...

Examples:
  awl -e 'tracepoint:syscalls:sys_enter_openat {
            printf("%s %s\n", comm, str(args.filename)); }'
  awl -e 'profile:hz:99 /comm == "postgres"/ { @[kstack] = count(); }'
  awl script.bt 10                 run a file, $1 is 10
  awl -l 'tracepoint:sched:*'      list probes
  awl -lv 'uprobe:/bin/bash:read*' list probes with their arguments
  awl build -o tool.img script.bt; awl run tool.img
)";

constexpr std::string_view kRunnerHead = R"(Runs what `awl build` has written; there is no compiler in it.

Usage:
  awl-run [OPTIONS] IMAGE [PARAMETER...] [-- --NAME=VALUE...]
)";

constexpr std::string_view kRunnerTail = R"(
Environment: BPFTRACE_BTF, BPFTRACE_COLOR, NO_COLOR.
Status: 0, the argument of exit(), or 1 after an error or a failed test.
)";

constexpr std::string_view kTail = R"(
`awl help NAME` explains a function, a builtin, a probe, a config variable.
Environment: BPFTRACE_NAME or AWL_NAME sets a config variable; BPFTRACE_BTF,
BPFTRACE_COLOR, NO_COLOR.
Status: 0, the argument of exit(), or 1 after an error or a failed test.
)";

// "-o,--output FILE" -> "-o, --output FILE"; long options alone stand under the long ones.
std::string left_side(const OptionRow &row) {
  std::vector<std::string> names = split(row.names, ',');
  std::string out = names[0].starts_with("--") ? "    " + names[0] : names[0];
  if (names.size() > 1) out += ", " + names[1];
  if (!row.value.empty()) out += " " + std::string(row.value);
  return out;
}

void append_row(std::string &out, std::string_view left, std::string_view doc) {
  std::string line = fmt::format("  {}", left);
  if (line.size() + 2 > kColumn) {
    out += line + "\n";
    line.clear();
  }
  line.resize(kColumn, ' ');
  for (const std::string &word : split(doc, ' ')) {
    if (line.size() + word.size() > kWidth) {
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
      line.assign(kColumn, ' ');
    }
    line += word + " ";
  }
  out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

void append_options(std::string &out, bool (*wanted)(const OptionRow &)) {
  std::string_view group;
  for (const OptionRow &row : option_table()) {
    if (row.group.empty() || !wanted(row)) continue;
    if (row.group != group) out += fmt::format("\n{}:\n", row.group);
    group = row.group;
    append_row(out, left_side(row), row.doc);
  }
}

}  // namespace

std::string general_help() {
  std::string out(kHead);
  out += "\nCommands:\n";
  for (const CommandRow &row : command_table()) append_row(out, fmt::format("{} {}", row.name, row.synopsis), row.doc);
  append_options(out, [](const OptionRow &) { return true; });
  out += kTail;
  return out;
}

std::string runner_help() {
  std::string out(kRunnerHead);
  append_options(out, [](const OptionRow &row) { return row.of_run; });
  out += kRunnerTail;
  return out;
}

}  // namespace awl
