// One language for all that awl has to say: compile, load and run-time errors are Diagnostics.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/source.h"

namespace awl {

enum class Severity { Error, Warning, Note };

// The closed list of kinds, in the order of diagnostic_kinds.def.
enum class DiagId : uint16_t {
#define DIAG(name, code, severity, format, ...) name,
#include "base/diagnostic_kinds.def"
#undef DIAG
};

struct DiagInfo {
  DiagId id;
  std::string_view name;  // "UnknownField"
  std::string_view code;  // "E0204": stable, what `awl explain` takes
  Severity severity;
  std::string_view format;  // {fmt} format of the message
};

// A kind with the types of its arguments, so that a wrong argument does not compile.
template <class... Args>
struct DiagKind {
  DiagInfo info;
};

namespace diag {
#define DIAG(name, code, severity, format, ...) \
  inline constexpr DiagKind<__VA_ARGS__> name{{DiagId::name, #name, code, Severity::severity, format}};
#include "base/diagnostic_kinds.def"
#undef DIAG
}  // namespace diag

// All kinds, for tests and `awl explain`.
const std::vector<DiagInfo> &all_diagnostics();

struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  const DiagInfo *info = nullptr;
  Severity severity = Severity::Error;
  Span span;  // main place; empty if there is none
  std::string message;
  std::string label;          // text under the main place, may be empty
  std::vector<Label> labels;  // further places
  std::vector<std::string> notes;
  std::string hint;  // what to do

  Diagnostic &with_label(std::string text) {
    label = std::move(text);
    return *this;
  }
  Diagnostic &at(Span place, std::string text) {
    labels.push_back({place, std::move(text)});
    return *this;
  }
  Diagnostic &note(std::string text) {
    notes.push_back(std::move(text));
    return *this;
  }
  Diagnostic &with_hint(std::string text) {
    hint = std::move(text);
    return *this;
  }
};

// Collects diagnostics in the order they were found. The same kind at the same place is kept once; within a macro at
// most kMaxCallsShown times for as many of its calls.
class Diagnostics {
 public:
  template <class... Args, class... Given>
  Diagnostic &emit(const DiagKind<Args...> &kind, Span span, Given &&...given) {
    static_assert(sizeof...(Args) == sizeof...(Given), "arguments do not fit this kind of diagnostic");
    return add(kind.info, span, fmt::format(fmt::runtime(kind.info.format), Args(std::forward<Given>(given))...));
  }

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] size_t error_count() const { return errors_; }
  [[nodiscard]] const std::vector<Diagnostic> &all() const { return list_; }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  void append(Diagnostics other);

 private:
  static constexpr int kMaxCallsShown = 8;

  Diagnostic &add(const DiagInfo &info, Span span, std::string message);
  bool is_repeated(const DiagInfo &info, Span span, const std::string &message);

  std::vector<Diagnostic> list_;
  std::unordered_map<std::string, std::set<uint32_t>> expansions_;  // by kind, place and message: where it was found
  Diagnostic duplicate_;                                            // receives the decorations of a dropped repetition
  size_t errors_ = 0;
};

struct RenderOptions {
  bool colour = false;
};

// Standard error is a terminal, and nobody wants it plain: BPFTRACE_COLOR (always, never, auto), NO_COLOR.
bool colour_wanted();
// Terminal form: severity[code]: message, place, source line with the place underlined, notes, hint.
std::string render_text(const Diagnostic &diagnostic, const Source &source, RenderOptions options = {});
// One JSON object without newline: type, code, severity, message, file, line, column, hint.
std::string render_json(const Diagnostic &diagnostic, const Source &source);

// Candidate nearest to `name` by edit distance, "" if none is near enough (a third of its length).
std::string nearest(std::string_view name, const std::vector<std::string> &candidates);

}  // namespace awl
