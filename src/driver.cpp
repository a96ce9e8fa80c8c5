#include "driver.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ast/dump.h"
#include "ast/passes/bind.h"
#include "ast/passes/config.h"
#include "ast/passes/expand.h"
#include "ast/passes/facts.h"
#include "ast/passes/facts_dump.h"
#include "ast/passes/functions.h"
#include "ast/passes/lowering.h"
#include "ast/passes/options.h"
#include "ast/passes/resolve.h"
#include "ast/passes/script_types.h"
#include "ast/passes/stdlib.h"
#include "ast/walk.h"
#include "c_import/compile.h"
#include "codegen/codegen.h"
#include "parser/imports.h"
#include "parser/parser.h"
#include "runtime/dwarf/program_types.h"
#include "runtime/probes/kernel_types.h"

namespace awl {

namespace {

ast::Program parse_stdlib(const Source &source, Diagnostics &diagnostics) {
  return parse(source, {.defines = {}, .headers = {}, .stdlib = true, .file = 0}, diagnostics);
}

// LINUX_VERSION_CODE of the running kernel, as <linux/version.h> would define it.
std::string kernel_version() {
  utsname name{};
  unsigned major = 0, minor = 0, patch = 0;
  if (uname(&name) != 0 || std::sscanf(name.release, "%u.%u.%u", &major, &minor, &patch) < 2) return "";
  return fmt::format("LINUX_VERSION_CODE={}", (major << 16) + (minor << 8) + std::min(patch, 255U));
}

// What scripts test with #ifdef and #if, and where their headers are.
ParseOptions parse_options(const Source &source, const CompileRequest &request) {
  ParseOptions out;
  if (access(request.roots.btf.c_str(), R_OK) == 0) out.defines.insert("BPFTRACE_HAVE_BTF");
  if (std::string version = kernel_version(); !version.empty()) out.defines.insert(version);
  out.headers = {"", request.include_dirs, request.include_files};
  size_t folder = source.name().rfind('/');
  if (out.headers.directory.empty() && folder != std::string::npos)
    out.headers.directory = source.name().substr(0, std::max<size_t>(folder, 1));
  return out;
}

bool asks_param_count(const std::vector<ast::Unit> &units) {
  bool found = false;
  auto look = [&](const ast::Node *node) { found = found || node->kind == ast::NodeKind::ParamCount; };
  for (const ast::Unit &unit : units) {
    if (unit.predicate) ast::for_each_node(unit.predicate, look);
    if (unit.body) ast::for_each_node(unit.body, look);
  }
  return found;
}

// Writes down how long each step takes, for `-d timing`.
class StepTimes {
 public:
  explicit StepTimes(std::string *out) : out_(out) {}
  StepTimes(const StepTimes &) = delete;
  StepTimes &operator=(const StepTimes &) = delete;
  ~StepTimes() {
    begin("");
    line("in all", last_ - first_);
    if (out_) *out_ += note_;
  }

  void note(std::string text) { note_ = std::move(text); }

