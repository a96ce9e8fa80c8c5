// The system's headers as a source of types, the last one that is asked.
#include <unistd.h>

#include "ast/passes/script_types.h"
#include "parser/headers.h"
#include "parser/parser.h"

namespace awl {

namespace {

class HeaderSource : public TypeSource {
 public:
  HeaderSource(std::vector<ast::Include> includes, ParseOptions options)
      : includes_(std::move(includes)), options_(std::move(options)) {
    for (const std::string &folder : syntax::system_header_folders())
      if (access(folder.c_str(), R_OK) == 0) options_.headers.folders.emplace_back(folder);
  }

  [[nodiscard]] std::string name() const override { return "headers"; }

  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override {
    return types() ? types_->find(store, name) : std::nullopt;
  }
  Result<std::vector<Field>> fields(TypeStore &store, const Type *type) override { return types_->fields(store, type); }
  std::optional<std::pair<const Type *, int64_t>> enumerator(TypeStore &store, std::string_view name) override {
    if (!types()) return std::nullopt;
    if (auto found = types_->enumerator(store, name)) return found;
    std::optional<int64_t> value = preprocessor_->value_of(std::string(name));
    return value ? std::optional(std::pair{store.int64(), *value}) : std::nullopt;
  }
  std::vector<std::string> names() override { return types_ ? types_->names() : std::vector<std::string>(); }

 private:
  // Null if no header was included, or none of them is here.
  TypeSource *types() {
    if (read_) return types_.get();
    read_ = true;
    preprocessor_ = std::make_unique<syntax::Preprocessor>(options_, 0, problems_);
    syntax::Headers headers(options_.headers, *preprocessor_, problems_);
    bool any = false;
    for (const ast::Include &include : includes_) {
      if (!include.file.empty()) continue;
      for (const std::string &folder : options_.headers.folders) {
        std::string path = folder + "/" + include.path;
        if (access(path.c_str(), R_OK) != 0) continue;
        headers.read_file(path, include.span);
        any = true;
        break;
      }
    }
    if (!any) return nullptr;
    syntax::HeaderDeclarations found = headers.take();
    types_ = ast::make_script_source(found.types, found.unread, problems_);
    return types_.get();
  }

  std::vector<ast::Include> includes_;
  ParseOptions options_;
  bool read_ = false;
  Diagnostics problems_;  // a header of the system that cannot be read is not the script's fault
  std::unique_ptr<syntax::Preprocessor> preprocessor_;
  std::unique_ptr<TypeSource> types_;
};

}  // namespace

std::unique_ptr<TypeSource> make_header_source(std::vector<ast::Include> includes, ParseOptions options) {
  return std::make_unique<HeaderSource>(std::move(includes), std::move(options));
}

}  // namespace awl
