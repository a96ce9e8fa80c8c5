// The paragraphs of docs/diagnostics.md, by code; generated.
#pragma once

#include <span>
#include <string_view>

namespace awl {

struct Explanation {
  std::string_view code;  // "E0204"
  std::string_view text;  // Markdown; examples are blocks marked `awl`
};
std::span<const Explanation> explanations();  // sorted by code

}  // namespace awl
