// `awl help`, `awl --help`
#include <fmt/core.h>

#include "arguments/option_table.h"
#include "ast/passes/stdlib.h"
#include "base/diagnostic.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/reference.h"

namespace awl {

int help(const Options &options) {
  if (options.markdown) {
    fmt::print("{}", functions_markdown());
    return 0;
  }
  if (options.words.empty() || is_file(options.words[0])) {
    fmt::print("{}", general_help());
    return 0;
  }
  for (const std::string &name : options.words) {
    if (std::optional<std::string> text = about(name)) {
      fmt::print("{}", *text);
      continue;
    }
    if (const std::string_view instead = ast::foreign_name_hint(name); !instead.empty())
      return complain(Error{fmt::format("`{}` is a name of other tracers", name), std::string(instead), 0});
    const std::string near = nearest(name, topics());
    return complain(Error{fmt::format("nothing is known about `{}`", name),
                          near.empty() ? "`awl help` says what there is" : fmt::format("did you mean `{}`?", near), 0});
  }
  return 0;
}

}  // namespace awl
