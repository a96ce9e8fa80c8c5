#include "driver.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "ast/dump.h"
#include "ast/passes/bind.h"
#include "ast/passes/config.h"
#include "ast/passes/expand.h"
#include "ast/passes/facts.h"
#include "ast/passes/lowering.h"
#include "ast/passes/resolve.h"
#include "ast/passes/script_types.h"
#include "ast/passes/stdlib.h"
#include "codegen/codegen.h"
#include "parser/parser.h"
#include "runtime/types/btf.h"
#include "runtime/types/tracefs.h"

namespace awl {

namespace {

ast::Program parse_stdlib(const Source &source, Diagnostics &diagnostics) {
  return parse(source, {.defines = {}, .stdlib = true}, diagnostics);
}

// Names that scripts test with #ifdef.
std::set<std::string> defines() {
  if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) return {"BPFTRACE_HAVE_BTF"};
  return {};
}

}  // namespace

void add_kernel_types(TypeStore &store) {
  store.add_source(make_tracefs_source());
  store.add_source(make_kernel_btf_source());
}

std::optional<Image> compile(const Source &source, const CompileRequest &request, TypeStore &store, Diagnostics &diagnostics) {
  auto dump = [&](const char *step, const std::string &text) {
    if (request.dump.contains(step)) fmt::print("{}", text);
  };

  // Text to tree. Errors are collected: the later steps find more in the same run.
  ast::Program program = parse(source, {.defines = defines(), .stdlib = false}, diagnostics);
  dump("ast", ast::dump(program));
  bool parsed = !diagnostics.has_errors();

  // What the script sets for itself: config variables, types of its own.
  ConfigValues config = ast::read_config(program, [](const std::string &name) { return std::getenv(name.c_str()); }, diagnostics);
  config.unsafe = config.unsafe || request.unsafe;
  store.add_source(ast::make_script_source(program.types, diagnostics));
  add_kernel_types(store);
  ast::check_script_types(store, program.types, diagnostics);

  // Functions of the standard library that are written in the language take the place of their calls.
  ast::FunctionTable functions(parse_stdlib);
  ast::expand(program, functions);

  // Attach points meet their providers; from here on a probe body belongs to one program.
  ProbeEnvironment environment{.types = &store, .pid = request.pid, .unsafe = config.unsafe, .missing_probes = config.missing_probes};
  std::vector<ast::Unit> units = ast::bind_probes(program, request.params, environment, diagnostics);
  if (program.probes.empty() && parsed) diagnostics.emit(diag::NoProbes, Span{});

  // What each name and each expression is.
  ast::Names names = ast::resolve_names(units, diagnostics);
  ast::CompileInput input{program, units, names, functions, store, config, request.params};
  ast::Facts facts = ast::infer_types(input, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;

  // From here on nothing asks what the script looks like, only what it means.
  ast::Lowered lowered = ast::lower(input, facts, source, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  dump("typed", typed::dump(lowered.module, lowered.manifest));
  if (request.check_only) return std::nullopt;

  std::string ir;
  std::optional<std::string> object = emit(lowered.module, lowered.manifest, source, {request.dump.contains("codegen"), &ir}, diagnostics);
  dump("codegen", ir);
  if (!object) return std::nullopt;
  return Image{std::move(*object), std::move(lowered.manifest)};
}

}  // namespace awl
