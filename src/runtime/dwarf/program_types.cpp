#include "runtime/dwarf/program_types.h"

#include <fmt/format.h>

#include <map>
#include <memory>

#include "runtime/dwarf/dwarf_source.h"
#include "runtime/dwarf/source_lines.h"
#include "runtime/symbols/elf_file.h"

namespace awl {

namespace {

class ProgramTypes : public UserTypes, public TypeSource {
 public:
  explicit ProgramTypes(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  Result<std::optional<UserFunction>> function(TypeStore &store, const std::string &binary, uint64_t address) override {
    DwarfSource *source = program(binary);
    return source ? source->function(store, address) : std::nullopt;
  }
  Result<std::vector<UserVariable>> variables(TypeStore &store, const std::string &binary, uint64_t address) override {
    DwarfSource *source = program(binary);
    return source ? source->variables(store, address) : std::vector<UserVariable>{};
  }
  Result<std::optional<const Type *>> find(TypeStore &store, const std::string &binary,
                                           std::string_view name) override {
    DwarfSource *source = program(binary);
    return source ? source->find(store, name) : std::nullopt;
  }
  Result<std::vector<SourcePlace>> line(const std::string &binary, std::string_view file, uint64_t line,
                                        uint64_t column) override {
    DwarfSource *source = program(binary);
    if (!source)
      return fail(fmt::format("`{}` has no debug information", binary),
                  "compile it with -g, install its debug symbols, or name their folder with --debuginfo");
    return line_places(source->file(), file, line, column);
  }
  [[nodiscard]] std::string name() const override { return "debug information"; }
  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override {
    for (const auto &[path, source] : programs_)
      if (source)
        if (auto found = TRY(source->find(store, name))) return found;
    return std::nullopt;
  }
  // Its structs belong to the source of their program.
  Result<std::vector<Field>> fields(TypeStore &, const Type *) override { return std::vector<Field>(); }

 private:
  // Null if it has no debug information.
  DwarfSource *program(const std::string &binary) {
    auto [it, fresh] = programs_.try_emplace(binary);
    if (fresh)
      if (auto file = DebugFile::open(resolve_binary(binary).value_or(binary), folders_))
        it->second = std::make_unique<DwarfSource>(std::move(file));
    return it->second.get();
  }

  std::vector<std::string> folders_;
  std::map<std::string, std::unique_ptr<DwarfSource>> programs_;
};

}  // namespace

UserTypes *add_user_types(TypeStore &store, std::vector<std::string> folders) {
  auto types = std::make_unique<ProgramTypes>(std::move(folders));
  UserTypes *out = types.get();
  store.add_source(std::move(types));
  return out;
}

}  // namespace awl
