#include "parser/text_scan.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"

namespace awl::syntax {

std::string_view skip_blanks(std::string_view text) {
  while (true) {
    size_t begin = text.find_first_not_of(" \t\r\n\v\f");
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    size_t end = text.starts_with("//") ? text.find('\n') : text.starts_with("/*") ? text.find("*/", 2) : 0;
    if (end == 0) return text;
    if (end == std::string_view::npos) return {};
    text.remove_prefix(text.starts_with("/*") ? end + 2 : end);
  }
}

bool continues_line(std::string_view between) {
  return trim(between).empty() && std::count(between.begin(), between.end(), '\n') == 1;
}

bool looks_like_probe(std::string_view text) {
  size_t name = 0;
  while (name < text.size() && (std::isalnum(static_cast<unsigned char>(text[name])) || text[name] == '_')) name++;
  if (name == 0 || name == text.size() || std::isdigit(static_cast<unsigned char>(text[0]))) return false;
  std::string_view behind = text.substr(name);
  if (behind.size() > 1 && behind[0] == ':')
    return !std::isspace(static_cast<unsigned char>(behind[1])) && behind[1] != ':';
  std::string word = lower(text.substr(0, name));
  return (word == "begin" || word == "end") && skip_blanks(behind).starts_with('{');
}

}  // namespace awl::syntax
