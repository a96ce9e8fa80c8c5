#include "codegen/debug_info.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <string>

namespace awl::codegen {

using llvm::DINode;

namespace {

llvm::StringRef ref(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

DebugInfo::DebugInfo(llvm::Module &module, const Source &source) : builder_(module) {
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  // The text goes along, so that line information holds the script's lines although there may be no file.
  std::string name = source.name().empty() ? "script" : source.name();
  file_ = builder_.createFile(name, "", std::nullopt, ref(source.text()));
  // Directives only: all of BTF, and no DWARF sections that nobody reads.
  unit_ = builder_.createCompileUnit(llvm::dwarf::DW_LANG_C, file_, "awl", true, "", 0, "",
                                     llvm::DICompileUnit::DebugDirectivesOnly);
}

llvm::DIType *DebugInfo::integer(uint32_t bytes, bool is_signed) {
  static constexpr std::string_view kNames[2][4] = {{"__u8", "__u16", "__u32", "__u64"},
                                                    {"__s8", "__s16", "int", "__s64"}};
  llvm::DIType *&known = integers_[bytes + (is_signed ? 16 : 0)];
  if (!known) {
    size_t log = bytes == 8 ? 3 : bytes == 4 ? 2 : bytes == 2 ? 1 : 0;
    known = builder_.createBasicType(ref(kNames[is_signed][log]), uint64_t{bytes} * 8,
                                     is_signed ? llvm::dwarf::DW_ATE_signed : llvm::dwarf::DW_ATE_unsigned);
  }
  return known;
}

llvm::DIType *DebugInfo::pointer(llvm::DIType *target) { return builder_.createPointerType(target, 64); }

llvm::DIType *DebugInfo::array(llvm::DIType *element, uint64_t element_bytes, uint64_t count) {
  auto range = builder_.getOrCreateArray({builder_.getOrCreateSubrange(0, static_cast<int64_t>(count))});
  return builder_.createArrayType(element_bytes * count * 8, 0, element, range);
}

llvm::DICompositeType *DebugInfo::structure(std::string_view name, bool is_union, const std::vector<Member> &members) {
  llvm::SmallVector<llvm::Metadata *, 8> elements;
  uint64_t offset = 0;
  uint64_t largest = 0;
  for (const Member &member : members) {
    elements.push_back(builder_.createMemberType(file_, ref(member.name), file_, 0, member.bytes * 8, 0,
                                                 is_union ? 0 : offset * 8, DINode::FlagZero, member.type));
    offset += (member.bytes + 7) / 8 * 8;
    largest = std::max(largest, (member.bytes + 7) / 8 * 8);
  }
  auto array = builder_.getOrCreateArray(elements);
  if (is_union) return builder_.createUnionType(file_, ref(name), file_, 0, largest * 8, 0, DINode::FlagZero, array);
  return builder_.createStructType(file_, ref(name), file_, 0, offset * 8, 0, DINode::FlagZero, nullptr, array);
}

llvm::DICompositeType *DebugInfo::map_definition(const std::vector<std::pair<const char *, uint32_t>> &numbers,
                                                 uint64_t bytes) {
  llvm::SmallVector<llvm::Metadata *, 8> elements;
  uint64_t offset = 0;
  for (auto &[name, number] : numbers) {
    if (number == 0) continue;
    elements.push_back(builder_.createMemberType(file_, name, file_, 0, 64, 0, offset, DINode::FlagZero,
                                                 pointer(array(integer(4, true), 4, number))));
    offset += 64;
  }
  return builder_.createStructType(file_, "", file_, 0, bytes * 8, 0, DINode::FlagZero, nullptr,
                                   builder_.getOrCreateArray(elements));
}

void DebugInfo::describe(llvm::GlobalVariable *variable, llvm::DIType *type) {
  variable->addDebugInfo(builder_.createGlobalVariableExpression(unit_, variable->getName(), variable->getName(), file_,
                                                                 0, type, variable->hasLocalLinkage()));
}

void DebugInfo::describe(llvm::Function *function, LineColumn where, const std::vector<Param> &params) {
  auto type_of = [&](const Param &param) { return param.is_pointer ? pointer(nullptr) : integer(8, false); };
  bool wide = function->getReturnType()->isIntegerTy(64);
  llvm::SmallVector<llvm::Metadata *, 4> types{integer(wide ? 8 : 4, true)};
  for (const Param &param : params) types.push_back(type_of(param));
  auto *type = builder_.createSubroutineType(builder_.getOrCreateTypeArray(types));
  auto *subprogram = builder_.createFunction(
      file_, function->getName(), function->getName(), file_, where.line, type, where.line, DINode::FlagPrototyped,
      function->hasLocalLinkage() ? llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagLocalToUnit
                                  : llvm::DISubprogram::SPFlagDefinition);
  function->setSubprogram(subprogram);
  // Without named parameters the kernel rejects the whole BTF.
  unsigned number = 1;
  for (const Param &param : params)
    builder_.createParameterVariable(subprogram, ref(param.name), number++, file_, where.line, type_of(param), true);
}

void DebugInfo::declare(llvm::Function *function, const typed::CFunction &types) {
  llvm::SmallVector<llvm::Metadata *, 6> all{type_of(types.result)};
  for (const Type *param : types.params) all.push_back(type_of(param));
  auto *type = builder_.createSubroutineType(builder_.getOrCreateTypeArray(all));
  function->setSubprogram(builder_.createFunction(file_, function->getName(), function->getName(), file_, 0, type, 0,
                                                  DINode::FlagPrototyped, llvm::DISubprogram::SPFlagZero));
}

// Structs and enums by name; what is not told here and differs, libbpf refuses.
llvm::DIType *DebugInfo::type_of(const Type *type) {
  std::string_view name = type->name;
  if (size_t blank = name.rfind(' '); blank != name.npos) name.remove_prefix(blank + 1);
  switch (type->kind) {
    case TypeKind::Bool: return builder_.createBasicType("_Bool", 8, llvm::dwarf::DW_ATE_boolean);
    case TypeKind::Int: return integer(type->size, type->is_signed);
    case TypeKind::Enum:
      return builder_.createEnumerationType(unit_, ref(name), file_, 0, uint64_t{type->size} * 8, 0,
                                            builder_.getOrCreateArray({}), integer(type->size, type->is_signed));
    case TypeKind::Pointer: return pointer(type->target ? type_of(type->target) : nullptr);
    case TypeKind::Struct:
      return builder_.createForwardDecl(
          type->is_union ? llvm::dwarf::DW_TAG_union_type : llvm::dwarf::DW_TAG_structure_type, ref(name), unit_, file_,
          0);
    default: return nullptr;
  }
}

}  // namespace awl::codegen
