#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/timex.h>

#include "base/strings.h"
#include "runtime/output/printf.h"
#include "runtime/output/value_parts.h"

namespace awl {

namespace {

std::string_view manifest_string(const FormatContext &context, uint64_t index) {
  if (!context.manifest || index >= context.manifest->strings.size()) return {};
  return context.manifest->strings[index];
}

void append_symbol(std::string &out, const std::optional<Symbol> &symbol, uint64_t address) {
  if (symbol) {
    out += symbol->name;
  } else if (address == 0) {
    out += '0';
  } else {
    out += "0x";
    append_hex(out, address);
  }
}

int64_t tai_offset_ns() {
  timex query{};
  if (adjtimex(&query) < 0) return 0;
  return int64_t{query.tai} * 1'000'000'000;
}

void append_timestamp(std::string &out, const Value &value, const FormatContext &context) {
  auto time = static_cast<int64_t>(load<uint64_t>(value.bytes, 0));
  std::string_view format = manifest_string(context, load<uint32_t>(value.bytes, 8));
  switch (static_cast<ClockId>(load<uint32_t>(value.bytes, 12))) {
    case ClockId::Boot: time += context.boot_to_wall_ns; break;
    case ClockId::Monotonic: time += context.monotonic_to_wall_ns; break;
    case ClockId::Tai: time -= tai_offset_ns(); break;
    case ClockId::Wall: break;
  }
  out += format_time(format, time);
}

void append_inet(std::string &out, const Value &value) {
  char text[INET6_ADDRSTRLEN] = "";
  auto family = load<uint32_t>(value.bytes);
  struct Address {
    uint8_t byte[16];
  } address = load<Address>(value.bytes, 4);
  if (family == AF_INET || family == AF_INET6) inet_ntop(static_cast<int>(family), address.byte, text, sizeof(text));
  out += text;
}

void append_mac(std::string &out, const Value &value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < 6; i++) {
    auto byte = load<uint8_t>(value.bytes, i);
    if (i) out += ':';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

void append_user(std::string &out, uint64_t uid) {
  if (std::optional<std::string> name = user_name(uid))
    out += *name;
  else
    append_unsigned(out, uid);
}

void append_cgroup(std::string &out, const Value &value, const FormatContext &context) {
  std::string_view filter = manifest_string(context, load<uint32_t>(value.bytes, 8));
  if (std::optional<std::string> path = cgroup_path(load<uint64_t>(value.bytes), filter)) {
    out += "unified:";  // the hierarchy's name, as scripts written for several hierarchies expect it
    out += *path;
  }
}

std::string_view probe_text(uint64_t cookie, const FormatContext &context) {
  if (cookie & kStringCookie) return manifest_string(context, cookie & ~kStringCookie);
  if (!context.probe_names || cookie >= context.probe_names->size()) return {};
  return (*context.probe_names)[cookie];
}

// "kprobe:vfs_read+4" -> "vfs_read", `uprobe:/bin/x:cpp:"a::b(int)"` -> "a::b(int)".
std::string_view function_of(std::string_view probe) {
  if (!probe.empty() && probe.back() == '"') {
    size_t open = probe.rfind('"', probe.size() - 2);
    if (probe.size() >= 2 && open != std::string_view::npos) return probe.substr(open + 1, probe.size() - open - 2);
  }
  if (size_t colon = probe.rfind(':'); colon != std::string_view::npos) probe.remove_prefix(colon + 1);
  return probe.substr(0, probe.rfind('+'));
}

}  // namespace

void append_display(std::string &out, const Value &value, const FormatContext &context) {
  auto number = load<uint64_t>(value.bytes);
  switch (value.type->display) {
    case Display::None: break;
    case Display::KernelSymbol:
      append_symbol(out, context.kernel_symbols ? context.kernel_symbols->find(number) : std::nullopt, number);
      break;
    case Display::UserSymbol: {
      auto pid = load<uint32_t>(value.bytes, 8);
      append_symbol(out, context.user_symbols ? context.user_symbols->find(pid, number) : std::nullopt, number);
      break;
    }
    case Display::Username: append_user(out, number); break;
    case Display::Timestamp: append_timestamp(out, value, context); break;
    case Display::Inet: append_inet(out, value); break;
    case Display::MacAddress: append_mac(out, value); break;
    case Display::CgroupPath: append_cgroup(out, value, context); break;
    case Display::ProbeName: out += probe_text(number, context); break;
    case Display::FunctionName:
      // A map that takes `func` takes what ksym() gives, too.
      if (std::string_view probe = probe_text(number, context); !probe.empty())
        out += function_of(probe);
      else
        append_symbol(out, context.kernel_symbols ? context.kernel_symbols->find(number) : std::nullopt, number);
      break;
    case Display::Ratio: append_ratio(out, value); break;
  }
}

namespace {

void append_frame(std::string &out, uint64_t address, const std::optional<Symbol> &symbol, bool user, bool perf) {
  append_symbol(out, symbol, address);
  if (symbol) {
    out += '+';
    append_unsigned(out, symbol->offset);
  }
  if (!perf) return;
  if (symbol && !symbol->module.empty())
    out.append(" (").append(symbol->module).append(")");
  else if (!symbol && user)
    out += " ([unknown])";
}

}  // namespace

namespace {

// Innermost first.
std::vector<uint64_t> frames_of(const Value &value, const FormatContext &context) {
  auto id = load<int32_t>(value.bytes);
  if (id < 0 || !context.stacks) return {};
  return context.stacks->frames(value.type, id);
}

// Frames but the innermost hold where their call returns to. Behind a call that never returns that is another function
// already: it is the call that is named.
std::optional<Symbol> symbol_of(const Value &stack, uint64_t address, size_t index, const FormatContext &context) {
  const uint64_t behind = index != 0 && address != 0 ? 1 : 0;
  std::optional<Symbol> symbol;
  if (!stack.type->stack_user)
    symbol = context.kernel_symbols ? context.kernel_symbols->find(address - behind) : std::nullopt;
  else if (context.user_symbols)
    symbol = context.user_symbols->find(load<uint32_t>(stack.bytes, 4), address - behind);
  if (symbol) symbol->offset += behind;
  return symbol;
}

}  // namespace

namespace {

// "name@/src/dir/file.c:12".
void append_line(std::string &out, const SourceFrame &frame) {
  if (frame.file.empty()) return;
  out.append("@").append(frame.file).append(":");
  append_unsigned(out, frame.line);
}

// The lines of source of frame `index`, with the functions that were inlined there, if the script asks for them.
std::vector<SourceFrame> source_of(const Value &stack, uint64_t address, size_t index, const FormatContext &context) {
  const bool shown = context.manifest && context.manifest->config.show_debug_info;
  if (!shown || !stack.type->stack_user || !context.user_symbols) return {};
  return context.user_symbols->source(load<uint32_t>(stack.bytes, 4), address, index != 0);
}

void append_frame_start(std::string &out, uint64_t address, size_t indent, bool perf) {
  if (!perf) {
    out.append(indent, ' ');
    return;
  }
  out += '\t';
  append_hex(out, address);
  out += ' ';
}

// One line, and one before it for each function that was inlined there.
void append_frames(std::string &out, const Value &stack, uint64_t address, size_t index, size_t indent,
                   const FormatContext &context) {
  const bool perf = stack.type->stack_mode == StackMode::Perf;
  const std::vector<SourceFrame> source = source_of(stack, address, index, context);
  for (size_t i = 0; i + 1 < source.size(); i++) {
    append_frame_start(out, address, indent, perf);
    out.append(perf ? "" : "[inlined] ").append(source[i].function).append(perf ? " (inlined)" : "");
    if (!perf) append_line(out, source[i]);
    out += '\n';
  }
  append_frame_start(out, address, indent, perf);
  append_frame(out, address, symbol_of(stack, address, index, context), stack.type->stack_user, perf);
  if (!perf && !source.empty()) append_line(out, source.back());
  out += '\n';
}

// Kernel code has no file.
void append_place(std::string &out, const Value &stack, uint64_t address, const FormatContext &context) {
  std::optional<FilePlace> place;
  if (stack.type->stack_user && context.user_symbols)
    place = context.user_symbols->place(load<uint32_t>(stack.bytes, 4), address);
  if (place) out.append(place->build_id).append(" 0x");
  append_hex(out, place ? place->offset : address);
}

}  // namespace

void append_stack(std::string &out, const Value &value, size_t indent, const FormatContext &context) {
  const Type &type = *value.type;
  if (type.stack_mode == StackMode::Folded) return append_folded_stack(out, value, context);
  std::vector<uint64_t> frames = frames_of(value, context);
  if (frames.empty()) return;
  out += '\n';
  const bool named = type.stack_mode != StackMode::Raw && type.stack_mode != StackMode::BuildId;
  for (size_t i = 0; i < frames.size(); i++) {
    if (named) {
      append_frames(out, value, frames[i], i, indent, context);
      continue;
    }
    if (type.stack_mode == StackMode::Raw)
      append_hex(out, frames[i]);
    else
      append_place(out, value, frames[i], context);
    out += '\n';
  }
}

// The offset within a function is left out, so that all calls from one function are one frame, and `;` is no part of
// a name. Functions that were inlined are marked with "_[i]", as tools that draw flame graphs know it.
void append_folded_stack(std::string &out, const Value &value, const FormatContext &context) {
  std::vector<uint64_t> frames = frames_of(value, context);
  for (size_t i = frames.size(); i-- > 0;) {
    size_t begin = out.size();
    append_symbol(out, symbol_of(value, frames[i], i, context), frames[i]);
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), ';', ':');
    const std::vector<SourceFrame> source = source_of(value, frames[i], i, context);
    for (size_t inlined = source.size(); inlined-- > 1;) {
      std::string name = source[inlined - 1].function;
      std::ranges::replace(name, ';', ':');
      out.append(";").append(name).append("_[i]");
    }
    if (i) out += ';';
  }
}

