#include "ast/passes/config.h"

#include <algorithm>

#include "base/strings.h"

namespace awl::ast {

namespace {

template <uint64_t ConfigValues::*Member, uint64_t Min, uint64_t Max>
std::string set_number(ConfigValues &values, std::string_view text) {
  std::optional<uint64_t> number = parse_unsigned(text);
  if (!number || *number < Min || *number > Max) return fmt::format("expected a number from {} to {}", Min, Max);
  values.*Member = *number;
  return {};
}

std::string set_max_probes(ConfigValues &values, std::string_view text) {
  values.max_probes_set = true;
  return set_number<&ConfigValues::max_probes, 1, 1 << 20>(values, text);
}

// true, false, yes, no, and numbers as in C.
std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes") return true;
  if (word == "false" || word == "no") return false;
  if (std::optional<uint64_t> number = parse_unsigned(text)) return *number != 0;
  return std::nullopt;
}

template <bool ConfigValues::*Member>
std::string set_bool(ConfigValues &values, std::string_view text) {
  const std::optional<bool> flag = parse_bool(text);
  if (!flag) return "expected true or false";
  values.*Member = *flag;
  return {};
}

std::string set_missing_probes(ConfigValues &values, std::string_view text) {
  std::string word = lower(text);
  if (word != "error" && word != "warn" && word != "ignore") return "expected error, warn or ignore";
  values.missing_probes = word;
  return {};
}

constexpr std::array<std::pair<std::string_view, StackMode>, 5> kStackModes = {{{"bpftrace", StackMode::Bpftrace},
                                                                                {"perf", StackMode::Perf},
                                                                                {"raw", StackMode::Raw},
                                                                                {"build_id", StackMode::BuildId},
                                                                                {"folded", StackMode::Folded}}};

std::string set_stack_mode(ConfigValues &values, std::string_view text) {
  std::optional<StackMode> mode = stack_mode_of(lower(text));
  if (!mode) return "expected bpftrace, perf, raw, build_id or folded";
  values.stack_mode = *mode;
  return {};
}

std::string set_user_stack(ConfigValues &values, std::string_view text) {
  std::string word = lower(text);
  if (word != "fp" && word != "unwind") return "expected fp or unwind";
  values.unwind_stacks = word == "unwind";
  return {};
}

std::string set_ring_buffer_pages(ConfigValues &values, std::string_view text) {
  std::optional<uint64_t> pages = parse_unsigned(text);
  if (!pages || *pages < 1 || *pages > (1 << 18)) return "expected a number of pages from 1 to 262144";
  uint64_t bytes = 4096;  // the kernel wants a power of two
  while (bytes < *pages * 4096) bytes *= 2;
  values.ring_buffer_bytes = bytes;
  return {};
}

std::string set_trailer(ConfigValues &values, std::string_view text) {
  values.str_trunc_trailer = text;
  return {};
}

// Known to bpftrace and without meaning here: accepted so that its scripts run, but not with values that mean nothing
// there either.
std::string ignore(ConfigValues &, std::string_view) { return {}; }

std::string ignore_number(ConfigValues &, std::string_view text) {
  return parse_unsigned(text) ? "" : "expected a number";
}

std::string ignore_bool(ConfigValues &, std::string_view text) {
  return parse_bool(text) ? "" : "expected true or false";
}

std::string ignore_cache(ConfigValues &, std::string_view text) {
  const std::string word = lower(text);
  const bool known = parse_bool(text) || word == "per_pid" || word == "per_program" || word == "none";
  return known ? "" : "expected PER_PID, PER_PROGRAM or NONE";
}

std::string ignore_unstable(ConfigValues &, std::string_view text) {
  const std::string word = lower(text);
  const bool known = parse_bool(text) || word == "enable" || word == "warn" || word == "error";
  return known ? "" : "expected enable, warn or error";
}

// Those with which the kernel lets a program call all helpers (license_is_gpl_compatible()). What awl loads says GPL.
std::string ignore_license(ConfigValues &, std::string_view text) {
  constexpr std::string_view kLicenses[] = {"GPL",          "GPL v2",       "GPL and additional rights",
                                            "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};
  if (std::ranges::find(kLicenses, text) != std::end(kLicenses)) return {};
  return "expected GPL, GPL v2, GPL and additional rights, Dual BSD/GPL, Dual MIT/GPL or Dual MPL/GPL";
}

struct Renamed {
  std::string_view old_name, new_name;
  bool inverted;
};
constexpr Renamed kRenamed[] = {
    {"strlen", "max_strlen", false},           {"map_keys_max", "max_map_keys", false},
    {"cat_bytes_max", "max_cat_bytes", false}, {"no_cpp_demangle", "cpp_demangle", true},
    {"str_len", "max_strlen", false},
};

// What an old variable's value is for the one that means the opposite; what is neither true nor false stays, to be
// refused.
std::string inverted(const std::string &text) {
  const std::string word = lower(text);
  if (word == "1" || word == "true") return "false";
  if (word == "0" || word == "false") return "true";
  return text;
}

const ConfigVariable *find_variable(std::string_view name) {
  for (const ConfigVariable &v : config_variables())
    if (v.name == name) return &v;
  return nullptr;
}

// "BPFTRACE_MAX_STRLEN" -> "max_strlen".
std::string plain_name(std::string_view name) {
  std::string out = lower(name);
  for (std::string_view prefix : {"bpftrace_", "awl_"})
    if (out.starts_with(prefix)) return out.substr(prefix.size());
  return out;
}

std::string text_of(const ConfigEntry &entry) {
  if (const auto *e = as<IntegerLiteral>(entry.value)) return std::to_string(e->value);
  if (const auto *e = as<BoolLiteral>(entry.value)) return e->value ? "true" : "false";
  if (const auto *e = as<StringLiteral>(entry.value)) return e->value;
  if (const auto *e = as<Identifier>(entry.value)) return e->name;
  return {};
}

void set_entry(ConfigValues &values, const ConfigEntry &entry, Diagnostics &diagnostics) {
  std::string name = plain_name(entry.name);
  std::string text = text_of(entry);
  for (const Renamed &r : kRenamed) {
    if (name != r.old_name) continue;
    name = r.new_name;
    if (r.inverted) text = inverted(text);
  }
  const ConfigVariable *variable = find_variable(name);
  if (!variable) {
    std::vector<std::string> names;
    for (const ConfigVariable &v : config_variables()) names.emplace_back(v.name);
    Diagnostic &d = diagnostics.emit(diag::UnknownConfig, entry.span, entry.name);
    if (std::string guess = nearest(name, names); !guess.empty()) d.with_hint("did you mean `" + guess + "`?");
    return;
  }
  if (std::string problem = variable->set(values, text); !problem.empty())
    diagnostics.emit(diag::BadConfigValue, entry.value_span, entry.name, text_of(entry), problem);
}

void set_from_environment(ConfigValues &values, const std::string &name, const ConfigVariable &variable, bool opposite,
                          const Environment &environment, Diagnostics &diagnostics) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (std::string_view prefix : {"BPFTRACE_", "AWL_"}) {
    std::string variable_name = std::string(prefix) + upper;
    const char *text = environment(variable_name);
    if (!text) continue;
    std::string given = text;
    if (opposite) given = inverted(given);
    if (std::string problem = variable.set(values, given); !problem.empty())
      diagnostics.emit(diag::BadConfigValue, Span{}, variable_name, text, problem);
  }
}

// Those of bpftrace, and one of awl, that are no config variables.
constexpr std::string_view kOtherNames[] = {
    "BTF",           "COLOR",         "DEBUG_OUTPUT",           "KERNEL_BUILD",    "VMLINUX",
    "KERNEL_SOURCE", "MAX_AST_NODES", "NOTIFY_PROBES_ATTACHED", "NO_USER_SYMBOLS", "CLANG"};

}  // namespace

