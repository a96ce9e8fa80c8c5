#include "parser/attach_text.h"

#include <cctype>
#include <string>
#include <vector>

#include "base/strings.h"
#include "runtime/probes/provider.h"

namespace awl::syntax {

namespace {

// Index of the first `wanted` outside double quotes from `from` on, npos if none.
size_t find_unquoted(std::string_view text, char wanted, size_t from) {
  bool quoted = false;
  for (size_t i = from; i < text.size(); i++) {
    if (quoted && text[i] == '\\') {
      i++;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == wanted) {
      return i;
    }
  }
  return std::string_view::npos;
}

// All that is known here about providers: which part behind the name may be a path.
size_t path_part(std::string_view name) {
  if (has_wildcard(name)) return 1;
  const Provider *provider = find_provider(name);
  return provider ? provider->path_part() : 0;
}

// Length of the attach point at the start of a text without blanks.
size_t length_without_blanks(std::string_view text) {
  size_t slash = find_unquoted(text, '/', 0);
  if (slash == std::string_view::npos) return text.size();
  size_t name = probe_name_length(text);
  size_t first = find_unquoted(text, ':', name);
  if (first == std::string_view::npos || first > slash) return slash;
  std::string_view provider = text.substr(name, first - name);
  size_t second = find_unquoted(text, ':', first + 1);
  const size_t path = path_part(provider);
  if (second == std::string_view::npos) return slash == first + 1 && path == 1 ? text.size() : slash;
  if (path == 2 && second < slash) return text.size();  // `iter:task:/sys/fs/bpf/pin`
  if (path == 1 && slash < second) slash = find_unquoted(text, '/', second);
  return slash == std::string_view::npos ? text.size() : slash;
}

}  // namespace

AttachText take_attach_point(std::string_view text) {
  AttachText out;
  std::vector<size_t> ends;  // of each byte of out.text, in `text`
  bool quoted = false;
  for (size_t i = 0; i < text.size(); i++) {
    if (!quoted && (text[i] == ' ' || text[i] == '\t')) continue;
    if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) quoted = !quoted;
    out.text += text[i];
    ends.push_back(i + 1);
  }
  out.text.resize(length_without_blanks(out.text));
  out.length = out.text.empty() ? 0 : ends[out.text.size() - 1];
  return out;
}

bool blank_beside_colon(std::string_view text, size_t at) {
  constexpr std::string_view kBlanks = " \t";
  if (!kBlanks.contains(text[at])) return false;
  size_t next = text.find_first_not_of(kBlanks, at);
  if (next == std::string_view::npos) return false;
  size_t before = text.find_last_not_of(kBlanks, at);
  if (text[next] == ':') return true;
  return before != std::string_view::npos && text[before] == ':' &&
         !std::string_view("\r\n\f\v,{};").contains(text[next]);
}

size_t probe_name_length(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_')) i++;
  return i > 0 && i < text.size() && text[i] == '=' ? i + 1 : 0;
}

}  // namespace awl::syntax