namespace {

void append_json_frame(std::string &out, uint64_t address) {
  out += out.back() == '[' ? "{\"address\": \"0x" : ", {\"address\": \"0x";
  append_hex(out, address);
  out += '"';
}

void append_json_line(std::string &out, const SourceFrame &frame) {
  if (frame.file.empty()) return;
  out.append(", \"file\": ").append(json_quote(frame.file)).append(", \"line\": ");
  append_unsigned(out, frame.line);
}

}  // namespace

void append_json_stack(std::string &out, const Value &value, const FormatContext &context) {
  out += '[';
  const std::vector<uint64_t> frames = frames_of(value, context);
  for (size_t at = 0; at < frames.size(); at++) {
    const std::vector<SourceFrame> source = source_of(value, frames[at], at, context);
    for (size_t i = 0; i + 1 < source.size(); i++) {
      append_json_frame(out, frames[at]);
      out.append(", \"symbol\": ").append(json_quote(source[i].function)).append(", \"inlined\": true");
      append_json_line(out, source[i]);
      out += '}';
    }
    append_json_frame(out, frames[at]);
    if (std::optional<Symbol> symbol = symbol_of(value, frames[at], at, context)) {
      out.append(", \"symbol\": ").append(json_quote(symbol->name)).append(", \"offset\": ");
      append_unsigned(out, symbol->offset);
      if (!symbol->module.empty()) out.append(", \"module\": ").append(json_quote(symbol->module));
    }
    if (!source.empty()) append_json_line(out, source.back());
    out += '}';
  }
  out += ']';
}

}  // namespace awl
