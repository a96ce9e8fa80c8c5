#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/strings.h"

namespace awl {

namespace {

struct CommandName {
  std::string_view name;
  Command command;
};
constexpr std::array kCommands = {
    CommandName{"build", Command::Build},
    CommandName{"run", Command::RunImage},
    CommandName{"check", Command::Check},
};

constexpr const char *kExamples = R"(
Forms:
  awl [options] [-e PROGRAM | FILE | PROGRAM] [parameters...]
  awl build -o IMAGE [options] ...   compile into a file
  awl run IMAGE [options]            run such a file
  awl check FILE                     only look for errors

Examples:
  awl -e 'tracepoint:syscalls:sys_enter_openat { printf("%s %s\n", comm, str(args.filename)); }'
  awl -e 'profile:hz:99 /comm == "postgres"/ { @[kstack] = count(); }'
  awl script.bt 10              run a file, $1 is 10
  awl -l 'tracepoint:sched:*'   list probes; -lv with their arguments
  awl build -o tool.img script.bt && awl run tool.img

docs/language.md describes the language, docs/probes.md what can be traced.
)";

// Options without a meaning here, accepted because scripts and aliases pass them: name and number of values.
struct Ignored {
  const char *name;
  bool takes_value;
};
constexpr Ignored kIgnored[] = {
    {"-b,--btf", false},   {"-k,--warnings", false},          {"-I", true},
    {"--include", true},   {"--usdt-file-activation", false}, {"--no-feature", true},
    {"--debuginfo", true}, {"--traceable-functions", true},
};

void declare(CLI::App &app, Options &o, std::vector<std::string> &ignored) {
  app.add_option("-e", o.program, "run this program")->type_name("PROGRAM");
  app.add_flag("-l,--list", o.list, "list probes, all or those that match; with -v their arguments");
  app.add_option("-p,--pid", o.pid, "trace this process; end when it ends")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22));
  app.add_option("-c,--cmd", o.child, "run this command and end when it ends")->type_name("COMMAND");
  app.add_option("-o,--output", o.output, "write the output to a file")->type_name("FILE");
  app.add_option("-f,--format", o.format, "text or json")->type_name("FORMAT")->check(CLI::IsMember({"text", "json"}));
  app.add_option("--json-stacks", o.json_stacks, "stacks in JSON: text, or frames (lists of them)")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "frames"}));
  app.add_option("-B", o.buffering, "buffering of the output: line, full or none")
      ->check(CLI::IsMember({"line", "full", "none"}));
  app.add_flag("-q,--quiet", o.quiet, "do not say how many probes were attached");
  app.add_flag("-v,--verbose", o.verbose, "say more; with -l show the arguments of probes");
  app.add_flag("--unsafe", o.unsafe, "allow system(), signal() and what else can change the system");
  app.add_flag("--dry-run", o.dry_run, "stop when everything is attached");
  app.add_flag("--no-warnings", o.no_warnings, "do not print warnings");
  app.add_option("-d,--debug", o.debug, "print a step of the compiler: ast, typed, codegen")
      ->delimiter(',')
      ->check(CLI::IsMember({"ast", "typed", "codegen"}))
      ->type_name("STEP");
  for (const Ignored &i : kIgnored) {
    if (i.takes_value)
      app.add_option(i.name, ignored)->group("")->expected(1);
    else
      app.add_flag(i.name)->group("");
  }
}

// Behind `--` stand the options of the script, and positional parameters that look like options of awl.
void take_script_options(std::vector<std::string> &args, Options &options) {
  auto mark = std::ranges::find(args, "--");
  if (mark == args.end()) return;
  std::vector<std::string> positional;
  for (auto it = mark + 1; it != args.end(); ++it)
    (it->size() > 2 && it->starts_with("--") ? options.script_options : positional).push_back(*it);
  args.erase(positional.empty() ? mark : mark + 1, args.end());
  args.insert(args.end(), positional.begin(), positional.end());
}

}  // namespace

Result<Options> parse_options(int argc, char **argv) {
  Options options;
  std::vector<std::string> args(argv + 1, argv + argc);
  if (!args.empty()) {
    auto it = std::ranges::find(kCommands, std::string_view(args[0]), &CommandName::name);
    if (it != kCommands.end()) {
      options.command = it->command;
      args.erase(args.begin());
    }
  }
  take_script_options(args, options);
  CLI::App app("awk for the live kernel: compiles a small language to BPF, attaches it, prints what it collects.",
               "awl");
  app.set_help_flag();
  bool help = false, version = false, info = false;
  app.add_flag("-h,--help", help, "show this help");
  app.add_flag("-V,--version", version, "show the version");
  app.add_flag("--info", info, "show what this kernel can do");
  std::vector<std::string> ignored;
  declare(app, options, ignored);
  app.add_option("words", options.words, "program file (- for standard input), then its positional parameters");
  app.footer(kExamples);
  std::ranges::reverse(args);  // as CLI11 wants them
  try {
    app.parse(args);
  } catch (const CLI::ParseError &e) {
    return fail(e.what(), "`awl --help` lists the options");
  }
  if (help || (argc == 1)) options.command = Command::Help;
  if (version) options.command = Command::Version;
  if (info) options.command = Command::Info;
  if (options.command == Command::Help) options.help_text = app.help();
  if (options.pid && !options.child.empty()) return fail("-p and -c exclude each other");
  return options;
}

}  // namespace awl
