#include "ast/passes/bind.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "ast/clone.h"
#include "ast/passes/inference.h"
#include "ast/passes/whole_args.h"
#include "ast/walk.h"
#include "base/strings.h"
#include "runtime/probes/binaries.h"

namespace awl::ast {

namespace {

bool mentions(Node *node, std::string_view builtin) {
  if (const auto *e = as<Identifier>(node); e && e->name == builtin) return true;
  if (const auto *e = as<Call>(node); e && e->name == builtin) return true;
  bool found = false;
  for_each_slot(
      node, [&](Expr *&child) { found = found || mentions(child, builtin); },
      [&](Stmt *child) { found = found || mentions(child, builtin); });
  return found;
}

// Whether what the probe does depends on where it is attached: arguments by their numbers, its name.
bool asks_for_place(const Unit &unit) {
  bool found = mentions(unit, "probe");
  for (Node *part : {static_cast<Node *>(unit.predicate), static_cast<Node *>(unit.body)}) {
    if (!part) continue;
    for_each_node(part, [&](const Node *node) {
      const auto *name = as<Identifier>(node);
      found = found || (name && argument_number(name->name));
    });
  }
  return found;
}

class Binder {
 public:
  Binder(Program &program, const std::vector<std::string> &params, const ProbeEnvironment &environment,
         Diagnostics &diagnostics)
      : program_(program), params_(params), environment_(environment), diagnostics_(diagnostics) {}

  std::vector<Unit> run() {
    uint32_t index = 0;
    for (Probe &probe : program_.probes) {
      first_of_probe_ = true;
      size_t before = units_.size();
      for (const AttachPoint &point : probe.attach_points) bind(probe, point, index);
      report_missing(units_.size() > before);
      index++;
    }
    for (Unit &unit : units_) spell_out_args(program_, *environment_.types, unit);
    warn();
    return std::move(units_);
  }

 private:
  void bind(const Probe &probe, const AttachPoint &point, uint32_t index) {
    if (const uint64_t most = greatest_param(point.text); most > params_.size()) {
      diagnostics_
          .emit(diag::BadProbe, point.span, fmt::format("the attach point takes `${}`, which is not given", most))
          .with_hint("words behind the program are its parameters: `awl script.bt VALUE`");
      return;
    }
    std::string text = substitute_params(point.text, params_);
    Result<std::vector<ProbeTarget>> targets = parse_attach_points(text, environment_);
    if (!targets) return report(point.span, targets.error());
    for (const ProbeTarget &target : *targets) bind(probe, point, index, text, target);
  }

  void bind(const Probe &probe, const AttachPoint &point, uint32_t index, const std::string &text,
            const ProbeTarget &target) {
    const Provider *provider = find_provider(target.provider);
    Unit unit;
    unit.span = point.span;
    unit.source_index = index;
    unit.predicate = probe.predicate;
    unit.body = probe.body;
    bool needs_args = mentions(unit, "args");
    // One program for a whole wildcard, which is expanded when it is attached. In a list it may match nothing, if
    // another name does.
    const bool bare = !provider->shares_program() && provider->shares_bare_program() && !asks_for_place(unit);
    const bool whole = target.wildcard() && (provider->shares_program() || bare) && !needs_args;
    if (whole && !bare && probe.attach_points.size() == 1) return add(*provider, target, false, text, unit);
    Result<std::vector<ProbeTarget>> exact = provider->expand(target, environment_);
    if (!exact) return report(point.span, exact.error());
    if (whole) return add(*provider, target, false, text, unit);
    add_of_others(text, *exact);
    for (const ProbeTarget &one : *exact) add(*provider, one, needs_args, text, unit);
  }

  // With several -p, what the same text means to the others, too: they may have files of their own. One place is there
  // once, whatever names its file has.
  void add_of_others(const std::string &text, std::vector<ProbeTarget> &exact) {
    std::set<std::string> known;
    std::erase_if(exact, [&](const ProbeTarget &one) { return !known.insert(place_identity(one)).second; });
    for (const int pid : environment_.pids) {
      if (pid == environment_.pid) continue;
      ProbeEnvironment other = environment_;
      other.pid = pid;
      Result<ProbeTarget> target = parse_attach_point(text, other);
      if (!target) continue;  // said by the run, which looks again
      Result<std::vector<ProbeTarget>> more = find_provider(target->provider)->expand(*target, other);
      if (!more) continue;
      for (ProbeTarget &one : *more)
        if (known.insert(place_identity(one)).second) exact.push_back(std::move(one));
    }
  }

