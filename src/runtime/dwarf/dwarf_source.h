// Types of user programs from their DWARF, Origin::Dwarf: as laid out in that program, never relocated.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/dwarf/debug_file.h"
#include "runtime/probes/user_types.h"
#include "runtime/types/type_store.h"

namespace awl {

// Types of one program. Units are read one by one until a name is found; what was met is remembered.
class DwarfSource : public TypeSource {
 public:
  explicit DwarfSource(std::unique_ptr<DebugFile> file) : file_(std::move(file)) {}

  [[nodiscard]] std::string name() const override { return file_->path(); }
  [[nodiscard]] DebugFile &file() const { return *file_; }
  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override;
  Result<std::vector<Field>> fields(TypeStore &store, const Type *type) override;
  std::vector<std::string> names() override;

  // Parameters and result of the function that begins at `address`.
  Result<std::optional<UserFunction>> function(TypeStore &store, uint64_t address);
  // UserTypes::variables() of this program.
  Result<std::vector<UserVariable>> variables(TypeStore &store, uint64_t address);

 private:
  Result<const Type *> type(TypeStore &store, Dwarf_Die die, int depth = 0);
  Result<const Type *> type_behind(TypeStore &store, Dwarf_Die *die, int depth);
  Result<const Type *> make_struct(TypeStore &store, Dwarf_Die *die, const char *typedef_name, int depth);
  Result<const Type *> make_enum(TypeStore &store, Dwarf_Die *die);
  Result<const Type *> make_array(TypeStore &store, Dwarf_Die *die, int depth);
  Result<void> add_fields(TypeStore &store, Dwarf_Die *record, std::vector<Field> &out, int depth);
  Result<std::optional<Field>> field(TypeStore &store, Dwarf_Die *member);
  std::optional<Dwarf_Die> definition(const std::string &name);
  void read_unit(Dwarf_Die *unit, const std::string &prefix, int depth);

  std::unique_ptr<DebugFile> file_;
  std::unordered_map<std::string, Dwarf_Off> by_name_;  // "struct point", "size_t"
  Dwarf_CU *read_to_ = nullptr;                         // units up to this one are in by_name_
  bool all_read_ = false;
  bool said_ = false;               // that it takes long
  std::vector<Dwarf_Off> structs_;  // by Type::btf_id - 1
  std::unordered_map<Dwarf_Off, uint32_t> numbers_;
};

}  // namespace awl
