#include "runtime/probes/attach_point.h"

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/strings.h"

namespace awl {

Result<std::vector<std::string>> split_attach_point(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && c == '\\' && i + 1 < text.size()) {
      parts.back() += text[++i];
    } else if (c == ':' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (quoted) return fail(fmt::format("the quote in `{}` is not closed", text));
  return parts;
}

std::string quote_part(std::string_view part) {
  if (part.find_first_of(":\" \t\n,\\{}()") == std::string_view::npos) return std::string(part);
  std::string out = "\"";
  for (char c : part) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

Result<> parse_place(std::string_view text, ProbeTarget &target) {
  if (text.empty()) return fail("the name of the function is missing");
  if (auto address = parse_unsigned(text)) {
    target.address = *address;
    target.has_address = true;
    return {};
  }
  if (text[0] >= '0' && text[0] <= '9') return fail(fmt::format("`{}` is neither a name nor a number", text));
  size_t plus = text.find('+');
  target.name = text.substr(0, plus);
  if (plus == std::string_view::npos) return {};
  auto offset = parse_unsigned(trim(text.substr(plus + 1)));
  if (!offset) return fail(fmt::format("the offset `{}` is not a number", text.substr(plus + 1)));
  target.name = trim(target.name);
  target.offset = *offset;
  return {};
}

std::unexpected<Error> wrong_parts(const Provider &provider, size_t given) {
  std::string message = given == 0 ? fmt::format("`{}` needs a target", provider.name())
                                   : fmt::format("`{}` does not take {}", provider.name(), counted(given, "part"));
  return fail(std::move(message), fmt::format("write `{}`", provider.syntax()));
}

std::unexpected<Error> unknown_name(std::string_view kind, std::string_view name,
                                    const std::vector<std::string> &candidates) {
  std::string similar = nearest(name, candidates);
  return fail(fmt::format("no {} `{}`", kind, name), similar.empty() ? "" : fmt::format("did you mean `{}`?", similar));
}

}  // namespace awl
