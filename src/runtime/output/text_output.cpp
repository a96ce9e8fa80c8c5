#include "runtime/output/text_output.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/output/map_text.h"
#include "runtime/output/value_parts.h"

namespace awl {

TextOutput::TextOutput(int fd, const OutputOptions &options, const FormatContext &context)
    : sink_(fd, options.buffering), options_(options), context_(context) {}

void TextOutput::record(RecordKind kind, std::string_view text) {
  if (kind == RecordKind::Join) return line(text);
  sink_.buffer() += text;
  sink_.commit();
}

void TextOutput::line(std::string_view text) {
  sink_.buffer().append(text).append(1, '\n');
  sink_.commit();
}

void TextOutput::value(const Value &value) {
  append_value(sink_.buffer(), value, context_);
  sink_.buffer() += '\n';
  sink_.commit();
}

// "@x", "@x[k]"
void TextOutput::append_name(const MapInfo &info, const MapEntry &entry) {
  std::string &out = sink_.buffer();
  out += info.name;
  if (!info.key) return;
  out += '[';
  append_key(out, {info.key, entry.key}, context_);
  out += ']';
}

// "@x: v", "@x[k]: v"; graphs start on the next line and end with an empty one.
void TextOutput::entry(const MapView &view, const MapEntry &entry, uint64_t end) {
  const MapInfo &info = *view.info;
  std::string &out = sink_.buffer();
  MapEntry zero;
  const MapEntry *shown = &entry;
  if (entry.value.empty()) {
    if (!has_zero(*info.value)) return;
    zero.value.resize(info.value->size);
    shown = &zero;
  }
  append_name(info, entry);
  out += is_graph(info.value) ? ":\n" : ": ";
  if (is_series(info.value))
    append_series(out, value_of(info, *shown), end);
  else
    append_map_value(out, value_of(info, *shown), view.div, context_);
  out += '\n';
  sink_.commit();
}

// The program first, then the frames from the outermost on: those of the process, which called the kernel, before the
// kernel's, whatever their order in the key.
bool TextOutput::folded(const MapView &view) {
  const MapInfo &info = *view.info;
  if (!options_.folded || !info.key || !has_stack(*info.key) || is_graph(info.value)) return false;
  std::string &out = sink_.buffer();
  for (const MapEntry &entry : view.entries) {
    std::string words, user, kernel;
    auto add = [&](const Value &part) {
      const bool stack = part.type->kind == TypeKind::Stack;
      std::string &to = !stack ? words : part.type->stack_user ? user : kernel;
      const size_t begin = to.size();
      if (stack)
        append_folded_stack(to, part, context_);
      else
        append_value(to, part, context_);
      if (to.size() > begin) to += ';';
    };
    if (info.key->kind == TypeKind::Tuple && !has_display(*info.key))
      for (const Field &field : info.key->fields) add({field.type, part_of(entry.key, field.offset, field.type->size)});
    else
      add({info.key, entry.key});
    std::string line = words + user + kernel;
    if (!line.empty()) line.pop_back();
    out.append(line).append(1, ' ');
    append_map_value(out, value_of(info, entry), view.div, context_);
    out += '\n';
    sink_.commit();
  }
  return true;
}

void TextOutput::map(const MapView &view) {
  if (!view.info->value || folded(view)) return;
  const uint64_t end = last_interval(view);
  for (const MapEntry &each : view.entries) {
    if (sink_.broken()) return;
    entry(view, each, end);
  }
  if (view.entries.empty() && !view.info->key) entry(view, {}, end);
}

void TextOutput::percentiles(const MapView &view, std::span<const double> percents) {
  for (const MapEntry &each : view.entries) {
    if (each.value.empty()) continue;
    const Value value = value_of(*view.info, each);
    const uint64_t count = aggregate_number(value);
    append_name(*view.info, each);
    const int64_t average = count ? histogram_sum(value) / static_cast<int64_t>(count) : 0;
    fmt::format_to(std::back_inserter(sink_.buffer()), ": count {}, average {}\n", count, average);
    append_percentiles(sink_.buffer(), value, percents);
    sink_.buffer() += '\n';
    sink_.commit();
  }
}

void TextOutput::map_entry(const MapView &view) { map(view); }

void TextOutput::to_stderr(std::string_view text) {
  sink_.flush();  // keeps the order of lines when both go to one terminal
  write_all(options_.error_fd, text);
}

void TextOutput::attached(uint64_t probes) {
  if (!options_.quiet) to_stderr("Attached " + counted(probes, "probe") + "\n");
}

void TextOutput::pinned(std::string_view path) {
  if (!options_.quiet) to_stderr(fmt::format("Program pinned to {}\n", path));
}

void TextOutput::lost_events(uint64_t count) { to_stderr(fmt::format("Lost {} events\n", count)); }

void TextOutput::message(const Diagnostic &diagnostic, const Source &source) {
  to_stderr(render_text(diagnostic, source, {options_.colour}));
}

void TextOutput::helper_error(const Diagnostic &diagnostic, const Source &source, std::string_view, int64_t) {
  message(diagnostic, source);
}

void TextOutput::end_of_records() {
  if (options_.folded) return;  // tools that read stacks want no empty lines
  sink_.buffer() += "\n\n";
  sink_.commit();
}

void TextOutput::end_of_batch() { sink_.end_of_batch(); }
void TextOutput::flush() { sink_.flush(); }
bool TextOutput::broken() const { return sink_.broken(); }
int TextOutput::error() const { return sink_.error(); }

}  // namespace awl