void warn_environment(std::span<const std::string> names, Diagnostics &diagnostics) {
  std::vector<std::string> known(std::begin(kOtherNames), std::end(kOtherNames));
  auto add = [&](std::string_view name) {
    known.emplace_back(name);
    std::ranges::transform(known.back(), known.back().begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  };
  for (const ConfigVariable &v : config_variables()) add(v.name);
  for (const Renamed &r : kRenamed) add(r.old_name);
  for (const std::string &name : names) {
    for (std::string_view prefix : {"BPFTRACE_", "AWL_"}) {
      if (!name.starts_with(prefix)) continue;
      const std::string plain = name.substr(prefix.size());
      if (std::ranges::find(known, plain) != known.end()) continue;
      // Others may be of the script's own: only what looks like a slip is told.
      if (const std::string guess = nearest(plain, known); !guess.empty())
        diagnostics.emit(diag::UnknownEnvironment, Span{}, name)
            .with_hint(fmt::format("did you mean `{}{}`?", prefix, guess));
    }
  }
}

const std::vector<ConfigVariable> &config_variables() {
  using C = ConfigValues;
  static const std::vector<ConfigVariable> table = {
      {"max_strlen", "longest string that str() and buf() read, bytes", set_number<&C::max_strlen, 1, 16384>},
      {"max_map_keys", "entries of a map", set_number<&C::max_map_keys, 1, 1 << 24>},
      {"max_probes", "more probes than this are refused if it is set, else attached with a warning", set_max_probes},
      {"max_cat_bytes", "bytes that cat() prints at most", set_number<&C::max_cat_bytes, 1, 1 << 30>},
      {"log_size", "bytes of the verifier's log", set_number<&C::log_size, 4096, 1 << 30>},
      {"print_maps_on_exit", "print all maps at the end", set_bool<&C::print_maps_on_exit>},
      {"cpp_demangle", "demangle C++ symbols", set_bool<&C::cpp_demangle>},
      {"show_debug_info", "lines of source and inlined functions in user stacks", set_bool<&C::show_debug_info>},
      {"missing_probes", "error, warn or ignore", set_missing_probes},
      {"stack_mode", "form of stacks: bpftrace, perf, raw, build_id or folded", set_stack_mode},
      {"user_stack", "how user stacks are walked: fp (frame pointers) or unwind (.eh_frame)", set_user_stack},
      {"perf_rb_pages", "size of the ring buffer in pages", set_ring_buffer_pages},
      {"str_trunc_trailer", "shown behind a string that was cut", set_trailer},
      {"cache_user_symbols", "accepted, no effect", ignore_cache},
      {"lazy_symbolication", "accepted, no effect", ignore_bool},
      {"license", "accepted, no effect", ignore_license},
      {"max_bpf_progs", "accepted, no effect", ignore_number},
      {"on_stack_limit", "accepted, no effect", ignore_number},
      {"use_blazesym", "accepted, no effect", ignore_bool},
      {"symbol_source", "accepted, no effect", ignore},
      {"max_type_res_iterations", "accepted, no effect", ignore_number},
      {"unstable_addr", "accepted, no effect", ignore},
      {"unstable_import", "accepted, no effect", ignore},
      {"unstable_import_statement", "accepted, no effect", ignore_unstable},
      {"unstable_macro", "accepted, no effect", ignore},
      {"unstable_map_decl", "accepted, no effect", ignore},
      {"unstable_tseries", "accepted, no effect", ignore_unstable},
      {"unstable_typeinfo", "accepted, no effect", ignore_unstable},
      {"unstable_dw_ustack", "accepted, no effect", ignore_unstable},
  };
  return table;
}

Expr *config_literal(Program &program, const ConfigValues &values, std::string_view name, Span span) {
  using C = ConfigValues;
  constexpr std::pair<std::string_view, uint64_t C::*> kNumbers[] = {
      {"max_strlen", &C::max_strlen},       {"max_map_keys", &C::max_map_keys}, {"max_probes", &C::max_probes},
      {"max_cat_bytes", &C::max_cat_bytes}, {"log_size", &C::log_size},
  };
  constexpr std::pair<std::string_view, bool C::*> kFlags[] = {{"print_maps_on_exit", &C::print_maps_on_exit},
                                                               {"cpp_demangle", &C::cpp_demangle},
                                                               {"show_debug_info", &C::show_debug_info}};
  constexpr std::pair<std::string_view, std::string C::*> kTexts[] = {{"missing_probes", &C::missing_probes},
                                                                      {"str_trunc_trailer", &C::str_trunc_trailer}};
  for (auto [known, member] : kNumbers)
    if (known == name) return program.make<IntegerLiteral>(span, values.*member);
  for (auto [known, member] : kFlags)
    if (known == name) return program.make<BoolLiteral>(span, values.*member);
  for (auto [known, member] : kTexts)
    if (known == name) return program.make<StringLiteral>(span, values.*member);
  if (name == "perf_rb_pages") return program.make<IntegerLiteral>(span, values.ring_buffer_bytes / 4096);
  if (name == "user_stack") return program.make<StringLiteral>(span, values.unwind_stacks ? "unwind" : "fp");
  if (name != "stack_mode") return nullptr;
  for (auto [word, mode] : kStackModes)
    if (mode == values.stack_mode) return program.make<StringLiteral>(span, std::string(word));
  return nullptr;
}

const ConfigVariable *config_variable(std::string_view name) {
  const std::string plain = plain_name(name);
  for (const Renamed &r : kRenamed)
    if (r.old_name == plain) return find_variable(r.new_name);
  return find_variable(plain);
}

std::optional<StackMode> stack_mode_of(std::string_view word) {
  for (auto [known, mode] : kStackModes)
    if (word == known) return mode;
  return std::nullopt;
}

ConfigValues read_config(const Program &program, const Environment &environment, Diagnostics &diagnostics) {
  ConfigValues values;
  for (const ConfigEntry &entry : program.config) set_entry(values, entry, diagnostics);
  for (const ConfigVariable &v : config_variables())
    set_from_environment(values, std::string(v.name), v, false, environment, diagnostics);
  for (const Renamed &r : kRenamed)
    set_from_environment(values, std::string(r.old_name), *find_variable(r.new_name), r.inverted, environment,
                         diagnostics);
  return values;
}

}  // namespace awl::ast
