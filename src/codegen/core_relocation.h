// CO-RE relocations: numbers about kernel structs that are filled in when the program is loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codegen/code.h"
#include "runtime/types/type_store.h"

namespace llvm {
class Module;
}

namespace awl::codegen {

class DebugInfo;

// What is asked about a field (enum bpf_core_relo_kind).
enum class CoreKind : uint8_t { ByteOffset = 0, ByteSize = 1, Exists = 2, Signed = 3, LeftShift = 4, RightShift = 5 };

class CoreRelocations {
 public:
  CoreRelocations(llvm::Module &module, DebugInfo &debug);
  ~CoreRelocations();

  // The variable whose "load" is replaced by the number: i64 for ByteOffset and the shifts, else i32.
  Val number(const FieldRef &field, CoreKind kind);
  // A number that is unique among relocated accesses, for llvm.bpf.passthrough.
  uint32_t next_sequence() { return sequence_++; }
  // Gives every variable the description of its struct. Nothing may be asked after this.
  void finish();

 private:
  struct Struct;
  Struct &root(const Type *type);  // by name: equal names are the same struct

  llvm::Module &module_;
  DebugInfo &debug_;
  std::vector<std::unique_ptr<Struct>> roots_;
  uint32_t sequence_ = 0;
};

}  // namespace awl::codegen
