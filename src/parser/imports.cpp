#include "parser/imports.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <vector>

#include "base/strings.h"

namespace awl {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxFileBytes = 16 << 20;
constexpr size_t kMaxFiles = 1000;

class Importer {
 public:
  Importer(Source &source, const ParseOptions &options, Diagnostics &diagnostics)
      : source_(source), options_(options), diagnostics_(diagnostics) {}

  ast::Program run() {
    std::error_code error;
    fs::path script = fs::weakly_canonical(source_.name(), error);
    if (fs::is_regular_file(script, error)) seen_.insert(script);
    return load(0, fs::path(source_.name()).parent_path());
  }

 private:
  // A file of the source, behind all it depends on.
  ast::Program load(size_t file, const fs::path &folder) {
    ParseOptions options = options_;
    options.file = file;
    options.headers.directory = folder;
    ast::Program own = parse(source_, options, diagnostics_);
    if (file != 0) refuse_config(own);
    ast::Program all;
    for (const ast::Import &import : own.imports) import_path(all, import, folder);
    all.append(std::move(own));
    return all;
  }

  void refuse_config(ast::Program &program) {
    if (program.config.empty()) return;
    diagnostics_.emit(diag::ImportedConfig, program.config.front().span)
        .with_hint("config variables are the business of the script that is run");
    program.config.clear();
  }

  void import_path(ast::Program &into, const ast::Import &import, const fs::path &folder) {
    fs::path path = fs::path(import.path).is_absolute() ? fs::path(import.path) : folder / import.path;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return fail(import, std::strerror(errno));
    if (!S_ISDIR(status.st_mode)) return import_file(into, import, path);
    if (!safe(import, path)) return;
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(path, error))
      if (entry.is_regular_file(error) && entry.path().extension() == ".bt") files.push_back(entry.path());
    if (files.empty()) return fail(import, error ? error.message() : "there is no *.bt in this folder");
    std::ranges::sort(files);
    for (const fs::path &file : files) import_file(into, import, file);
  }

  void import_file(ast::Program &into, const ast::Import &import, const fs::path &path) {
    std::error_code error;
    fs::path real = fs::canonical(path, error);
    if (error) return fail(import, error.message());
    if (!safe(import, real.parent_path()) || !seen_.insert(real).second) return;
    if (real.string().ends_with(".bpf.c")) {
      into.c_sources.push_back({import.span, path.lexically_normal().string()});
      return;
    }
    if (real.extension() != ".bt") return fail(import, "only *.bt, *.h and *.bpf.c files can be imported");
    if (!fs::is_regular_file(real, error)) return fail(import, "it is not a regular file");
    if (fs::file_size(real, error) > kMaxFileBytes || seen_.size() > kMaxFiles) return fail(import, "it is too much");
    Result<std::string> text = read_file(path.string());
    if (!text) return fail(import, text.error().message);
    into.append(load(source_.add_file(path.lexically_normal().string(), *text), path.parent_path()));
  }

  bool safe(const ast::Import &import, const fs::path &folder) {
    if (!everybody_may_write(folder)) return true;
    fail(import, fmt::format("everybody may write into `{}`", folder.string()));
    return false;
  }

  void fail(const ast::Import &import, const std::string &why) {
    diagnostics_.emit(diag::ImportFailed, import.span, import.path, why);
  }

  Source &source_;
  const ParseOptions &options_;
  Diagnostics &diagnostics_;
  std::set<fs::path> seen_;
};

}  // namespace

bool everybody_may_write(const std::string &folder) {
  struct stat status{};
  return stat(folder.empty() ? "." : folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH);
}

ast::Program parse_with_imports(Source &source, const ParseOptions &options, Diagnostics &diagnostics) {
  return Importer(source, options, diagnostics).run();
}

}  // namespace awl
