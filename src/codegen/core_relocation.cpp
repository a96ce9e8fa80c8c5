// A relocation is a global variable with a name that says it all, "llvm.<struct>:<kind>:<value>$<path>", and
// the description of the struct as metadata; its load becomes the number, together with the instruction that
// uses it. The path counts members in that description. libbpf and the kernel match members by name, through
// anonymous structs, and by kind of type, so that the description needs no more than the members that are
// used: they are numbered as they are asked for, and the description is made at the end.
#include "codegen/core_relocation.h"

#include <fmt/format.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <algorithm>

#include "codegen/debug_info.h"
#include "runtime/types/btf.h"

namespace awl::codegen {

struct CoreRelocations::Struct {
  struct Member {
    std::string name;
    const Type *type = nullptr;       // null: embedded struct, described by `nested`
    std::unique_ptr<Struct> nested;
    uint8_t bits = 0;
  };
  const Type *type = nullptr;         // of a root
  std::vector<Member> members;
  std::vector<std::pair<llvm::GlobalVariable *, std::string>> variables;  // of a root

  size_t index_of(const std::string &name) {
    for (size_t i = 0; i < members.size(); ++i)
      if (members[i].name == name) return i;
    members.push_back({name, nullptr, nullptr, 0});
    return members.size() - 1;
  }
};

CoreRelocations::CoreRelocations(llvm::Module &module, DebugInfo &debug) : module_(module), debug_(debug) {}
CoreRelocations::~CoreRelocations() = default;

CoreRelocations::Struct &CoreRelocations::root(const Type *type) {
  for (auto &known : roots_)
    if (known->type == type || btf_name(known->type) == btf_name(type)) return *known;
  roots_.push_back(std::make_unique<Struct>());
  roots_.back()->type = type;
  return *roots_.back();
}

Val CoreRelocations::number(const FieldRef &field, CoreKind kind) {
  Struct &top = root(field.owner);
  std::string path = "0";
  Struct *where = &top;
  for (size_t i = 0; i < field.path.size(); ++i) {
    size_t index = where->index_of(field.path[i]);
    path += fmt::format(":{}", index);
    Struct::Member &member = where->members[index];
    bool last = i + 1 == field.path.size();
    if (last && !member.nested) {
      member.type = field.type;
      member.bits = field.bits;
    }
    if (!last || field.type->is_struct()) {
      if (!member.nested) member.nested = std::make_unique<Struct>();
      where = member.nested.get();
    }
  }
  bool wide = kind == CoreKind::ByteOffset || kind == CoreKind::LeftShift || kind == CoreKind::RightShift;
  std::string name = fmt::format("llvm.{}:{}:0${}", btf_name(field.owner), static_cast<int>(kind), path);
  for (auto &[variable, known] : top.variables)
    if (known == name) return variable;
  auto &context = module_.getContext();
  auto *type = wide ? llvm::Type::getInt64Ty(context) : llvm::Type::getInt32Ty(context);
  auto *variable =
      new llvm::GlobalVariable(module_, type, false, llvm::GlobalValue::ExternalLinkage, nullptr, name);
  variable->addAttribute("btf_ama");
  top.variables.emplace_back(variable, name);
  return variable;
}

namespace {

// A type that a member of this type is compatible with.
std::pair<llvm::DIType *, uint64_t> describe_type(DebugInfo &debug, const Type *type) {
  switch (type->kind) {
    case TypeKind::Pointer: return {debug.pointer(nullptr), 8};
    case TypeKind::Array: {
      auto [element, bytes] = describe_type(debug, type->target);
      return {debug.array(element, bytes, type->count), bytes * type->count};
    }
    case TypeKind::String: return {debug.array(debug.integer(1, true), 1, type->size), type->size};
    case TypeKind::Enum: {
      auto none = debug.builder().getOrCreateArray({debug.builder().createEnumerator("awl_none", 0, true)});
      return {debug.builder().createEnumerationType(debug.file(), "", debug.file(), 0, uint64_t{type->size} * 8, 0, none,
                                                    debug.integer(type->size, false)),
              type->size};
    }
    case TypeKind::Struct: return {debug.structure("", type->is_union, {}), 0};
    default: {
      uint32_t bytes = type->size == 1 || type->size == 2 || type->size == 4 ? type->size : 8;
      return {debug.integer(bytes, type->is_signed), bytes};
    }
  }
}

uint64_t bytes_of(const llvm::DIType *type) { return type->getSizeInBits() / 8; }

template <class Struct>
llvm::DICompositeType *describe_struct(DebugInfo &debug, const Struct &described, const std::string &name,
                                       bool is_union) {
  std::vector<DebugInfo::Member> members;
  for (const auto &member : described.members) {
    if (member.nested) {
      llvm::DIType *nested = describe_struct(debug, *member.nested, "", false);
      members.push_back({member.name, nested, bytes_of(nested)});
    } else {
      auto [type, bytes] = describe_type(debug, member.type);
      members.push_back({member.name, type, bytes});
    }
  }
  return debug.structure(name, is_union, members);
}

}  // namespace

void CoreRelocations::finish() {
  for (auto &top : roots_) {
    std::string name = btf_name(top->type);
    bool is_typedef = top->type->is_typedef;
    llvm::DIType *described = describe_struct(debug_, *top, is_typedef ? "" : name, top->type->is_union);
    if (is_typedef) described = debug_.builder().createTypedef(described, name, debug_.file(), 0, debug_.file());
    for (auto &[variable, unused] : top->variables)
      variable->setMetadata(llvm::LLVMContext::MD_preserve_access_index, described);
  }
}

}  // namespace awl::codegen
