// usdt: markers that programs and libraries carry in their notes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/binaries.h"
#include "runtime/probes/providers.h"
#include "runtime/probes/uprobe_attach.h"
#include "runtime/probes/usdt_args.h"

namespace awl {

namespace {

bool note_matches(const UsdtNote &note, const ProbeTarget &target) {
  auto fits = [](std::string_view pattern, std::string_view text) {
    return pattern == text || (has_wildcard(pattern) && glob_match(pattern, text));
  };
  return (target.space.empty() || fits(target.space, note.provider)) && fits(target.name, note.name);
}

UsdtArgs args_of(const UsdtNote &note, ElfFile &elf) {
  UsdtPlace place;
  place.marker_address = note.address;
  place.position_independent = elf.position_independent();
  place.symbol = [&elf](std::string_view name) -> std::optional<uint64_t> {
    auto symbol = elf.symbol(name);
    if (!symbol || !*symbol) return std::nullopt;
    return (*symbol)->address;
  };
  return parse_usdt_args(note.args, place);
}

// Does the file hold CPython 3.11? Its own version number says so, else its name.
bool is_python_3_11(ElfFile &elf) {
  auto runtime = elf.symbol("_PyRuntime");
  if (!runtime || !*runtime) return false;
  auto version = elf.symbol("Py_Version");
  if (version && *version) {
    std::string bytes = elf.bytes_at((*version)->address, sizeof(uint64_t));
    uint64_t value = 0;
    if (bytes.size() == sizeof(value)) std::memcpy(&value, bytes.data(), sizeof(value));
    return value >> 16 == 0x030b;
  }
  return elf.path().find("python3.11") != std::string::npos;
}

bool names_binary(std::string_view name, int pid) {
  auto path = resolve_binary(name, pid);
  return path && open_binary(*path);
}

class UsdtProvider : public Provider {
 public:
  std::string_view name() const override { return "usdt"; }
  std::vector<std::string_view> aliases() const override { return {"U"}; }
  // Each marker has arguments of its own.
  [[nodiscard]] bool shares_program() const override { return false; }
  std::string_view syntax() const override { return "usdt:BINARY:[PROVIDER:]MARKER"; }
  std::string_view doc() const override {
    return "static markers in programs and libraries, with their arguments in arg0, arg1, ...";
  }

