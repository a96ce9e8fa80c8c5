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

void TextOutput::join(std::string_view text) {
  sink_.buffer().append(text).append(1, '\n');
  sink_.commit();
}

void TextOutput::value(const Value &value) {
  append_value(sink_.buffer(), value, context_);
  sink_.buffer() += '\n';
  sink_.commit();
}

// "@x: v", "@x[k]: v"; histograms start on the next line and end with an empty one.
void TextOutput::entry(const MapInfo &info, const MapEntry &entry, uint64_t div) {
  std::string &out = sink_.buffer();
  MapEntry zero;
  const MapEntry *shown = &entry;
  if (entry.value.empty()) {
    if (!has_zero(*info.value)) return;
    zero.value.resize(info.value->size);
    shown = &zero;
  }
  out += info.name;
  if (info.key) {
    out += '[';
    append_key(out, {info.key, entry.key}, context_);
    out += ']';
  }
  out += is_histogram(info.value) ? ":\n" : ": ";
  append_map_value(out, value_of(info, *shown), div, context_);
  out += '\n';
  sink_.commit();
}

void TextOutput::map(const MapView &view) {
  if (!view.info->value) return;
  for (const MapEntry &each : view.entries) entry(*view.info, each, view.div);
  if (view.entries.empty() && !view.info->key) entry(*view.info, {}, view.div);
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

void TextOutput::end_of_records() {
  sink_.buffer() += "\n\n";
  sink_.commit();
}

void TextOutput::end_of_batch() { sink_.end_of_batch(); }
void TextOutput::flush() { sink_.flush(); }
bool TextOutput::broken() const { return sink_.broken(); }
int TextOutput::error() const { return sink_.error(); }

}  // namespace awl
