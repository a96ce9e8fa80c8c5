#include "codegen/codegen.h"

#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/function.h"
#include "codegen/object.h"
#include "codegen/target.h"

namespace awl {

namespace {

// LLVM's own handler ends the process on an error; this one turns it into a diagnostic at the program.
struct DiagnosticBridge : llvm::DiagnosticHandler {
  codegen::Object &object;
  explicit DiagnosticBridge(codegen::Object &o) : object(o) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error && info.getSeverity() != llvm::DS_Warning) return true;
    Span span;
    if (auto *placed = llvm::dyn_cast<llvm::DiagnosticInfoUnsupported>(&info))
      span = object.program_span(placed->getFunction().getName().str());
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    if (text.find("stack limit") != std::string::npos)
      object.diagnostics()
          .emit(diag::StackTooLarge, span)
          .with_hint("use fewer variables at a time, or smaller strings and tuples");
    else
      object.diagnostics().emit(diag::CodegenFailed, span, text);
    return true;
  }
};

// Returns false after reporting a broken module: our mistake, never the script's.
bool verify(codegen::Object &object) {
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (!llvm::verifyModule(object.module(), &stream)) return true;
  object.diagnostics().emit(diag::CodegenFailed, Span{}, problem);
  return false;
}

void print(const llvm::Module &module, std::string *to) {
  if (!to) return;
  llvm::raw_string_ostream stream(*to);
  module.print(stream, nullptr);
}

#ifdef NDEBUG
constexpr bool kAlwaysVerify = false;
#else
constexpr bool kAlwaysVerify = true;
#endif

}  // namespace

std::optional<std::string> emit(const typed::Module &module, const Manifest &manifest, const Source &source,
                                const CodegenOptions &options, Diagnostics &diagnostics) {
  auto machine = codegen::make_target_machine();
  if (!machine) {
    diagnostics.emit(diag::CodegenFailed, Span{}, "LLVM has no BPF target");
    return {};
  }
  size_t errors_before = diagnostics.error_count();
  codegen::Object object(*machine, manifest, source, diagnostics);
  if (module.uses_usdt) object.usdt_specs();
  object.declare_c_functions(module.c_functions);
  for (const typed::Function &function : module.functions) codegen::FunctionEmitter(object, function).emit_function();
  for (const typed::Program &program : module.programs) codegen::FunctionEmitter(object, program).emit();
  object.finish();
  object.module().getContext().setDiagnosticHandler(std::make_unique<DiagnosticBridge>(object));
  if ((kAlwaysVerify || options.verify) && !verify(object)) return {};
  print(object.module(), options.ir);
  codegen::optimise(object.module());
  print(object.module(), options.optimised);
  if (options.assembly) *options.assembly = codegen::assembly_text(*machine, object.module());
  auto bytes = codegen::assemble(*machine, object.module());
  if (!bytes) diagnostics.emit(diag::CodegenFailed, Span{}, bytes.error().message);
  if (!bytes || diagnostics.error_count() > errors_before) return {};
  return std::move(*bytes);
}

}  // namespace awl