  // Ends the step before.
  void begin(const char *step) {
    Clock::time_point now = Clock::now();
    if (*name_) line(name_, now - last_);
    name_ = step;
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void line(std::string_view name, Clock::duration time) {
    if (out_) *out_ += fmt::format("{:<12}{:9.3f} ms\n", name, std::chrono::duration<double, std::milli>(time).count());
  }

  std::string *out_;
  std::string note_;
  const char *name_ = "";
  Clock::time_point first_ = Clock::now(), last_ = first_;
};

// The C files that the script imports, and what they offer.
std::vector<CObject> compile_c_files(const ast::Program &program, const CompileRequest &request, TypeStore &store,
                                     Source &source, ast::CFunctions &functions, Diagnostics &diagnostics) {
  CCompiler own(request.include_dirs);
  CCompiler &compiler = request.c_compiler ? *request.c_compiler : own;
  std::vector<CObject> out;
  for (const ast::CSource &file : program.c_sources) {
    std::optional<CObject> object = compiler.compile(file, source, diagnostics);
    if (!object) continue;
    if (auto offered = functions_of(*object, store))
      for (ast::CFunction &function : *offered) functions.push_back(std::move(function));
    else
      diagnostics.emit(diag::CNotLinked, file.span, offered.error().message);
    out.push_back(std::move(*object));
  }
  return out;
}

// Makes one object of the script's and the C files', and of the walk of stacks where the script asks for it.
bool link_c_files(std::string &object, std::vector<CObject> others, Manifest &manifest, Diagnostics &diagnostics) {
  manifest.has_c = !others.empty();
  if (manifest.unwinds) others.push_back(unwinder_object());
  if (others.empty()) return true;
  Result<std::string> linked = link_objects(object, others);
  if (!linked) {
    diagnostics.emit(diag::CNotLinked, others.front().source.span, linked.error().message);
    return false;
  }
  object = std::move(*linked);
  return true;
}

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (char **entry = environ; *entry; entry++) names.emplace_back(*entry, std::strcspn(*entry, "="));
  return names;
}

ConfigValues read_config(const ast::Program &program, const CompileRequest &request, Diagnostics &diagnostics) {
  auto environment_variable = [&](const std::string &name) {
    return request.use_environment ? std::getenv(name.c_str()) : nullptr;
  };
  ConfigValues config = ast::read_config(program, environment_variable, diagnostics);
  if (request.use_environment) ast::warn_environment(environment_names(), diagnostics);
  config.unsafe = config.unsafe || request.unsafe;
  config.helper_errors = request.helper_errors;
  return config;
}

}  // namespace

std::vector<std::string> list_script(Source &source, const CompileRequest &request, TypeStore &store,
                                     Diagnostics &diagnostics) {
  ast::Program program = parse_with_imports(source, parse_options(source, request), diagnostics);
  add_kernel_types(store, request.roots);
  ProbeEnvironment environment{.types = &store,
                               .pid = request.pids.empty() ? 0 : request.pids.front(),
                               .pids = request.pids,
                               .unsafe = request.unsafe,
                               .missing_probes = "error",
                               .roots = request.roots,
                               .user_types = add_user_types(store, request.debuginfo_dirs)};
  std::vector<std::string> out;
  for (const ast::Probe &probe : program.probes) {
    for (const ast::AttachPoint &point : probe.attach_points) {
      auto wrong = [&](const Error &error) {
        diagnostics.emit(diag::BadProbe, point.span, error.message).with_hint(error.hint);
      };
      auto targets = parse_attach_points(ast::substitute_params(point.text, request.params), environment);
      if (!targets) wrong(targets.error());
      for (const ProbeTarget &target : targets.value_or(std::vector<ProbeTarget>())) {
        auto exact = find_provider(target.provider)->expand(target, environment);
        if (!exact) wrong(exact.error());
        for (const ProbeTarget &one : exact.value_or(std::vector<ProbeTarget>())) out.push_back(one.text());
      }
    }
  }
  return out;
}

std::optional<Image> compile(Source &source, const CompileRequest &request, TypeStore &store,
                             Diagnostics &diagnostics) {
  auto wanted = [&](const char *step) { return request.dumps && request.dumps->contains(step); };

  auto dump_to = [&](const char *step) { return wanted(step) ? &(*request.dumps)[step] : nullptr; };
  StepTimes times(dump_to("timing"));

  // Text to tree. Errors are collected: the later steps find more in the same run.
  times.begin("parse");
  ast::Program program = parse_with_imports(source, parse_options(source, request), diagnostics);
  if (wanted("ast")) (*request.dumps)["ast"] = ast::dump(program);
  bool parsed = !diagnostics.has_errors();

  // What the script sets for itself: config variables, types of its own.
  times.begin("declare");
  ConfigValues config = read_config(program, request, diagnostics);
  store.add_source(ast::make_script_source(program.types, program.unread_types, diagnostics));
  add_kernel_types(store, request.roots);
  store.add_source(make_header_source(program.includes, parse_options(source, request)));
  UserTypes *user_types = add_user_types(store, request.debuginfo_dirs);
  ast::check_script_types(store, program.types, diagnostics);

  // Macros, and functions of the standard library that are written in the language, take the place of their calls. The
  // script's own functions stay functions.
  times.begin("expand");
  ast::FunctionTable functions(parse_stdlib);
  ast::declare_functions(program, functions, diagnostics);
  ast::CFunctions c_functions;
  std::vector<CObject> c_objects = compile_c_files(program, request, store, source, c_functions, diagnostics);
  if (c_objects.size() < program.c_sources.size()) return std::nullopt;  // what they offer is not known
  ast::declare_c_functions(c_functions, functions, diagnostics);
  if (!ast::expand(program, functions, config, source, diagnostics)) return std::nullopt;
  if (wanted("expanded")) (*request.dumps)["expanded"] = ast::dump(program);

  // getopt() becomes what was given.
  std::vector<std::string> given = request.options;
  bool help = request.options_help && std::erase(given, "--help") > 0;
  ast::OpenParams open(request.fixed_params ? *request.fixed_params : std::map<std::string, std::string>());
  ast::OpenParams *left_open = request.fixed_params ? &open : nullptr;
  std::vector<ast::ScriptOption> options = ast::read_options(program, given, left_open, diagnostics);
  if (left_open) open.take_positional(program, request.params);
  for (const ScriptParam &param : open.all())
    if (request.param_names) request.param_names->push_back(param.name);
  if (help) {
    *request.options_help = ast::options_help(options);
    return std::nullopt;
  }

  // Attach points meet their providers; from here on a probe body belongs to one program.
  times.begin("probes");
  ProbeEnvironment environment{.types = &store,
                               .pid = request.pids.empty() ? 0 : request.pids.front(),
                               .pids = request.pids,
                               .unsafe = config.unsafe,
                               .missing_probes = request.unprivileged && config.missing_probes == "error"
                                                     ? "unprivileged"
                                                     : config.missing_probes,
                               .roots = request.roots,
                               .user_types = user_types};
  std::vector<ast::Unit> units = ast::bind_probes(program, request.params, environment, diagnostics);
  if (program.probes.empty() && parsed) diagnostics.emit(diag::NoProbes, Span{});
  ast::bind_functions(program, functions, units, diagnostics);

  // What each name and each expression is.
  times.begin("types");
  ast::Names names = ast::resolve_names(units, functions, diagnostics);
  ast::CompileInput input{program,    units,        names,          functions,
                          store,      config,       request.params, asks_param_count(units),
                          user_types, &c_functions, left_open};
  ast::Facts facts = ast::infer_types(input, diagnostics);
  if (wanted("types")) (*request.dumps)["types"] = ast::dump(input, facts);
  if (diagnostics.has_errors()) return std::nullopt;
  ast::warn_unused(names, diagnostics);

  // From here on nothing asks what the script looks like, only what it means.
  times.begin("lower");
  ast::Lowered lowered = ast::lower(input, facts, source, diagnostics);
  lowered.manifest.params = open.all();
  if (diagnostics.has_errors()) return std::nullopt;
  if (wanted("typed")) (*request.dumps)["typed"] = typed::dump(lowered.module, lowered.manifest);
  if (request.check_only) return std::nullopt;

  times.note(fmt::format("{} of {} declarations of the standard library were read\n", functions.read_count(),
                         ast::stdlib_index().size()));
  times.begin("codegen");
  CodegenOptions codegen;
  codegen.verify = request.verify_ir;
  codegen.ir = dump_to("codegen");
  codegen.optimised = dump_to("codegen-opt");
  codegen.assembly = dump_to("dis");
  std::optional<std::string> object = emit(lowered.module, lowered.manifest, source, codegen, diagnostics);
  if (!object) return std::nullopt;
  if (!link_c_files(*object, std::move(c_objects), lowered.manifest, diagnostics)) return std::nullopt;
  return Image{std::move(*object), std::move(lowered.manifest)};
}

}  // namespace awl
