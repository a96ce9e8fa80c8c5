#include "runtime/session/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/search_path.h"
#include "base/strings.h"

namespace awl {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Appends what stands between quotes; `at` is behind the opening one, and behind the closing one afterwards.
Result<void> take_quoted(std::string_view text, size_t &at, char quote, std::string &word) {
  const size_t opened = at;
  while (at < text.size() && text[at] != quote) {
    const bool escapes = quote == '"' && text[at] == '\\' && at + 1 < text.size();
    if (escapes && std::string_view("\"\\$`\n").find(text[at + 1]) != std::string_view::npos) {
      if (text[++at] != '\n') word += text[at];
      at++;
    } else {
      word += text[at++];
    }
  }
  if (at == text.size())
    return fail("quote " + std::string(1, quote) + " at column " + std::to_string(opened) + " is not closed");
  at++;
  return {};
}

constexpr const char *kNoShell = "there is no shell here: write `-c \"sh -c '...'\"`";

// Words by which a shell would connect commands or files.
bool is_for_shell(std::string_view word) {
  constexpr std::string_view kWords[] = {"|", "||", "&", "&&", ">", ">>", "<", "<<", "2>", "2>&1", ">&2"};
  return std::ranges::find(kWords, word) != std::end(kWords);
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (is_blank(c)) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    if (c == '\\' && at < text.size() && text[at] == '\n') {
      at++;
      continue;
    }
    if (const auto bare = text.substr(at - 1, text.find_first_of(" \t\n", at) - (at - 1));
        !in_word && is_for_shell(bare))
      return fail(fmt::format("`{}` is for a shell", bare), kNoShell);
    in_word = true;
    if (c == '\'' || c == '"') {
      if (Result<void> quoted = take_quoted(text, at, c, word); !quoted) return std::unexpected(quoted.error());
    } else if (c == '\\') {
      if (at == text.size()) return fail("nothing stands behind the last backslash");
      word += text[at++];
    } else {
      word += c;
    }
  }
  if (in_word) words.push_back(std::move(word));
  if (words.empty()) return fail("the command is empty");
  return words;
}

Result<std::string> find_executable(const std::string &name) {
  if (name.find('/') != std::string::npos) {
    if (is_executable_file(name)) return name;
    if (access(name.c_str(), F_OK) != 0) return fail("no such file");
    return fail("not an executable file");
  }
  if (std::string found = find_in_path(name); !found.empty()) return found;
  constexpr std::string_view kOfShells[] = {"cd",   "export", "ulimit", "umask", "source", ".",     "exec",
                                            "eval", "if",     "for",    "while", "set",    "unset", "trap"};
  if (name.find('=') != std::string::npos)
    return fail("no such command in PATH", fmt::format("`env {} ...` sets a variable of a command", name));
  return fail("no such command in PATH",
              std::ranges::find(kOfShells, name) != std::end(kOfShells) ? kNoShell : std::string());
}

}  // namespace awl
