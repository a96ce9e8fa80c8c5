// LLVM's BPF back end: from a module to the bytes of an object file.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace awl::codegen {

std::unique_ptr<llvm::TargetMachine> make_target_machine();
// Few and cheap: what the way in which the code is written leaves to do.
void optimise(llvm::Module &module);
// The instructions as text. The module stays as it is.
std::string assembly_text(llvm::TargetMachine &machine, const llvm::Module &module);
Result<std::string> assemble(llvm::TargetMachine &machine, llvm::Module &module);

}  // namespace awl::codegen