  size_t path_part() const override { return 1; }
  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &target, bool, const ProbeEnvironment &env) const override;
  Result<std::vector<AttachPlace>> places(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override {
    return attach_uprobe(place, options, false);
  }
  uint32_t multi_attach_type(const ProbeTarget &) const override { return kUprobeMultiAttachType; }
  Result<Attachment> attach_many(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                 const AttachOptions &options) const override {
    return attach_uprobe_multi(places, cookies, options, false);
  }
  bool in_user_code() const override { return true; }
  ProbeCost cost() const override { return {4e6, 100e3, 800}; }
  bool listed_in_programs() const override { return true; }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;
};

Result<ProbeTarget> UsdtProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const {
  ProbeTarget target;
  target.provider = name();
  if (parts.empty() || parts.size() > 3) return wrong_parts(*this, parts.size());
  target.name = parts.back();
  if (target.name.empty()) return fail("the name of the marker is missing", fmt::format("write `{}`", syntax()));
  if (parts.size() == 1) {
    target.scope = "*";
    if (env.pid == 0 && !has_wildcard(target.name))
      return fail("`usdt` needs a program or library",
                  fmt::format("write `{}`, or choose a process with -p", syntax()));
    return target;
  }
  target.scope = parts[0];
  if (parts.size() == 3) target.space = parts[1];
  // With a process, PROVIDER:MARKER may stand alone.
  if (parts.size() == 2 && env.pid != 0 && !parts[0].empty() && !has_wildcard(parts[0]) &&
      parts[0].find('/') == std::string::npos && !names_binary(parts[0], env.pid)) {
    target.scope = "";
    target.space = parts[0];
  }
  if (target.scope.empty()) {
    if (env.pid == 0)
      return fail("`usdt` needs a program or library",
                  fmt::format("write `{}`, or choose a process with -p", syntax()));
    target.scope = "*";
  }
  return target;
}

std::unexpected<Error> no_such_marker(const std::vector<UsdtNote> &notes, const ProbeTarget &target,
                                      const std::string &path) {
  if (notes.empty())
    return fail(fmt::format("`{}` has no USDT markers", path),
                "it may have been built without them, or they are in one of its libraries");
  std::string wanted = target.space.empty() ? target.name : target.space + ":" + target.name;
  std::vector<std::string> names;
  for (const UsdtNote &note : notes) {
    if (!target.space.empty() && note.name == target.name)
      return fail(fmt::format("no USDT marker `{}` in `{}`", wanted, path),
                  fmt::format("did you mean `{}:{}`?", note.provider, note.name));
    names.push_back(target.space.empty() ? note.name : note.provider + ":" + note.name);
  }
  std::string similar = nearest(wanted, names);
  return fail(fmt::format("no USDT marker `{}` in `{}`", wanted, path),
              similar.empty() ? fmt::format("list them with -l 'usdt:{}:*'", path)
                              : fmt::format("did you mean `{}`?", similar));
}

Result<std::vector<ProbeTarget>> UsdtProvider::expand(const ProbeTarget &target, const ProbeEnvironment &env) const {
  std::vector<std::string> paths = TRY(find_binaries(target.scope, env));
  bool several = paths.size() > 1 || has_wildcard(target.scope);
  std::set<std::tuple<std::string, std::string, std::string>> found;
  for (const std::string &path : paths) {
    auto elf = open_binary(path);
    auto notes = elf ? (*elf)->usdt_notes() : std::unexpected(elf.error());
    if (!notes) {
      if (several) continue;
      return std::unexpected(std::move(notes).error());
    }
    size_t before = found.size();
    for (const UsdtNote &note : **notes)
      if (note_matches(note, target)) found.emplace(path, note.provider, note.name);
    if (!several && found.size() == before) return no_such_marker(**notes, target, path);
  }
  std::vector<ProbeTarget> out;
  for (const auto &[path, provider, marker] : found) {
    ProbeTarget one = target;
    one.scope = path;
    one.space = provider;
    one.name = marker;
    out.push_back(std::move(one));
  }
  if (out.empty()) {
    std::string where = env.pid != 0 ? fmt::format("process {} or its libraries", env.pid) : "the files searched";
    return fail(fmt::format("no USDT marker matches `{}` in {}",
                            target.space.empty() ? target.name : target.space + ":" + target.name, where));
  }
  return out;
}

Result<ProbeContext> UsdtProvider::context(const ProbeTarget &target, bool, const ProbeEnvironment &) const {
  ProbeContext context;
  context.prog_type = ProgType::Kprobe;
  context.args_reach = ArgReach::Usdt;
  context.has_regs = true;
  context.user_code = true;
  context.arg_space = AddressSpace::User;
  std::shared_ptr<ElfFile> elf = TRY(open_binary(target.scope));
  std::set<std::string> problems;
  for (const UsdtNote &note : *TRY(elf->usdt_notes())) {
    if (!note_matches(note, target)) continue;
    UsdtArgs args = args_of(note, *elf);
    context.arg_count = std::max(context.arg_count, static_cast<uint32_t>(args.spec.arg_count));
    for (UsdtProblem &problem : args.problems) problems.insert(std::move(problem.message));
  }
  for (const std::string &problem : problems)
    context.warnings.push_back(fmt::format("{}: `{}` of `{}`, it reads as 0", problem, target.name, target.scope));
  if (target.space == "python" && target.name == "function__entry" && is_python_3_11(*elf)) {
    // CPython 3.11 raises it on its slow path only, which `line`'s semaphore (or a profiler) switches on.
    ProbeTarget line = target;
    line.name = "line";
    context.warnings.emplace_back("`function__entry` of CPython 3.11 does not fire by itself");
    context.warning_hint =
        fmt::format("use `function__return`, or attach `{}` in the same script as well", line.text());
    context.warning_unless = line.text();
  }
  return context;
}

Result<std::vector<AttachPlace>> UsdtProvider::places(const ProbeTarget &target, const ProbeEnvironment &) const {
  std::shared_ptr<ElfFile> elf = TRY(open_binary(target.scope));
  const std::vector<UsdtNote> &notes = *TRY(elf->usdt_notes());
  std::vector<AttachPlace> out;
  for (const UsdtNote &note : notes) {
    if (!note_matches(note, target)) continue;
    AttachPlace place;
    place.target = target;
    auto offset = elf->file_offset(note.address);
    if (!offset) return fail(fmt::format("the marker `{}` of `{}` lies outside of its code", note.name, target.scope));
    place.file_offset = *offset;
    if (note.semaphore != 0) {
      auto semaphore = elf->file_offset(note.semaphore);
      if (!semaphore)
        return fail(fmt::format("the semaphore of `{}` in `{}` lies outside of the file", note.name, target.scope));
      place.semaphore_offset = *semaphore;
    }
    place.usdt = args_of(note, *elf).spec;
    // A marker that inlining or unrolling left twice at one address fires once.
    auto same = [&](const AttachPlace &other) { return other.file_offset == place.file_offset; };
    if (std::ranges::none_of(out, same)) out.push_back(std::move(place));
  }
  if (out.empty()) return no_such_marker(notes, target, target.scope);
  return out;
}

Result<std::vector<ListEntry>> UsdtProvider::list(const ProbeTarget &pattern, bool verbose,
                                                  const ProbeEnvironment &env) const {
  std::vector<std::string> paths = TRY(find_binaries(pattern.scope, env));
  std::map<std::string, ListEntry> found;  // a marker with several places is listed once, as the first of them
  for (const std::string &path : paths) {
    auto elf = open_binary(path);
    auto notes = elf ? (*elf)->usdt_notes() : std::unexpected(elf.error());
    if (!notes) {
      if (paths.size() > 1) continue;
      return std::unexpected(std::move(notes).error());
    }
    for (const UsdtNote &note : **notes) {
      if (!note_matches(note, pattern)) continue;
      ProbeTarget one = pattern;
      one.scope = shown_path(pattern.scope, path);
      one.space = note.provider;
      one.name = note.name;
      ListEntry entry{one.text(), {}};
      if (verbose) entry.params = describe_usdt_args(note.args);
      std::string text = entry.text;
      found.try_emplace(std::move(text), std::move(entry));
    }
  }
  std::vector<ListEntry> out;
  for (auto &[text, entry] : found) out.push_back(std::move(entry));
  return out;
}

}  // namespace

const Provider &usdt_provider() {
  static const UsdtProvider provider;
  return provider;
}

}  // namespace awl
