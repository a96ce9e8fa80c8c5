// `awl completion SHELL`: a script for the shell, made from the tables of options and commands. Probes come from `awl
// -l`, asked while the user types.
#include <fmt/format.h>

#include "arguments/option_table.h"
#include "base/diagnostic.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/reference.h"
#include "driver.h"
#include "runtime/probes/provider.h"

namespace awl {

namespace {

std::string joined(const std::vector<std::string> &words) { return fmt::format("{}", fmt::join(words, " ")); }

std::vector<std::string> command_names() {
  std::vector<std::string> out;
  for (const CommandRow &row : command_table()) out.emplace_back(row.name);
  return out;
}

std::vector<std::string> option_names() {
  std::vector<std::string> out;
  for (const OptionRow &row : option_table())
    for (const std::string &name : split(row.names, ',')) out.push_back(name);
  return out;
}

// "kprobe:" ...: what can be asked for its probes.
std::vector<std::string> provider_prefixes() {
  std::vector<std::string> out;
  for (const Provider *provider : all_providers()) {
    const bool alone = provider->syntax() == provider->name();
    out.push_back(std::string(provider->name()) + (alone ? "" : ":"));
  }
  return out;
}

// Words that can stand behind an option or command; empty if they are found otherwise.
std::vector<std::string> fixed_words(Offer offer, const std::vector<std::string_view> &choices) {
  std::vector<std::string> out(choices.begin(), choices.end());
  switch (offer) {
    case Offer::Step:
      for (const DebugStep &step : debug_steps()) out.emplace_back(step.name);
      break;
    case Offer::Function: out = topics(); break;
    case Offer::Code:
      for (const DiagInfo &info : all_diagnostics()) out.emplace_back(info.code);
      break;
    case Offer::Shell: out = {"bash", "zsh", "fish"}; break;
    default: break;
  }
  return out;
}

// What bash does for an offer.
std::string bash_action(Offer offer, const std::vector<std::string_view> &choices) {
  switch (offer) {
    case Offer::Nothing: return "COMPREPLY=()";
    case Offer::File: return "COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Offer::Directory: return "COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Offer::Process: return "COMPREPLY=($(cd /proc && compgen -G \"$cur[0-9]*\"))";
    case Offer::Probe: return "_awl_probes";
    default: return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", joined(fixed_words(offer, choices)));
  }
}

std::string bash() {
  std::string out = R"sh(# bash completion for awl; to use it:  source <(awl completion bash)
_awl_probes() {
  local pattern=$cur
  if [[ $pattern == *:* ]]; then
    COMPREPLY=($(compgen -W "$(awl -l "$pattern*" 2>/dev/null | head -n 1000)" -- "$pattern"))
  else
    COMPREPLY=($(compgen -W ')sh";
  out += joined(provider_prefixes());
  out += R"sh(' -- "$pattern"))
    [[ ${COMPREPLY[0]-} == *: ]] && compopt -o nospace
  fi
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}
_awl() {
  local cur prev command
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n : cur prev
  else
    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  fi
  command=${COMP_WORDS[1]}
  COMPREPLY=()
  case $prev in
)sh";
  for (const OptionRow &row : option_table())
    if (!row.value.empty())
      out += fmt::format("    {}) {}; return ;;\n", fmt::join(split(row.names, ','), "|"),
                         bash_action(row.offer, row.choices));
  out += "    -l|--list|-lv) _awl_probes; return ;;\n  esac\n  if [[ $cur == -* ]]; then\n";
  out += fmt::format("    COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return\n  fi\n", joined(option_names()));
  out += "  if ((COMP_CWORD > 1)); then\n    case $command in\n";
  for (const CommandRow &row : command_table())
    out += fmt::format("      {}) {}; return ;;\n", row.name, bash_action(row.offer, {}));
  out += fmt::format(R"sh(    esac
    COMPREPLY=($(compgen -f -- "$cur"))
  else
    COMPREPLY=($(compgen -W '{}' -- "$cur") $(compgen -f -- "$cur"))
  fi
}}
complete -o filenames -F _awl awl
)sh",
                     joined(command_names()));
  return out;
}

// Text inside single quotes and brackets of zsh's and fish's forms.
std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(Offer offer, const std::vector<std::string_view> &choices) {
  switch (offer) {
    case Offer::Nothing: return " ";
    case Offer::File: return "_files";
    case Offer::Directory: return "_files -/";
    case Offer::Process: return "_pids";
    case Offer::Probe: return "_awl_probes";
    default: return "(" + joined(fixed_words(offer, choices)) + ")";
  }
}

std::string zsh() {
  std::string out = R"sh(#compdef awl
# zsh completion for awl; to use it:  source <(awl completion zsh)
_awl_probes() {
  local -a found
  if [[ $PREFIX == *:* ]]; then
    found=(${(f)"$(awl -l "$PREFIX*" 2>/dev/null | head -n 1000)"})
  else
    found=()sh";
  out += joined(provider_prefixes());
  out += ")\n  fi\n  compadd -S '' -a found\n}\n_awl_first() {\n  local -a commands=(\n";
  for (const CommandRow &row : command_table()) out += fmt::format("    '{}:{}'\n", row.name, escaped(row.doc, ":"));
  out += "  )\n  _describe command commands\n  _files\n}\n_awl() {\n  case $words[2] in\n";
  for (const CommandRow &row : command_table())
    out += fmt::format("    {}) _arguments '*:word:{}'; [[ $PREFIX == -* ]] || return ;;\n", row.name,
                       zsh_action(row.offer, {}));
  out += "  esac\n  if [[ $words[CURRENT-1] == (-l|-lv|--list) ]]; then _awl_probes; return; fi\n  _arguments \\\n";
  for (const OptionRow &row : option_table()) {
    if (row.doc.empty()) continue;  // accepted without effect
    for (const std::string &name : split(row.names, ',')) {
      out += fmt::format("    '{}[{}]", name, escaped(row.doc, "[]:"));
      if (!row.value.empty())
        out += fmt::format(":{}:{}", escaped(row.value, "[]:"), zsh_action(row.offer, row.choices));
      out += "' \\\n";
    }
  }
  return out + "    '1:command or script:_awl_first' '*:file:_files'\n}\ncompdef _awl awl\n";
}

std::string fish_action(Offer offer, const std::vector<std::string_view> &choices) {
  switch (offer) {
    case Offer::Nothing: return " -x";
    case Offer::File: return " -r";
    case Offer::Directory: return " -xa '(__fish_complete_directories)'";
    case Offer::Process: return " -xa '(__fish_complete_pids)'";
    default: return fmt::format(" -xa '{}'", joined(fixed_words(offer, choices)));
  }
}

std::string fish() {
  std::string out = "# fish completion for awl; to use it:  awl completion fish | source\n";
  for (const CommandRow &row : command_table()) {
    out += fmt::format("complete -c awl -n __fish_use_subcommand -a {} -d '{}'\n", row.name, escaped(row.doc, ""));
    if (row.offer != Offer::Nothing && row.offer != Offer::File)
      out +=
          fmt::format("complete -c awl -n '__fish_seen_subcommand_from {}'{}\n", row.name, fish_action(row.offer, {}));
  }
  for (const OptionRow &row : option_table()) {
    if (row.doc.empty()) continue;  // accepted without effect
    out += "complete -c awl";
    for (const std::string &name : split(row.names, ','))
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!row.value.empty()) out += fish_action(row.offer, row.choices);
    out += fmt::format(" -d '{}'\n", escaped(row.doc, ""));
  }
  out += fmt::format("complete -c awl -n '__fish_contains_opt -s l list' -xa '{}'\n", joined(provider_prefixes()));
  return out +
         "complete -c awl -n '__fish_contains_opt -s l list; and string match -q \"*:*\" -- (commandline -ct)' -xa "
         "'(awl -l (commandline -ct)\"*\" 2>/dev/null | head -n 1000)'\n";
}

}  // namespace

int completion(const Options &options) {
  const std::string shell = options.words.empty() ? "" : options.words[0];
  if (shell != "bash" && shell != "zsh" && shell != "fish")
    return complain(Error{"completion needs the name of a shell", "awl completion bash, zsh or fish", 0});
  fmt::print("{}", shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish());
  return 0;
}

}  // namespace awl
