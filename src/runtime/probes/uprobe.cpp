// uprobe and uretprobe: entry (or any instruction) and return of functions in programs and libraries.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <tuple>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/binaries.h"
#include "runtime/probes/providers.h"
#include "runtime/probes/uprobe_args.h"
#include "runtime/probes/uprobe_attach.h"
#include "runtime/symbols/symbols.h"

namespace awl {

namespace {

bool is_executable(const ElfFile &elf, uint64_t address) {
  auto offset = elf.file_offset(address);
  return offset && elf.address_of_offset(*offset) == address;
}

// `ns::f` of `ns::f(int, g(*)()) const`. What stands inside a function, `ns::f(int)::{lambda(int)#1}::operator()(int)`,
// has a name of its own.
std::string_view without_parameters(std::string_view demangled) {
  const size_t end = demangled.rfind(')');
  if (end == std::string_view::npos || demangled.find("::", end) != std::string_view::npos) return demangled;
  int depth = 0;
  for (size_t i = end + 1; i-- > 0;) {
    if (demangled[i] == ')') depth++;
    if (demangled[i] == '(' && --depth == 0) return demangled.substr(0, i);
  }
  return demangled;
}

// `ns::f` means every overload, `ns::f(int)` one. Functions that return a std::string are tagged, `f[abi:cxx11]()`: the
// tag may be left out, and is no set of bytes of a glob.
bool cpp_matches(std::string_view pattern, std::string_view demangled) {
  if (pattern == demangled || glob_match(pattern, demangled)) return true;
  const bool overloads = pattern.find('(') == std::string_view::npos || pattern.ends_with("operator()");
  if (!overloads) return false;
  const std::string_view name = without_parameters(demangled);
  if (pattern == name) return true;
  return glob_match(pattern, name) || (name.ends_with(']') && glob_match(pattern, name.substr(0, name.find("[abi:"))));
}

// What hardly ever runs of a function, which the compiler put elsewhere: nobody calls it.
bool is_cold_part(std::string_view symbol) { return symbol.find(".cold") != std::string_view::npos; }

struct Function {
  std::string name;  // demangled if asked for as C++
  ElfSymbol symbol;
};

// Functions that a target with a name stands for, each address once, by address.
Result<std::vector<Function>> matching_functions(ElfFile &elf, const ProbeTarget &target) {
  bool cpp = target.space == "cpp";
  std::vector<Function> out;
  if (!cpp && !has_wildcard(target.name)) {
    if (auto found = TRY(elf.symbol(target.name))) out.push_back({target.name, std::move(*found)});
    return out;
  }
  std::map<uint64_t, Function> by_address;
  for (const ElfSymbol &symbol : *TRY(elf.symbols())) {
    // The resolver of an indirect function is never what a pattern means.
    if (!symbol.is_function || symbol.is_indirect || !is_executable(elf, symbol.address)) continue;
    if ((cpp && !is_mangled(symbol.name)) || is_cold_part(symbol.name)) continue;
    std::string name = cpp ? demangle(symbol.name) : symbol.name;
    if (cpp ? !cpp_matches(target.name, name) : !glob_match(target.name, name)) continue;
    auto [place, added] = by_address.try_emplace(symbol.address, Function{name, symbol});
    if (!added && nicer_name(name, place->second.name)) place->second = {name, symbol};
  }
  for (auto &[address, function] : by_address) out.push_back(std::move(function));
  return out;
}

class UprobeProvider : public Provider {
 public:
  explicit UprobeProvider(bool at_return) : return_(at_return) {}
  std::string_view name() const override { return return_ ? "uretprobe" : "uprobe"; }
  std::vector<std::string_view> aliases() const override { return {return_ ? "ur" : "u"}; }
  std::string_view syntax() const override {
    return return_ ? "uretprobe:BINARY:FUNCTION"
                   : "uprobe:BINARY:[cpp:]FUNCTION[+OFFSET], uprobe:BINARY:ADDRESS or "
                     "uprobe:BINARY@FILE:LINE[:COLUMN]";
  }
  std::string_view doc() const override {
    return return_ ? "return of a function in a program or library, with its result in `retval`"
                   : "entry of a function in a program or library, with its arguments in arg0, arg1, ...";
  }

