#include "runtime/output/text_output.h"

#include <fmt/format.h>

#include "runtime/output/map_text.h"

namespace awl {

TextOutput::TextOutput(int fd, const OutputOptions &options, const FormatContext &context)
    : sink_(fd, options.buffering), options_(options), context_(context) {}

void TextOutput::printf(std::string_view text) {
  sink_.buffer() += text;
  sink_.commit();
}

void TextOutput::time(std::string_view text) { printf(text); }
void TextOutput::cat(std::string_view text) { printf(text); }
void TextOutput::system(std::string_view text) { printf(text); }

void TextOutput::line(std::string_view text) { join(text); }

void TextOutput::join(std::string_view text) {
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

void TextOutput::map(const MapView &view) {
  if (!view.info->value) return;
  const uint64_t end = last_interval(view);
  for (const MapEntry &each : view.entries) entry(view, each, end);
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
  if (!options_.quiet) to_stderr(fmt::format("Attached {} probe{}\n", probes, probes == 1 ? "" : "s"));
}

void TextOutput::lost_events(uint64_t count) { to_stderr(fmt::format("Lost {} events\n", count)); }

void TextOutput::message(const Diagnostic &diagnostic, const Source &source) {
  to_stderr(render_text(diagnostic, source, {options_.colour}));
}

void TextOutput::helper_error(const Diagnostic &diagnostic, const Source &source, std::string_view, int64_t) {
  message(diagnostic, source);
}

void TextOutput::end_of_records() {
  sink_.buffer() += "\n\n";
  sink_.commit();
}

void TextOutput::end_of_batch() { sink_.end_of_batch(); }
void TextOutput::flush() { sink_.flush(); }
bool TextOutput::broken() const { return sink_.broken(); }
int TextOutput::error() const { return sink_.error(); }

}  // namespace awl
