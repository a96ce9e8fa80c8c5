#include "runtime/output/json_output.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/strings.h"
#include "runtime/output/map_text.h"
#include "runtime/output/value_parts.h"

namespace awl {

JsonOutput::JsonOutput(int fd, const OutputOptions &options, const FormatContext &context)
    : sink_(fd, options.buffering), quiet_(options.quiet), context_(context) {}

void JsonOutput::text_message(std::string_view type, std::string_view text) {
  std::string &out = sink_.buffer();
  out.append("{\"type\": \"").append(type).append("\", \"data\": ").append(json_quote(text)).append("}\n");
  sink_.commit();
}

void JsonOutput::printf(std::string_view text) { text_message("printf", text); }
void JsonOutput::time(std::string_view text) { text_message("time", text); }
void JsonOutput::cat(std::string_view text) { text_message("cat", text); }
void JsonOutput::join(std::string_view text) { text_message("join", text); }
void JsonOutput::system(std::string_view text) { text_message("syscall", text); }

void JsonOutput::value(const Value &value) {
  std::string &out = sink_.buffer();
  out += R"({"type": "value", "data": )";
  append_json(out, value, context_);
  out += "}\n";
  sink_.commit();
}

namespace {

// Tuple elements joined by commas; a stack one frame a line, without the indent it has in text.
std::string key_text(const Value &key, const FormatContext &context) {
  std::string out;
  auto append_part = [&](const Value &part) {
    if (part.type->kind == TypeKind::Stack)
      append_stack(out, part, 0, context);
    else
      append_value(out, part, context);
  };
  if (key.type->kind != TypeKind::Tuple || key.type->is_record || has_display(*key.type)) {
    append_part(key);
    return out;
  }
  for (const Field &field : key.type->fields) {
    if (&field != &key.type->fields.front()) out += ',';
    append_part({field.type, part_of(key.bytes, field.offset, field.type->size)});
  }
  return out;
}

void append_entry_value(std::string &out, const MapView &view, const MapEntry &entry, const FormatContext &context) {
  const Type &type = *view.info->value;
  if (!entry.value.empty()) return append_json_map_value(out, value_of(*view.info, entry), view.div, context);
  if (is_histogram(&type)) {
    out += "[]";
  } else if (has_zero(type)) {
    std::vector<std::byte> zero(type.size);
    append_json_map_value(out, {&type, zero}, 0, context);
  } else {
    out += "null";
  }
}

}  // namespace

void JsonOutput::append_entries(const MapView &view) {
  const MapInfo &info = *view.info;
  std::string &out = sink_.buffer();
  std::unordered_set<std::string> used;
  bool first = true;
  out += '{';
  for (const MapEntry &entry : view.entries) {
    if (!first) out += ", ";
    first = false;
    Value key{info.key, entry.key};
    std::string name = key_text(key, context_);
    if (used.contains(name)) {
      // ("a,b", "c") and ("a", "b,c") read the same: the later one is told apart by its JSON form.
      name.clear();
      append_json(name, key, context_);
      if (used.contains(name)) name += fmt::format(" #{}", used.size());
    }
    out.append(json_quote(name)).append(": ");
    used.insert(std::move(name));
    append_entry_value(out, view, entry, context_);
  }
  out += '}';
}

void JsonOutput::map(const MapView &view) {
  const MapInfo &info = *view.info;
  if (!info.value || (info.key && view.entries.empty())) return;
  std::string &out = sink_.buffer();
  std::string_view type = is_histogram(info.value) ? "hist" : is_statistic(info.value) ? "stats" : "map";
  out.append("{\"type\": \"").append(type).append("\", \"data\": {").append(json_quote(info.name)).append(": ");
  if (info.key)
    append_entries(view);
  else
    append_entry_value(out, view, view.entries.empty() ? MapEntry{} : view.entries.front(), context_);
  out += "}}\n";
  sink_.commit();
}

void JsonOutput::map_entry(const MapView &view) { map(view); }

void JsonOutput::attached(uint64_t probes) {
  if (quiet_) return;
  fmt::format_to(std::back_inserter(sink_.buffer()),
                 R"({{"type": "attached_probes", "count": {0}, "data": {{"probes": {0}}}}})"
                 "\n",
                 probes);
  sink_.commit();
}

void JsonOutput::lost_events(uint64_t count) {
  fmt::format_to(std::back_inserter(sink_.buffer()),
                 R"({{"type": "lost_events", "count": {0}, "data": {{"events": {0}}}}})"
                 "\n",
                 count);
  sink_.commit();
}

void JsonOutput::message(const Diagnostic &diagnostic, const Source &source) {
  std::string_view name = diagnostic.info->name;
  std::string_view type = name == "Errorf" ? "errorf" : name == "Warnf" ? "warnf" : "runtime_error";
  std::string_view severity = diagnostic.severity == Severity::Error     ? "error"
                              : diagnostic.severity == Severity::Warning ? "warning"
                                                                         : "note";
  std::string &out = sink_.buffer();
  out += fmt::format(R"({{"type": "{}", "severity": "{}", "code": "{}", "msg": {})", type, severity,
                     diagnostic.info->code, json_quote(diagnostic.message));
  if (!diagnostic.span.empty()) {
    LineColumn at = source.line_column(diagnostic.span.begin);
    out += fmt::format(R"(, "filename": {}, "line": {}, "col": {})",
                       json_quote(source.file_at(diagnostic.span.begin).name), at.line, at.column);
  }
  if (!diagnostic.hint.empty()) out += fmt::format(R"(, "hint": {})", json_quote(diagnostic.hint));
  out += "}\n";
  sink_.commit();
}

void JsonOutput::end_of_records() {}
void JsonOutput::end_of_batch() { sink_.end_of_batch(); }
void JsonOutput::flush() { sink_.flush(); }
bool JsonOutput::broken() const { return sink_.broken(); }
int JsonOutput::error() const { return sink_.error(); }

}  // namespace awl
