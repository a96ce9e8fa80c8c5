#include "cli/option_table.h"

#include <array>

namespace awl {

namespace {

using O = Options;

constexpr std::string_view kProgram = "Program", kWhat = "What is traced", kOutput = "Output",
                           kTests = "Tests of scripts", kCommands = "Of the commands fmt and help",
                           kDeveloper = "For a look inside";

constexpr std::array kCommandRows = {
    CommandRow{"run", Command::RunImage, "IMAGE", "run what build has written", Offer::File},
    CommandRow{"build", Command::Build, "-o IMAGE [FILE]", "compile into a file, which runs without a compiler",
               Offer::File},
    CommandRow{"check", Command::Check, "FILE...", "look for errors; an image is loaded, too", Offer::File},
    CommandRow{"fmt", Command::Format, "[-i | --check] [FILE...]", "lay out scripts", Offer::File},
    CommandRow{"explain", Command::Explain, "CODE", "what a message means and how to mend it", Offer::Code},
    CommandRow{"info", Command::Info, "", "what this kernel can do", Offer::Nothing},
    CommandRow{"help", Command::Help, "[NAME]", "about a function, builtin, probe, option or config variable",
               Offer::Function},
    CommandRow{"completion", Command::Completion, "bash|zsh|fish", "completion for a shell", Offer::Shell},
};

const std::vector<OptionRow> kOptions = {
    {"-e", "PROGRAM", kProgram, "run this program", &O::program, Offer::Nothing, {}, {}},
    {"-I", "DIR", kProgram, "look for C headers there", &O::include_dirs, Offer::Directory, {}, {}},
    {"--include", "FILE", kProgram, "include this C header first", &O::include_files, Offer::File, {}, {}},
    {"--unsafe", "", kProgram, "allow system(), signal() and what else can change the system", &O::unsafe, {}, {}, {}},
    {"-k,--warnings", "", kProgram, "report reads that fail and map entries that are missing", Ignored{}, {}, {}, {}},
    {"--no-warnings", "", kProgram, "do not print warnings of the compiler", &O::no_warnings, {}, {}, {}},

    {"-p,--pid", "PID", kWhat, "trace this process; end when it ends", &O::pid, Offer::Process, {}, {}},
    {"-c,--cmd", "COMMAND", kWhat, "run this command and end when it ends", &O::child, {}, {}, {}},
    {"--probe-filter",
     "REGEX",
     kWhat,
     "attach only probes whose names match; BEGIN, END and self stay",
     &O::probe_filter,
     {},
     {},
     {}},
    {"--traceable-functions",
     "FILE",
     kWhat,
     "kernel functions are those of this list",
     &O::traceable_functions,
     Offer::File,
     {},
     {}},
    {"--debuginfo",
     "DIR[:DIR]",
     kWhat,
     "look for debug information of programs there",
     &O::debuginfo_dirs,
     Offer::Directory,
     {},
     {}},
    {"--no-feature",
     "NAME,...",
     kWhat,
     "do without what the kernel could: uprobe_multi, kprobe_multi, ...",
     &O::without_features,
     {},
     {},
     {}},
    {"--dry-run", "", kWhat, "stop when everything is attached", &O::dry_run, {}, {}, {}},

    {"-l,--list", "", kOutput, "list probes, all or those that match; -lv: with arguments", &O::list, {}, {}, {}},
    {"-o,--output", "FILE", kOutput, "write the output to a file", &O::output, Offer::File, {}, {}},
    {"-f,--format",
     "FORMAT",
     kOutput,
     "text, json or folded (stacks)",
     &O::format,
     Offer::Choice,
     {"text", "json", "folded"},
     {}},
    {"--json-stacks",
     "FORM",
     kOutput,
     "stacks in JSON: text, or frames (lists of them)",
     &O::json_stacks,
     Offer::Choice,
     {"text", "frames"},
     {}},
    {"-B",
     "MODE",
     kOutput,
     "buffering of the output: line, full or none",
     &O::buffering,
     Offer::Choice,
     {"line", "full", "none"},
     {}},
    {"-q,--quiet", "", kOutput, "do not say how many probes were attached", &O::quiet, {}, {}, {}},
    {"-v,--verbose", "", kOutput, "say more; with -l show the arguments of probes", &O::verbose, {}, {}, {}},

    {"--test", "", kTests, "run the test:NAME probes; status 1 if one fails", Ignored{}, {}, {}, {}},
    {"--bench", "", kTests, "time the bench:NAME probes", Ignored{}, {}, {}, {}},

    {"-i,--in-place", "", kCommands, "fmt: write the file instead of printing it", &O::in_place, {}, {}, {}},
    {"--check", "", kCommands, "fmt: name files that are laid out differently, status 1", &O::check, {}, {}, {}},
    {"--fmt", "", kCommands, "the same as the command fmt", Ignored{}, {}, {}, {}},
    {"--markdown", "", kCommands, "help: the reference of all functions, docs/functions.md", &O::markdown, {}, {}, {}},

    {"-d,--debug",
     "STEP,...",
     kDeveloper,
     "print a step of the compiler; -d help lists them",
     &O::debug,
     Offer::Step,
     {},
     {}},
    {"--emit-elf", "FILE", kDeveloper, "write the BPF object", &O::emit_elf, Offer::File, {}, {}},
    {"--emit-llvm",
     "FILE",
     kDeveloper,
     "write LLVM's code to FILE.original.ll and FILE.optimized.ll",
     &O::emit_llvm,
     Offer::File,
     {},
     {}},
    {"--verify-llvm-ir", "", kDeveloper, "let LLVM check the code that was made", &O::verify_llvm_ir, {}, {}, {}},
    {"--mode",
     "MODE",
     kDeveloper,
     "codegen, compiler-bench, test, bench or format",
     &O::mode,
     Offer::Choice,
     {"codegen", "compiler-bench", "bench", "test", "format"},
     {}},
    {"--info", "", kDeveloper, "the same as the command info", Ignored{}, {}, {}, {}},
    {"-h,--help", "", kDeveloper, "this text; --help NAME: about a name", Ignored{}, {}, {}, {}},
    {"-V,--version", "", kDeveloper, "the version", Ignored{}, {}, {}, {}},

    {"--aot", "FILE", "", "build", Ignored{}, Offer::File, {}, {}},
    {"-b,--btf", "", "", "", Ignored{}, {}, {}, {}},
    {"--usdt-file-activation", "", "", "", Ignored{}, {}, {}, {}},
    {"--dwarf-pid",
     "PID",
     "",
     "",
     Ignored{},
     Offer::Process,
     {},
     "--dwarf-pid: stacks are walked by frame pointers, no process is prepared"},
};

}  // namespace

const std::vector<OptionRow> &option_table() { return kOptions; }

std::span<const CommandRow> command_table() { return kCommandRows; }

}  // namespace awl
