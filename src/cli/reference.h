// What the tables of functions, probes, config variables and options say about a name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace awl {

// Names of all functions of stdlib/*.bt that scripts may use, sorted.
std::vector<std::string> function_names();
// Text about a function, builtin, provider, config variable, option, command or code; nullopt if it is none of them.
std::optional<std::string> about(std::string_view name);
// Names that about() knows.
std::vector<std::string> topics();
// docs/functions.md
std::string functions_markdown();
// "E0204": its message and its paragraph; nullopt if there is no such code.
std::optional<std::string> explanation(std::string_view code);

}  // namespace awl
