// Debug information, from which LLVM makes BTF: libbpf and the kernel read maps, global memory, functions
// and source lines from it.
#pragma once

#include <llvm/IR/DIBuilder.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "ast/typed/typed.h"
#include "base/source.h"

namespace llvm {
class Function;
class GlobalVariable;
class Module;
}  // namespace llvm

namespace awl::codegen {

class DebugInfo {
 public:
  DebugInfo(llvm::Module &module, const Source &source);

  [[nodiscard]] llvm::DIBuilder &builder() { return builder_; }
  [[nodiscard]] llvm::DIFile *file() { return file_; }

  llvm::DIType *integer(uint32_t bytes, bool is_signed);
  llvm::DIType *pointer(llvm::DIType *target);  // null: void *
  llvm::DIType *array(llvm::DIType *element, uint64_t element_bytes, uint64_t count);
  // Members in the order given, each 8-aligned after the one before.
  struct Member {
    std::string_view name;
    llvm::DIType *type;
    uint64_t bytes;
  };
  llvm::DICompositeType *structure(std::string_view name, bool is_union, const std::vector<Member> &members);

  // `int (*name)[value]` members: how a BTF-defined map states its numbers. Zeros are left out.
  llvm::DICompositeType *map_definition(const std::vector<std::pair<const char *, uint32_t>> &numbers, uint64_t bytes);

  void describe(llvm::GlobalVariable *variable, llvm::DIType *type);
  struct Param {
    std::string_view name;
    bool is_pointer = true;  // void *, else __u64
  };
  void describe(llvm::Function *function, LineColumn where, const std::vector<Param> &params);
  // A function that another object has: libbpf compares its types with those that are told there.
  void declare(llvm::Function *function, const typed::CFunction &types);

 private:
  llvm::DIType *type_of(const Type *type);

  llvm::DIBuilder builder_;
  llvm::DIFile *file_ = nullptr;
  llvm::DICompileUnit *unit_ = nullptr;
  std::array<llvm::DIType *, 32> integers_{};
};

}  // namespace awl::codegen
