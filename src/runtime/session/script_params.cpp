#include "runtime/session/script_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace awl {

namespace {

std::optional<int64_t> number_of(const ScriptParam &param, std::string_view text) {
  if (param.is_flag) {
    const std::string word = lower(text);
    if (word.empty() || word == "true" || word == "1") return 1;
    return word == "false" || word == "0" ? std::optional<int64_t>(0) : std::nullopt;
  }
  const bool negative = text.starts_with('-');
  const std::optional<uint64_t> number = parse_amount(text.substr(negative ? 1 : 0));
  if (!number) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - *number : *number);
}

// What it was when the program was written.
bool is_same(const ScriptParam &param, const std::string &text) {
  if (!param.text.empty()) return text == param.text;
  const std::optional<int64_t> number = number_of(param, text);
  return number ? *number == param.value : text.empty();
}

class Setter {
 public:
  Setter(const Manifest &manifest, std::vector<uint64_t> &words, Diagnostics &diagnostics)
      : manifest_(manifest), words_(words), diagnostics_(diagnostics) {
    for (const ScriptParam &param : manifest.params) {
      if (param.word == 0) continue;
      if (words_.size() <= param.word) words_.resize(param.word + 1);
      words_[param.word] = static_cast<uint64_t>(param.value);
    }
  }

  void set(const std::string &name, const std::string &text) {
    const auto param = std::ranges::find(manifest_.params, name, &ScriptParam::name);
    if (param == manifest_.params.end()) return unknown(name);
    if (param->word == 0) {
      if (is_same(*param, text)) return;
      diagnostics_.emit(diag::ParamFixed, Span{}, name, param->fixed)
          .with_hint("build the program again with this value: awl build -o FILE SCRIPT PARAMETERS...");
      return;
    }
    if (const std::optional<int64_t> number = number_of(*param, text))
      words_[param->word] = static_cast<uint64_t>(*number);
    else if (name.starts_with("--"))
      diagnostics_.emit(diag::BadOptionValue, Span{}, name.substr(2),
                        param->is_flag ? "it is a flag: true or false" : "expected a whole number");
    else
      diagnostics_.emit(diag::ParamFixed, Span{}, name, "`" + text + "` is no whole number");
  }

 private:
  void unknown(const std::string &name) {
    if (!name.starts_with("--")) return;  // the script does not use it
    Diagnostic &d = diagnostics_.emit(diag::UnknownOption, Span{}, name.substr(2));
    std::vector<std::string> names;
    for (const ScriptParam &param : manifest_.params)
      if (param.name.starts_with("--")) names.push_back(param.name);
    if (std::string near = nearest(name, names); !near.empty())
      d.with_hint("did you mean `" + near + "`?");
    else
      d.with_hint(names.empty() ? "it asks for none with getopt()" : fmt::format("it has: {}", fmt::join(names, ", ")));
  }

  const Manifest &manifest_;
  std::vector<uint64_t> &words_;
  Diagnostics &diagnostics_;
};

}  // namespace

void set_script_params(const Manifest &manifest, const std::vector<std::string> &positional,
                       const std::vector<std::string> &options, std::vector<uint64_t> &words,
                       Diagnostics &diagnostics) {
  Setter setter(manifest, words, diagnostics);
  for (size_t i = 0; i < positional.size(); i++) setter.set("$" + std::to_string(i + 1), positional[i]);
  const bool counts = std::ranges::any_of(manifest.params, [](const ScriptParam &p) { return p.name == "$#"; });
  if (counts && !positional.empty()) setter.set("$#", std::to_string(positional.size()));
  for (const std::string &option : options) {
    const size_t equals = option.find('=');
    setter.set(option.substr(0, equals), equals == std::string::npos ? "" : option.substr(equals + 1));
  }
}

}  // namespace awl