  size_t path_part() const override { return 1; }
  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  std::string text(const ProbeTarget &target) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &target, bool, const ProbeEnvironment &env) const override;
  Result<std::vector<AttachPlace>> places(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override {
    return attach_uprobe(place, options, return_);
  }
  uint32_t multi_attach_type(const ProbeTarget &) const override { return kUprobeMultiAttachType; }
  Result<Attachment> attach_many(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                 const AttachOptions &options) const override {
    return attach_uprobe_multi(places, cookies, options, return_);
  }
  const Provider *entries() const override { return return_ ? &uprobe_provider() : nullptr; }
  bool attaches_forward() const override { return return_; }
  bool in_user_code() const override { return true; }
  ProbeCost cost() const override { return {4e6, 100e3, return_ ? 1200.0 : 800.0}; }
  bool listed_in_programs() const override { return !return_; }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;

 private:
  [[nodiscard]] Result<std::vector<ListEntry>> list_line(const ProbeTarget &line, bool verbose,
                                                         const ProbeEnvironment &env) const;
  [[nodiscard]] Result<std::optional<ProbeTarget>> parse_line(const std::vector<std::string> &parts) const;

  bool return_;
};

// BINARY@FILE:LINE[:COLUMN]. The file stands in `space`, the line in `count`, the column in `offset`.
Result<std::optional<ProbeTarget>> UprobeProvider::parse_line(const std::vector<std::string> &parts) const {
  const size_t at = parts[0].rfind('@');
  const auto line = parts.size() > 1 ? parse_unsigned(parts[1]) : std::nullopt;
  if (at == std::string::npos || !line || parts.size() > 3 || access(parts[0].c_str(), F_OK) == 0) return std::nullopt;
  if (return_)
    return fail("a uretprobe fires at the return of a function: it takes no line", "use `uprobe` for a line of source");
  ProbeTarget target;
  target.provider = name();
  target.scope = parts[0].substr(0, at);
  target.space = parts[0].substr(at);
  target.count = *line;
  if (target.scope.empty() || target.space.size() < 2 || *line == 0) return wrong_parts(*this, parts.size());
  if (parts.size() < 3) return target;
  const auto column = parse_unsigned(parts[2]);
  if (!column) return fail(fmt::format("the column `{}` is not a number", parts[2]));
  target.offset = *column;
  return target;
}

// The function around an address, as its author wrote it; the address if it has no name.
std::string name_at(ElfFile &elf, uint64_t address) {
  auto symbols = elf.symbols();
  static const std::vector<ElfSymbol> kNone;
  const ElfSymbol *best = nullptr;
  for (const ElfSymbol &symbol : symbols ? **symbols : kNone) {
    if (symbol.address > address) break;  // sorted by address
    if (!symbol.is_function || address - symbol.address >= std::max<uint64_t>(symbol.size, 1)) continue;
    if (!best || symbol.address > best->address || nicer_name(symbol.name, best->name)) best = &symbol;
  }
  return best ? demangle(best->name) : fmt::format("0x{:x}", address);
}

// A line becomes the addresses where it begins: only the compiler has debug information.
Result<std::vector<ProbeTarget>> expand_line(const ProbeTarget &target, ElfFile &elf, const std::string &path,
                                             const ProbeEnvironment &env) {
  if (!env.user_types) return fail("lines of source are not known here");
  std::vector<ProbeTarget> out;
  for (SourcePlace &place :
       TRY(env.user_types->line(path, std::string_view(target.space).substr(1), target.count, target.offset))) {
    ProbeTarget one;
    one.provider = target.provider;
    one.scope = path;
    one.name = place.function.empty() ? name_at(elf, place.address) : std::move(place.function);
    one.address = place.address;
    one.has_address = true;
    out.push_back(std::move(one));
  }
  return out;
}

Result<ProbeTarget> UprobeProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const {
  ProbeTarget target;
  target.provider = name();
  if (parts.empty()) return wrong_parts(*this, 0);
  if (parts.size() == 1) {
    if (env.pid == 0)
      return fail(fmt::format("`{}` needs a program or library", name()),
                  fmt::format("write `{}`, or choose a process with -p", syntax()));
    target.scope = has_wildcard(parts[0]) ? "*" : "";
  } else {
    target.scope = parts[0];
    if (target.scope.empty() && env.pid == 0) return wrong_parts(*this, parts.size());
  }
  if (std::optional<ProbeTarget> line = TRY(parse_line(parts))) return *std::move(line);
  std::string place = parts.back();
  if (parts.size() > 2) {
    // Names of C++ hold colons: whatever stands behind the language is one name.
    if (lower(parts[1]) != "cpp") return wrong_parts(*this, parts.size());
    target.space = "cpp";
    place = parts[2];
    for (size_t i = 3; i < parts.size(); i++) place += ":" + parts[i];
    if (place.empty()) return fail("the name of the function is missing");
    target.name = place;
    return target;
  }
  TRY(parse_place(place, target));
  if (return_ && target.offset != 0)
    return fail("a uretprobe fires at the return: it takes no offset",
                "use `uprobe` for an instruction inside the function");
  if (has_wildcard(target.name) && target.offset != 0) return fail("a wildcard cannot have an offset");
  return target;
}

// A line of source, and a function of C++, whose name is always quoted, are written apart.
std::string UprobeProvider::text(const ProbeTarget &target) const {
  if (target.space.starts_with('@'))
    return fmt::format("{}:{}{}:{}", target.provider, target.scope, target.space, target.count);
  if (target.space.empty() || target.has_address) return Provider::text(target);
  ProbeTarget language = target;
  language.name.clear();
  return fmt::format("{}:\"{}\"", Provider::text(language), target.name);
}

// Since glibc 2.34 the libraries of threads, timers and loading are empty, and libc has what they had: its path.
std::optional<std::string> libc_instead_of(const std::string &path) {
  constexpr std::string_view kMerged[] = {"libpthread.", "libpthread-", "libdl.", "librt.", "libutil.", "libanl."};
  const size_t folder = path.rfind('/') + 1;
  const std::string_view file = std::string_view(path).substr(folder);
  if (std::ranges::none_of(kMerged, [&](std::string_view name) { return file.starts_with(name); })) return {};
  return path.substr(0, folder) + "libc.so.6";
}

constexpr const char *kStripped = "the file is stripped: only the functions that it exports have names";

std::unexpected<Error> no_such_function(ElfFile &elf, const ProbeTarget &target) {
  std::string shown = fmt::format("no function `{}` in `{}`", target.name, elf.path());
  if (target.space.empty()) {
    auto imported = elf.imports(target.name);
    if (imported && *imported)
      return fail(fmt::format("`{}` is not defined in `{}`, only called from there", target.name, elf.path()),
                  fmt::format("probe the library that defines it, e.g. `libc:{}`", target.name));
  }
  std::vector<std::string> names;
  if (auto symbols = elf.symbols())
    for (const ElfSymbol &symbol : **symbols)
      if (symbol.is_function) names.push_back(target.space.empty() ? symbol.name : demangle(symbol.name));
  std::string similar = nearest(target.name, names);
  if (!similar.empty()) return fail(shown, fmt::format("did you mean `{}`?", similar));
  if (elf.stripped()) return fail(shown, kStripped);
  return fail(shown);
}

// Is the place inside of code, and inside of the function?
Result<> check_place(ElfFile &elf, const ProbeTarget &target, const ElfSymbol *symbol, bool unsafe) {
  uint64_t address = (symbol ? symbol->address : target.address) + target.offset;
  if (symbol && !symbol->is_function)
    return fail(fmt::format("`{}` in `{}` is data, not a function", target.name, elf.path()));
  if (!is_executable(elf, address))
    return fail(fmt::format("address 0x{:x} of `{}` holds no code", address, elf.path()));
  if (symbol && target.offset != 0 && symbol->size != 0 && target.offset >= symbol->size && !unsafe)
    return fail(fmt::format("`{}` has {} bytes: +{} lies behind its end", target.name, symbol->size, target.offset),
                "an offset that is no instruction's start breaks the program; allow it with --unsafe");
  return {};
}

Result<std::vector<ProbeTarget>> UprobeProvider::expand(const ProbeTarget &target, const ProbeEnvironment &env) const {
  std::vector<std::string> paths;
  if (target.scope.empty())
    paths.push_back(TRY(program_of(env.pid, env.roots)));
  else
    paths = TRY(find_binaries(target.scope, env));
  // In several files a function need not be in each of them.
  bool several = paths.size() > 1 || has_wildcard(target.scope);
  std::vector<ProbeTarget> out;
  std::string hint;
  for (const std::string &path : paths) {
    auto opened = open_binary(path);
    if (!opened) {
      if (several) continue;
      return std::unexpected(opened.error());
    }
    std::shared_ptr<ElfFile> elf = *opened;
    if (target.space.starts_with('@')) {
      auto found = expand_line(target, *elf, path, env);
      if (!found && !several) return std::unexpected(std::move(found).error());
      if (found) std::ranges::move(*found, std::back_inserter(out));
      continue;
    }
    ProbeTarget one = target;
    one.scope = path;
    if (target.has_address) {
      TRY(check_place(*elf, target, nullptr, env.unsafe));
      one.name = name_at(*elf, target.address);
      out.push_back(std::move(one));
      continue;
    }
    std::vector<Function> functions = TRY(matching_functions(*elf, target));
    if (std::optional<std::string> libc = libc_instead_of(path); libc && functions.empty() && !several) {
      if (auto now = open_binary(*libc)) functions = TRY(matching_functions(**now, target));
      if (!functions.empty()) {
        elf = TRY(open_binary(*libc));
        one.scope = *libc;
        one.named = path;
      }
    }
    if (functions.empty() && !several && !has_wildcard(target.name)) return no_such_function(*elf, target);
    if (!several && elf->stripped()) hint = kStripped;
    for (Function &function : functions) {
      TRY(check_place(*elf, target, &function.symbol, env.unsafe));
      one.name = std::move(function.name);
      one.address = function.symbol.address;
      // Constructors have several bodies under one demangled name: places() finds them all.
      if (out.empty() || out.back().text() != one.text()) out.push_back(one);
    }
  }
  if (out.empty())
    return fail(fmt::format("no function matches `{}`", target.text().substr(target.provider.size() + 1)), hint);
  std::ranges::sort(out, {}, [](const ProbeTarget &one) { return std::tie(one.scope, one.name, one.address); });
  auto same = [](const ProbeTarget &a, const ProbeTarget &b) {
    return a.scope == b.scope && a.name == b.name && a.has_address == b.has_address &&
           (!a.has_address || a.address == b.address);
  };
  out.erase(std::ranges::unique(out, same).begin(), out.end());
  return out;
}

// The kernel puts an address of its own in place of the return address. Whoever reads the stack of a thread that is in
// such a function meets it: the unwinder of C++ exceptions finds no table for it and ends the program.
void warn_of_stack_readers(ProbeContext &context, const std::string &path) {
  auto elf = open_binary(path);
  if (!elf) return;
  auto uses = [&](std::string_view name) {
    if (auto imported = (*elf)->imports(name); imported && *imported) return true;
    auto symbol = (*elf)->symbol(name);
    return symbol && symbol->has_value();
  };
  std::error_code ignored;
  const std::string file = std::filesystem::absolute(path, ignored).lexically_normal();
  std::string hint = "probe its entry alone";
  if (uses("runtime.morestack")) {
    context.warnings.push_back(
        fmt::format("`{}` is a Go program: a return probe ends it when the runtime moves or walks the stack", file));
  } else if (uses("__gxx_personality_v0") || uses("__cxa_throw")) {
    context.warnings.push_back(
        fmt::format("`{}` has C++ exceptions: one that leaves a function with a return probe ends the program", file));
    hint = "probe the return only of functions through which nothing is thrown, of others the entry";
  } else {
    return;
  }
  if (context.warning_hint.empty()) context.warning_hint = hint;
}

Result<ProbeContext> UprobeProvider::context(const ProbeTarget &target, bool needs_args,
                                             const ProbeEnvironment &env) const {
  ProbeContext context;
  context.prog_type = ProgType::Kprobe;
  context.has_regs = true;
  context.has_func = true;
  context.user_code = true;
  context.arg_space = AddressSpace::User;
  context.has_retval = return_;
  if (!return_) {
    context.args_reach = ArgReach::Registers;
    context.arg_count = kUprobeArgs;
  }
  if (needs_args && !return_) TRY(add_args(context, target, env));
  if (return_)
    if (std::optional<UserFunction> function = TRY(function_of(target, env)))
      add_result(context, *function, *env.types);
  if (!target.named.empty())
    context.warnings.push_back(fmt::format("`{}` has no `{}`: glibc has had it in libc since 2.34, it is probed there",
                                           target.named, target.name));
  if (!target.name.empty() && target.space.empty() && !target.has_address) {
    auto elf = open_binary(target.scope);
    auto symbol = elf ? (*elf)->symbol(target.name) : std::unexpected(std::move(elf).error());
    if (symbol && *symbol && (*symbol)->is_indirect) {
      context.warnings.push_back(
          fmt::format("`{}` of `{}` is chosen when the program starts: only the choosing is seen here, no calls",
                      target.name, target.scope));
      context.warning_hint = "probe one of its variants, if the file names them, or by its address";
    }
  }
  if (return_) warn_of_stack_readers(context, target.scope);
  return context;
}

Result<std::vector<AttachPlace>> UprobeProvider::places(const ProbeTarget &target, const ProbeEnvironment &) const {
  std::shared_ptr<ElfFile> elf = TRY(open_binary(target.scope));
  std::vector<uint64_t> addresses;
  if (target.has_address || (target.address != 0 && target.space.empty())) {
    addresses.push_back(target.address);
  } else {
    for (const Function &function : TRY(matching_functions(*elf, target))) addresses.push_back(function.symbol.address);
    if (addresses.empty()) return no_such_function(*elf, target);
  }
  std::vector<AttachPlace> out;
  for (uint64_t address : addresses) {
    auto offset = elf->file_offset(firing_address(*elf, target, address));
    if (!offset)
      return fail(fmt::format("address 0x{:x} of `{}` holds no code", address + target.offset, target.scope));
    AttachPlace place;
    place.target = target;
    place.file_offset = *offset;
    out.push_back(std::move(place));
  }
  return out;
}

// The places of a line; `verbose`: the variables that can be read there.
Result<std::vector<ListEntry>> UprobeProvider::list_line(const ProbeTarget &line, bool verbose,
                                                         const ProbeEnvironment &env) const {
  std::vector<ListEntry> out;
  for (const ProbeTarget &place : TRY(expand(line, env))) {
    out.push_back({place.text(), {}});
    if (!verbose) continue;
    if (std::optional<UserFunction> function = TRY(function_of(place, env))) {
      out.back().params = std::move(function->texts);
      continue;
    }
    for (const UserVariable &variable : TRY(env.user_types->variables(*env.types, place.scope, place.address)))
      if (variable.place.kind != VariablePlace::Kind::Nowhere) out.back().params.push_back(variable.text);
  }
  return out;
}

Result<std::vector<ListEntry>> UprobeProvider::list(const ProbeTarget &pattern, bool verbose,
                                                    const ProbeEnvironment &env) const {
  if (pattern.has_address) return std::vector<ListEntry>{};
  if (pattern.space.starts_with('@')) return list_line(pattern, verbose, env);
  ProbeTarget search = pattern;
  if (search.name.empty()) search.name = "*";
  std::vector<std::string> paths;
  if (search.scope.empty())
    paths.push_back(TRY(program_of(env.pid, env.roots)));
  else
    paths = TRY(find_binaries(search.scope, env));
  std::vector<ListEntry> out;
  for (const std::string &path : paths) {
    auto opened = open_binary(path);
    if (!opened) {
      if (paths.size() > 1) continue;
      return std::unexpected(opened.error());
    }
    std::shared_ptr<ElfFile> elf = *opened;
    search.scope = path;
    ProbeTarget one = search;
    one.scope = shown_path(pattern.scope, path);
    size_t first = out.size();
    for (Function &function : TRY(matching_functions(*elf, search))) {
      one.name = std::move(function.name);
      out.push_back({one.text(), {}});
      if (!verbose) continue;
      ProbeTarget exact = one;
      exact.scope = path;
      exact.address = function.symbol.address;
      auto details = TRY(function_of(exact, env));
      if (!details) continue;
      if (!return_) out.back().params = std::move(details->texts);
      if (return_ && details->result->kind != TypeKind::Void) out.back().params = {details->result_text + " retval"};
    }
    std::ranges::sort(out.begin() + static_cast<ptrdiff_t>(first), out.end(), {}, &ListEntry::text);
  }
  return out;
}

}  // namespace

const Provider &uprobe_provider() {
  static const UprobeProvider provider(false);
  return provider;
}

const Provider &uretprobe_provider() {
  static const UprobeProvider provider(true);
  return provider;
}

}  // namespace awl
