// A relocation is a global variable with a name that says it all, "llvm.<struct>:<kind>:<value>$<path>", and
// the description of the struct as metadata; its load becomes the number, together with the instruction that
// uses it. The path counts members in that description. libbpf and the kernel match members by name, through
// anonymous structs, and by kind of type, so that the description needs no more than the members that are
// used: they are numbered as they are asked for, and the description is made at the end. The value is what the
// description itself gives; the loader compares it with the instruction before it changes that.
#include "codegen/core_relocation.h"

#include <fmt/format.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <tuple>

#include "codegen/debug_info.h"
#include "runtime/types/btf.h"

namespace awl::codegen {

struct CoreRelocations::Struct {
  struct Member {
    std::string name;
    const Type *type = nullptr;  // null: embedded struct, described by `nested`
    std::unique_ptr<Struct> nested;
    uint64_t offset = 0, bytes = 0;  // in the description
  };
  struct Variable {
    llvm::GlobalVariable *global;
    CoreKind kind;
    std::vector<size_t> path;
  };
  const Type *type = nullptr;  // of a root
  std::vector<Member> members;
  std::vector<Variable> variables;  // of a root

  size_t index_of(const std::string &name) {
    for (size_t i = 0; i < members.size(); ++i)
      if (members[i].name == name) return i;
    members.push_back({name, nullptr, nullptr});
    return members.size() - 1;
  }
};

// The member of a record that says where the data is: described as what it is, four bytes.
static const Type *data_loc_type() {
  static const Type kType = [] {
    Type type;
    type.kind = TypeKind::Int;
    type.size = 4;
    return type;
  }();
  return &kType;
}

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
  std::vector<size_t> path;
  Struct *where = &top;
  for (size_t i = 0; i < field.path.size(); ++i) {
    path.push_back(where->index_of(field.path[i]));
    Struct::Member &member = where->members[path.back()];
    bool embedded = i + 1 < field.path.size() || field.type->is_struct();
    if (!embedded) member.type = field.data_loc ? data_loc_type() : field.type;
    if (embedded && !member.nested) member.nested = std::make_unique<Struct>();
    where = member.nested.get();
  }
  for (const Struct::Variable &known : top.variables)
    if (known.kind == kind && known.path == path) return known.global;
  bool wide = kind == CoreKind::ByteOffset || kind == CoreKind::LeftShift || kind == CoreKind::RightShift;
  auto &context = module_.getContext();
  auto *type = wide ? llvm::Type::getInt64Ty(context) : llvm::Type::getInt32Ty(context);
  auto *global = new llvm::GlobalVariable(module_, type, false, llvm::GlobalValue::ExternalLinkage, nullptr, "llvm.");
  global->addAttribute("btf_ama");
  top.variables.push_back({global, kind, path});
  return global;
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
    case TypeKind::Struct: return {debug.structure("", type->is_union, {}), 0};  // its members do not matter
    default: {
      // Enums too: matched by kind, they are integers in the BTF that programs are relocated against (minimal_btf.cpp).
      uint32_t bytes = type->size == 1 || type->size == 2 || type->size == 4 ? type->size : 8;
      return {debug.integer(bytes, type->is_signed), bytes};
    }
  }
}

// Describes the members and notes where they are in the description.
template <class Struct>
llvm::DICompositeType *describe_struct(DebugInfo &debug, Struct &described, const std::string &name, bool is_union) {
  std::vector<DebugInfo::Member> members;
  uint64_t offset = 0;
  for (auto &member : described.members) {
    llvm::DIType *type = nullptr;
    if (member.nested) {
      type = describe_struct(debug, *member.nested, "", false);
      member.bytes = type->getSizeInBits() / 8;
    } else {
      std::tie(type, member.bytes) = describe_type(debug, member.type);
    }
    members.push_back({member.name, type, member.bytes});
    member.offset = is_union ? 0 : offset;
    offset += (member.bytes + 7) / 8 * 8;
  }
  return debug.structure(name, is_union, members);
}

// What a relocation gives for the description itself.
template <class Struct>
uint64_t own_value(const Struct &top, CoreKind kind, const std::vector<size_t> &path) {
  uint64_t offset = 0, bytes = 0;
  bool is_signed = false;
  const Struct *where = &top;
  for (size_t index : path) {
    const auto &member = where->members[index];
    offset += member.offset;
    bytes = member.bytes;
    is_signed = member.type && member.type->is_signed;
    where = member.nested.get();
  }
  switch (kind) {
    case CoreKind::ByteOffset: return offset;
    case CoreKind::ByteSize: return bytes;
    case CoreKind::Exists: return 1;
    case CoreKind::Signed: return is_signed;
    case CoreKind::LeftShift:
    case CoreKind::RightShift: return 64 - 8 * bytes;
  }
  return 0;
}

}  // namespace

void CoreRelocations::finish() {
  for (auto &top : roots_) {
    std::string name = btf_name(top->type);
    bool is_typedef = top->type->is_typedef;
    llvm::DIType *described = describe_struct(debug_, *top, is_typedef ? "" : name, top->type->is_union);
    if (is_typedef) described = debug_.builder().createTypedef(described, name, debug_.file(), 0, debug_.file());
    for (const Struct::Variable &variable : top->variables) {
      std::string path = "0";
      for (size_t index : variable.path) path += fmt::format(":{}", index);
      variable.global->setName(fmt::format("llvm.{}:{}:{}${}", name, static_cast<int>(variable.kind),
                                           own_value(*top, variable.kind, variable.path), path));
      variable.global->setMetadata(llvm::LLVMContext::MD_preserve_access_index, described);
    }
  }
}

}  // namespace awl::codegen
