// Typed IR to a BPF ELF object with BTF, CO-RE relocations and line information. The only folder that
// includes LLVM.
#pragma once

#include <optional>
#include <string>

#include "ast/typed/typed.h"
#include "base/diagnostic.h"
#include "base/source.h"
#include "runtime/image/manifest.h"

namespace awl {

struct CodegenOptions {
  bool verify = false;               // LLVM's verifier looks at the module (always in builds with assertions)
  std::string *ir = nullptr;         // text of the IR as it was made
  std::string *optimised = nullptr;  // and after the passes
  std::string *assembly = nullptr;   // text of the instructions
};

// Bytes of the object, nullopt after an E05xx diagnostic (stack too large, ...).
std::optional<std::string> emit(const typed::Module &module, const Manifest &manifest, const Source &source,
                                const CodegenOptions &options, Diagnostics &diagnostics);

}  // namespace awl
