#include "codegen/target.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Pass.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Scalar.h>
#include <llvm/Transforms/Utils/Cloning.h>

// The BPF target registers its passes with LLVM's new pass manager, which awl does not use. This symbol is all that
// it needs from there; defining it keeps libLLVMPasses and what is behind it (8 MB) out of the executable. It is never
// called. It stands here because this object file is always linked.
namespace llvm {

class PassBuilder {
 public:
  static Expected<bool> parseSinglePassOption(StringRef params, StringRef option, StringRef pass);
};
Expected<bool> PassBuilder::parseSinglePassOption(StringRef, StringRef, StringRef) { return false; }

}  // namespace llvm

extern "C" {
void LLVMInitializeBPFTargetInfo();
void LLVMInitializeBPFTarget();
void LLVMInitializeBPFTargetMC();
void LLVMInitializeBPFAsmPrinter();
}

namespace awl::codegen {

namespace {

// LLVM likes to turn loops so that their last block falls into their head. The verifier of Linux 6.1 takes a loop only
// if a jump closes it ("back-edge from insn"), so blocks stay in the order in which they were written. The jumps to the
// next instruction that this leaves are removed by the kernel.
void keep_order_of_blocks() {
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *pass : {"disable-block-placement", "disable-branch-fold"})
    if (auto found = options.find(pass); found != options.end()) found->second->addOccurrence(0, pass, "true");
}

}  // namespace

std::unique_ptr<llvm::TargetMachine> make_target_machine() {
  [[maybe_unused]] static const bool initialised = [] {
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
    keep_order_of_blocks();
    return true;
  }();
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget("bpf", error);
  if (!target) return nullptr;
  // v3: 32-bit registers and atomics with a result, on every kernel since 5.12.
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      "bpf", "v3", "", {}, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
}

// Measured on seven usual programs (tests/codegen/shapes_test.cpp): without EarlyCSE the longest grows from 97 to 103
// instructions; SimplifyCFG changes none; InstCombine saves 2 to 6 in some, adds 6 in another, and costs up to 0.3 ms
// and 1 MB of executable. Compiling takes 0.9 ms for `@ = count()` and 2 ms for the longest.
void optimise(llvm::Module &module) {
  llvm::legacy::FunctionPassManager passes(&module);
  passes.add(llvm::createSROAPass());
  passes.add(llvm::createEarlyCSEPass());
  passes.doInitialization();
  for (llvm::Function &function : module)
    if (!function.isDeclaration()) passes.run(function);
  passes.doFinalization();
}

namespace {

Result<std::string> write(llvm::TargetMachine &machine, llvm::Module &module, llvm::CodeGenFileType type) {
  llvm::SmallString<16384> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type)) return fail("LLVM cannot write BPF objects");
  passes.run(module);
  return std::string(bytes.str());
}

}  // namespace

std::string assembly_text(llvm::TargetMachine &machine, const llvm::Module &module) {
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);  // writing changes it
  return write(machine, *copy, llvm::CodeGenFileType::AssemblyFile).value_or("");
}

Result<std::string> assemble(llvm::TargetMachine &machine, llvm::Module &module) {
  return write(machine, module, llvm::CodeGenFileType::ObjectFile);
}

}  // namespace awl::codegen
