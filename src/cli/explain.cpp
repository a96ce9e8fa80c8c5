// `awl explain CODE`
#include <fmt/core.h>

#include <algorithm>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "cli/explanations.h"
#include "cli/program.h"

namespace awl {

namespace {

// "no field `{}` in `{}`" -> "no field `...` in `...`"
std::string message(const DiagInfo &info) {
  std::string out(info.format);
  for (size_t at = out.find("{}"); at != std::string::npos; at = out.find("{}", at)) out.replace(at, 2, "...");
  return out;
}

std::string_view severity(const DiagInfo &info) { return info.severity == Severity::Error ? "error" : "warning"; }

// Markdown as text for a terminal: examples are indented instead of fenced.
std::string plain(std::string_view markdown) {
  std::string out;
  bool example = false;
  for (const std::string &line : split(trim(markdown), '\n')) {
    if (line.starts_with("```"))
      example = !example;
    else
      out += line.empty() ? "\n" : (example ? "    " : "") + line + "\n";
  }
  return out;
}

}  // namespace

std::optional<std::string> explanation(std::string_view code) {
  std::string wanted(code);
  std::ranges::transform(wanted, wanted.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const DiagInfo &info : all_diagnostics()) {
    if (info.code != wanted) continue;
    std::string out = fmt::format("{} {}: {}\n\n", severity(info), info.code, message(info));
    for (const Explanation &e : explanations())
      if (e.code == wanted) out += plain(e.text);
    return out;
  }
  return std::nullopt;
}

int explain(const Options &options) {
  if (options.words.empty()) {
    for (const DiagInfo &info : all_diagnostics()) fmt::print("{}  {}\n", info.code, message(info));
    return 0;
  }
  for (const std::string &code : options.words) {
    std::optional<std::string> text = explanation(code);
    if (!text) {
      std::vector<std::string> codes;
      for (const DiagInfo &info : all_diagnostics()) codes.emplace_back(info.code);
      const std::string near = nearest(code, codes);
      return complain(Error{fmt::format("there is no message `{}`", code),
                            near.empty() ? "`awl explain` lists all" : fmt::format("did you mean `{}`?", near), 0});
    }
    fmt::print("{}", *text);
  }
  return 0;
}

}  // namespace awl
