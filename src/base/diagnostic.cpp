#include "base/diagnostic.h"

#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <numeric>

#include "base/strings.h"

namespace awl {

bool colour_wanted() {
  const char *wish = std::getenv("BPFTRACE_COLOR");
  if (wish && std::string_view(wish) == "always") return true;
  if (wish && std::string_view(wish) == "never") return false;
  return isatty(STDERR_FILENO) && !std::getenv("NO_COLOR");
}

const std::vector<DiagInfo> &all_diagnostics() {
  static const std::vector<DiagInfo> list = {
#define DIAG(name, code, severity, format, ...) diag::name.info,
#include "base/diagnostic_kinds.def"
#undef DIAG
  };
  return list;
}

Diagnostic &Diagnostics::add(const DiagInfo &info, Span span, std::string message) {
  if (is_repeated(info, span, message)) {
    duplicate_ = {};
    return duplicate_;
  }
  Diagnostic d;
  d.info = &info;
  d.severity = info.severity;
  d.span = span;
  d.message = std::move(message);
  if (d.severity == Severity::Error) errors_++;
  list_.push_back(std::move(d));
  return list_.back();
}

// True if it is known already, or for enough of the calls of the macro that it stands in.
bool Diagnostics::is_repeated(const DiagInfo &info, Span span, const std::string &message) {
  std::set<uint32_t> &seen = expansions_[fmt::format("{} {} {} {}", info.code, span.begin, span.end, message)];
  return seen.size() >= kMaxCallsShown || !seen.insert(span.expansion).second;
}

void Diagnostics::append(Diagnostics other) {
  for (Diagnostic &d : other.list_) list_.push_back(std::move(d));
  errors_ += other.errors_;
}

namespace {

struct Style {
  std::string_view error, warning, note, place, reset, bold;
};

Style style_for(RenderOptions options) {
  if (!options.colour) return {};
  return {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[1;34m", "\x1b[0m", "\x1b[1m"};
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Note: return "note";
  }
  return "";
}

// The source line with `^~~~` below the place; tabs keep their width.
void render_place(std::string &out, const Source &source, Span span, std::string_view text, const Style &style,
                  std::string_view mark_style) {
  LineColumn at = source.line_column(span.begin);
  std::string_view line = source.line(source.total_line_column(span.begin).line);
  std::string number = std::to_string(at.line);
  std::string gutter(number.size(), ' ');
  out += fmt::format("{}{} |{} {}\n", style.place, number, style.reset, line);
  std::string pad;
  for (size_t i = 0; i + 1 < at.column && i < line.size(); i++) pad += line[i] == '\t' ? '\t' : ' ';
  size_t room = line.size() + 1 > at.column ? line.size() + 1 - at.column : 1;
  size_t width = std::clamp<size_t>(span.end > span.begin ? span.end - span.begin : 1, 1, std::max<size_t>(room, 1));
  out += fmt::format("{}{} |{} {}{}^{}{}{}\n", style.place, gutter, style.reset, pad, mark_style,
                     std::string(width - 1, '~'), text.empty() ? "" : " ", text);
  if (!style.reset.empty()) out.insert(out.size() - 1, style.reset);
}

// `FILE:LINE:COLUMN:`, the file by its own name.
std::string place_text(const Source &source, Span span) {
  LineColumn at = source.line_column(span.begin);
  return fmt::format("{}:{}:{}:", source.file_at(span.begin).name, at.line, at.column);
}

// A place of less weight: with its name if it is in another file than what stands above it.
void render_label(std::string &out, const Source &source, Span span, std::string_view text, uint32_t above,
                  const Style &style) {
  if (&source.file_at(span.begin) != &source.file_at(above))
    out += fmt::format("{}{}{}\n", style.bold, place_text(source, span), style.reset);
  render_place(out, source, span, text, style, style.note);
}

// Where the macros were called whose text holds the place, the innermost first.
void render_calls(std::string &out, const Source &source, Span span, const Style &style) {
  constexpr int kMaxCalls = 8;
  for (int i = 0; const Expansion *expansion = source.expansion(span); i++) {
    if (i == kMaxCalls) return;
    render_label(out, source, expansion->call, fmt::format("in the macro `{}`, called here", expansion->macro),
                 span.begin, style);
    span = expansion->call;
  }
}

}  // namespace

std::string render_text(const Diagnostic &d, const Source &source, RenderOptions options) {
  Style style = style_for(options);
  std::string_view colour = d.severity == Severity::Error     ? style.error
                            : d.severity == Severity::Warning ? style.warning
                                                              : style.note;
  std::string out;
  if (!d.span.empty()) out += fmt::format("{}{}{} ", style.bold, place_text(source, d.span), style.reset);
  out += fmt::format("{}{}[{}]:{} {}\n", colour, severity_name(d.severity), d.info->code, style.reset, d.message);
  if (!d.span.empty()) render_place(out, source, d.span, d.label, style, colour);
  render_calls(out, source, d.span, style);
  for (const Label &label : d.labels) render_label(out, source, label.span, label.text, d.span.begin, style);
  for (const std::string &note : d.notes) out += fmt::format("  {}note:{} {}\n", style.note, style.reset, note);
  if (!d.hint.empty()) out += fmt::format("  {}hint:{} {}\n", style.note, style.reset, d.hint);
  return out;
}

std::string render_json(const Diagnostic &d, const Source &source) {
  std::string out = fmt::format(R"({{"type": "diagnostic", "code": "{}", "severity": "{}", "msg": {})", d.info->code,
                                severity_name(d.severity), json_quote(d.message));
  if (!d.span.empty()) {
    LineColumn at = source.line_column(d.span.begin);
    out += fmt::format(R"(, "filename": {}, "line": {}, "col": {})", json_quote(source.file_at(d.span.begin).name),
                       at.line, at.column);
  }
  if (!d.hint.empty()) out += fmt::format(R"(, "hint": {})", json_quote(d.hint));
  return out + "}";
}

// Which characters a name has, as a set of bits; some share a bit.
static uint64_t letters(std::string_view name) {
  uint64_t out = 0;
  for (char c : name) out |= uint64_t{1} << (static_cast<unsigned char>(c) % 64);
  return out;
}

// How many letters only one of two names has.
static size_t other_letters(std::string_view a, std::string_view b) {
  std::string left(b);
  size_t only_a = 0;
  for (char c : a) {
    const size_t at = left.find(c);
    if (at == std::string::npos)
      only_a++;
    else
      left.erase(at, 1);
  }
  return only_a + left.size();
}

std::string nearest(std::string_view name, const std::vector<std::string> &candidates) {
  if (name.size() < 2) return "";  // every other letter is as near
  for (const std::string &candidate : candidates)
    if (candidate.size() == name.size() && strncasecmp(candidate.data(), name.data(), name.size()) == 0)
      return candidate;
  size_t limit = std::clamp<size_t>(name.size() / 3, 1, 5);
  size_t best = limit + 1;
  const uint64_t ours = letters(name);
  std::string found;
  std::vector<size_t> before, last, row;  // rows of the distance table; swapped neighbours count once
  for (const std::string &candidate : candidates) {
    if (candidate.size() > name.size() + limit || name.size() > candidate.size() + limit) continue;
    // A letter that only one of them has costs a step: this quickly leaves few of the kernel's thousands of names.
    const uint64_t theirs = letters(candidate);
    const int steps = std::max(std::popcount(ours & ~theirs), std::popcount(theirs & ~ours));
    if (static_cast<size_t>(steps) > std::min(best, limit)) continue;
    last.resize(candidate.size() + 1);
    std::iota(last.begin(), last.end(), size_t{0});
    for (size_t i = 1; i <= name.size(); i++) {
      row.assign(candidate.size() + 1, i);
      for (size_t j = 1; j < row.size(); j++) {
        size_t substitute = last[j - 1] + (name[i - 1] == candidate[j - 1] ? 0 : 1);
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitute});
        if (i > 1 && j > 1 && name[i - 1] == candidate[j - 2] && name[i - 2] == candidate[j - 1])
          row[j] = std::min(row[j], before[j - 2] + 1);
      }
      before = std::exchange(last, row);
    }
    // Of two as near, the one that is made of the same letters: `prinf` and `prinft` are `printf`, not `print`.
    auto distance = [&](const std::string &other) {
      return std::pair(other_letters(name, other), other.size() != name.size());
    };
    const bool nearer = last.back() == best && !found.empty() && distance(candidate) < distance(found);
    if (last.back() < best || nearer) {
      best = last.back();
      found = candidate;
    }
  }
  return found;
}

}  // namespace awl
