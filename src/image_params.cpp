// Which parameters of a script a written program can leave open: found by trying. What a parameter decides is seen
// where the compiler needs to know it, and that is what the message says when somebody wants to change it later.
#include <algorithm>

#include "c_import/compile.h"
#include "driver.h"

namespace awl {

namespace {

using Fixed = std::map<std::string, std::string>;  // names, and why

class Trials {
 public:
  Trials(const Source &source, const CompileRequest &request) : source_(source), request_(request) {
    request_.check_only = true;
    request_.dumps = nullptr;
    request_.options_help = nullptr;
  }

  // The first error with these parameters fixed and all others open; "" if there is none. `names` gets all parameters.
  std::string try_with(const Fixed &fixed, std::vector<std::string> *names = nullptr) {
    Source own(source_.name(), std::string(source_.text_of(source_.files().front())));
    TypeStore store;
    Diagnostics diagnostics;
    request_.fixed_params = &fixed;
    request_.param_names = names;
    compile(own, request_, store, diagnostics);
    for (const Diagnostic &d : diagnostics.all()) {
      if (d.severity != Severity::Error) continue;
      LineColumn place = own.line_column(d.span.begin);
      return fmt::format("{} ({}:{}:{})", d.message, own.file_at(d.span.begin).name, place.line, place.column);
    }
    return {};
  }

 private:
  const Source &source_;
  CompileRequest request_;
};

// All but one.
Fixed others(const std::vector<std::string> &names, const std::string &open) {
  Fixed out;
  for (const std::string &name : names)
    if (name != open) out[name] = "not tried";
  return out;
}

Fixed find_fixed(const Source &source, const CompileRequest &request) {
  Trials trials(source, request);
  std::vector<std::string> names;
  std::string error = trials.try_with({}, &names);
  if (error.empty() || names.empty()) return {};
  Fixed out;
  for (const std::string &name : names)
    if (std::string why = trials.try_with(others(names, name)); !why.empty()) out[name] = why;
  if (std::string why = trials.try_with(out); why.empty()) return out;
  for (const std::string &name : names) out.emplace(name, error);
  return out;
}

}  // namespace

std::optional<Image> compile_for_image(Source &source, const CompileRequest &request, TypeStore &store,
                                       Diagnostics &diagnostics) {
  const std::string_view text = source.text();
  // `$x` alone is a variable; what is imported has no parameters of its own in most scripts, and is looked at as well.
  const bool may_have =
      text.find("getopt") != text.npos || text.find("import") != text.npos ||
      std::ranges::adjacent_find(text, [](char a, char b) { return a == '$' && b >= '0' && b <= '9'; }) != text.end();
  if (!may_have || (request.options_help && std::ranges::find(request.options, "--help") != request.options.end()))
    return compile(source, request, store, diagnostics);
  CCompiler c_compiler(request.include_dirs);
  CompileRequest left_open = request;
  left_open.c_compiler = &c_compiler;
  const Fixed fixed = find_fixed(source, left_open);
  left_open.fixed_params = &fixed;
  return compile(source, left_open, store, diagnostics);
}

}  // namespace awl
