#include "runtime/output/json_output.h"

#include <fmt/format.h>

#include <algorithm>
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

void JsonOutput::record(RecordKind kind, std::string_view text) {
  constexpr std::string_view kTypes[] = {"printf", "time", "cat", "join", "syscall"};  // by RecordKind
  text_message(kTypes[static_cast<size_t>(kind)], text);
}

void JsonOutput::line(std::string_view text) {
  sink_.buffer().append(text).append(1, '\n');
  sink_.commit();
}

void JsonOutput::value(const Value &value) {
  std::string &out = sink_.buffer();
  out += R"({"type": "value", "data": )";
  append_json(out, value, context_);
  out += "}\n";
  sink_.commit();
}

namespace {

std::string part_text(const Value &part, const FormatContext &context) {
  std::string out;
  if (part.type->kind == TypeKind::Stack)
    append_stack(out, part, 0, context);  // one frame a line, without the indent it has in text
  else
    append_value(out, part, context);
  return escape_non_utf8(out);
}

// Elements of a tuple joined by commas, as bpftrace writes them. Where an element holds a comma itself that could be
// the key of another entry: ("a,b", "c") and ("a", "b,c"). Then it is the tuple's JSON form, which has more commas than
// the joined elements of any key of the map.
std::string key_text(const Value &key, const FormatContext &context) {
  if (key.type->kind != TypeKind::Tuple || has_display(*key.type)) return part_text(key, context);
  std::string joined;
  for (const Field &field : key.type->fields) {
    std::string part = part_text({field.type, part_of(key.bytes, field.offset, field.type->size)}, context);
    if (part.find(',') != std::string::npos || key.type->is_record) {
      joined.clear();
      append_json(joined, key, context);
      return joined;
    }
    if (&field != &key.type->fields.front()) joined += ',';
    joined += part;
  }
  return joined;
}

bool is_number(const Type &type) { return type.kind == TypeKind::Int && !has_display(type); }

// Calls append(entry) for each entry of a map, behind its key, in an object. With stacks as lists of frames a key is no
// string: then a list of keys and values.
template <class Append>
void append_entries(Sink &sink, const MapView &view, const FormatContext &context, Append append) {
  std::string &out = sink.buffer();
  const Type &type = *view.info->key;
  const bool listed = context.json_frames && has_stack(type);
  const bool unique =
      is_number(type) || (type.kind == TypeKind::Tuple && !has_display(type) &&
                          std::ranges::all_of(type.fields, [](const Field &f) { return is_number(*f.type); }));
  std::unordered_set<std::string> used;
  out += listed ? '[' : '{';
  for (const MapEntry &entry : view.entries) {
    if (sink.broken()) break;
    sink.spill();
    if (&entry != &view.entries.front()) out += ", ";
    Value key{&type, entry.key};
    if (listed) {
      out += "{\"key\": ";
      append_json(out, key, context);
      out += ", \"value\": ";
      append(entry);
      out += '}';
      continue;
    }
    std::string name = key_text(key, context);
    // Addresses of one function have one name.
    if (!unique && used.contains(name)) name += fmt::format(" #{}", used.size());
    out.append(json_quote(name)).append(": ");
    if (!unique) used.insert(std::move(name));
    append(entry);
  }
  out += listed ? ']' : '}';
}

// `"@name": value` or `"@name": {"key": value, ...}`
template <class Append>
void append_map(Sink &sink, const MapView &view, const FormatContext &context, Append append) {
  std::string &out = sink.buffer();
  out.append(json_quote(view.info->name)).append(": ");
  if (view.info->key)
    append_entries(sink, view, context, append);
  else
    append(view.entries.empty() ? MapEntry{} : view.entries.front());
}

void append_entry_value(std::string &out, const MapView &view, const MapEntry &entry, uint64_t end,
                        const FormatContext &context) {
  const Type &type = *view.info->value;
  if (!entry.value.empty()) {
    if (is_series(&type)) return append_json_series(out, value_of(*view.info, entry), end);
    return append_json_map_value(out, value_of(*view.info, entry), view.div, context);
  }
  if (is_graph(&type)) {
    out += "[]";
  } else if (has_zero(type)) {
    std::vector<std::byte> zero(type.size);
    append_json_map_value(out, {&type, zero}, 0, context);
  } else {
    out += "null";
  }
}

std::string_view map_message(const Type &type) {
  if (is_histogram(&type)) return "hist";
  if (is_series(&type)) return "tseries";
  return is_statistic(&type) ? "stats" : "map";
}

}  // namespace

void JsonOutput::map(const MapView &view) {
  const MapInfo &info = *view.info;
  if (!info.value || (info.key && view.entries.empty())) return;
  std::string &out = sink_.buffer();
  const uint64_t end = last_interval(view);
  out.append("{\"type\": \"").append(map_message(*info.value)).append("\", \"data\": {");
  append_map(sink_, view, context_,
             [&](const MapEntry &entry) { append_entry_value(out, view, entry, end, context_); });
  out += '}';
  out += "}\n";
  sink_.commit();
}

void JsonOutput::percentiles(const MapView &view, std::span<const double> percents) {
  if (view.info->key && view.entries.empty()) return;
  std::string &out = sink_.buffer();
  out += "{\"type\": \"percentiles\", \"data\": {";
  append_map(sink_, view, context_,
             [&](const MapEntry &entry) { append_json_percentiles(out, value_of(*view.info, entry), percents); });
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

void JsonOutput::pinned(std::string_view path) {
  if (quiet_) return;
  fmt::format_to(std::back_inserter(sink_.buffer()),
                 R"({{"type": "pinned", "data": {}}})"
                 "\n",
                 json_quote(path));
  sink_.commit();
}

void JsonOutput::lost_events(uint64_t count) {
  fmt::format_to(std::back_inserter(sink_.buffer()),
                 R"({{"type": "lost_events", "count": {0}, "data": {{"events": {0}}}}})"
                 "\n",
                 count);
  sink_.commit();
}

void JsonOutput::append_message(std::string_view type, const Diagnostic &diagnostic, const Source &source) {
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
}

void JsonOutput::message(const Diagnostic &diagnostic, const Source &source) {
  std::string_view name = diagnostic.info->name;
  append_message(name == "ScriptError"     ? "errorf"
                 : name == "ScriptWarning" ? "warnf"
                                           : "runtime_error",
                 diagnostic, source);
  sink_.buffer() += "}\n";
  sink_.commit();
}

void JsonOutput::helper_error(const Diagnostic &diagnostic, const Source &source, std::string_view helper,
                              int64_t result) {
  append_message("helper_error", diagnostic, source);
  fmt::format_to(std::back_inserter(sink_.buffer()), ", \"helper\": \"{}\", \"retcode\": {}}}\n", helper, result);
  sink_.commit();
}

void JsonOutput::end_of_records() {}
void JsonOutput::end_of_batch() { sink_.end_of_batch(); }
void JsonOutput::flush() { sink_.flush(); }
bool JsonOutput::broken() const { return sink_.broken(); }
int JsonOutput::error() const { return sink_.error(); }

}  // namespace awl