  void add(const Provider &provider, const ProbeTarget &target, bool needs_args, const std::string &written,
           Unit unit) {
    Result<ProbeContext> context = provider.context(target, needs_args, environment_);
    if (!context) return report(unit.span, context.error());
    unit.target = target;
    // `probe` shows BEGIN as it was written.
    unit.text = unit.target.provider == "begin" || unit.target.provider == "end" ? written : target.text();
    unit.context = std::move(*context);
    // Each unit has nodes of its own, because what is known of a node differs from probe to probe.
    if (!first_of_probe_) {
      if (unit.predicate) unit.predicate = clone(program_, unit.predicate);
      unit.body = clone(program_, unit.body);
    }
    first_of_probe_ = false;
    units_.push_back(std::move(unit));
  }

  void report(Span span, const Error &error) { missing_.emplace_back(span, error); }

  // Scripts name a function by all its names over the years, `kprobe:new_name, kprobe:old_name { }`: what is missing is
  // an error only if nothing of the list is left.
  void report_missing(bool some_exist) {
    const std::string &wish = environment_.missing_probes;
    for (const auto &[span, error] : missing_) {
      if (wish == "ignore") continue;
      if (wish == "unprivileged" && (error.sys_errno == EPERM || error.sys_errno == EACCES)) {
        diagnostics_.emit(diag::UncheckedProbe, span, error.message).with_hint("root can check it");
        continue;
      }
      auto &kind = some_exist || wish == "warn" ? diag::MissingProbe : diag::BadProbe;
      diagnostics_.emit(kind, span, error.message).with_hint(error.hint);
    }
    missing_.clear();
  }

  // A probe that cannot fire by itself is fine when the script attaches what makes it fire. What holds for a whole file
  // is said once.
  void warn() {
    std::set<std::string> said;
    for (const Unit &unit : units_) {
      const std::string &remedy = unit.context.warning_unless;
      if (!remedy.empty() && std::ranges::any_of(units_, [&](const Unit &u) { return u.target.text() == remedy; }))
        continue;
      for (const std::string &warning : unit.context.warnings)
        if (said.insert(warning).second)
          diagnostics_.emit(diag::ProbeWarning, unit.span, warning).with_hint(unit.context.warning_hint);
    }
  }

  Program &program_;
  const std::vector<std::string> &params_;
  const ProbeEnvironment &environment_;
  Diagnostics &diagnostics_;
  std::vector<Unit> units_;
  std::vector<std::pair<Span, Error>> missing_;  // of the probe at hand
  bool first_of_probe_ = true;
};

}  // namespace

bool mentions(const Unit &unit, std::string_view builtin) {
  return (unit.predicate && mentions(unit.predicate, builtin)) || (unit.body && mentions(unit.body, builtin));
}

uint64_t greatest_param(std::string_view text) {
  uint64_t out = 0;
  for (size_t dollar = text.find('$'); dollar != std::string_view::npos; dollar = text.find('$', dollar + 1)) {
    const std::string_view rest = text.substr(dollar + 1);
    out = std::max(out, parse_unsigned(rest.substr(0, rest.find_first_not_of("0123456789"))).value_or(0));
  }
  return out;
}

std::string substitute_params(std::string_view text, const std::vector<std::string> &params) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    size_t end = i + 1;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) end++;
    if (text[i] != '$' || end == i + 1) {
      out += text[i];
      continue;
    }
    uint64_t number = parse_unsigned(text.substr(i + 1, end - i - 1)).value_or(0);
    if (number >= 1 && number <= params.size()) out += params[number - 1];
    i = end - 1;
  }
  return out;
}

std::vector<Unit> bind_probes(Program &program, const std::vector<std::string> &params,
                              const ProbeEnvironment &environment, Diagnostics &diagnostics) {
  return Binder(program, params, environment, diagnostics).run();
}

}  // namespace awl::ast
