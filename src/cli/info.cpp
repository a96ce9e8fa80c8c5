// `awl info`: what this kernel and this build can do.
#include <fmt/core.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "runtime/probes/privileges.h"
#include "runtime/probes/provider.h"
#include "runtime/session/features.h"
#include "runtime/types/tracefs.h"

namespace awl {

namespace {

struct Fact {
  std::string_view name, value;
};

std::string json(const std::vector<Fact> &system, const std::vector<std::string> &missing) {
  std::string out = "{\"type\": \"info\", \"system\": {";
  for (const Fact &fact : system)
    out += fmt::format("{}\"{}\": {}", &fact == &system.front() ? "" : ", ", fact.name, json_quote(fact.value));
  out += "}, \"missing_privileges\": [";
  for (const std::string &name : missing) out += (&name == &missing.front() ? "" : ", ") + json_quote(name);
  out += "], \"features\": {";
  const std::vector<FeatureReport> features = all_features();
  for (const FeatureReport &f : features) {
    out += fmt::format("{}\"{}\": {{\"present\": {}", &f == &features.front() ? "" : ", ", f.name, f.present);
    if (!f.detail.empty()) out += ", \"detail\": " + json_quote(f.detail);
    out += "}";
  }
  out += "}, \"probes\": [";
  for (const Provider *p : all_providers())
    out += fmt::format("{}\"{}\"", p == all_providers().front() ? "" : ", ", p->name());
  return out + "]}\n";
}

std::string text(const std::vector<Fact> &system, const std::vector<std::string> &missing) {
  std::string out = "System\n";
  for (const Fact &fact : system) out += fmt::format("  {:<18} {}\n", fact.name, fact.value);
  out += fmt::format("  {:<18} {}\n", "privileges", missing.empty() ? "enough to trace" : "");
  for (const std::string &name : missing) out += fmt::format("  {:<18} lacks {}\n", "", name);
  out += "\nKernel features\n";
  for (const FeatureReport &f : all_features())
    out += fmt::format("  {:<18} {}{}\n", f.name, f.present ? "yes" : "no", f.detail.empty() ? "" : ": " + f.detail);
  out += "\nProbes\n";
  for (const Provider *p : all_providers()) out += fmt::format("  {:<18} {}\n", p->name(), p->doc());
  return out;
}

}  // namespace

int info(const Options &options) {
  utsname name{};
  uname(&name);
  const std::string kernel = fmt::format("{} {}", name.sysname, name.release);
  const Result<std::string> tracefs = tracefs_path();
  const std::vector<Fact> system = {{"kernel", kernel},
                                    {"machine", name.machine},
                                    {"awl", AWL_VERSION},
                                    {"tracefs", tracefs ? *tracefs : tracefs.error().message}};
  const std::vector<std::string> missing = missing_capabilities();
  fmt::print("{}", options.format == "json" ? json(system, missing) : text(system, missing));
  return 0;
}

}  // namespace awl
