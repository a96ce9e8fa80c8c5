// docs/diagnostics.md: a paragraph for every message, and examples that give the message they stand for.
#include <gtest/gtest.h>

#include <set>

#include "base/strings.h"
#include "cli/explanations.h"
#include "driver.h"
#include "golden/fixture_roots.h"

namespace awl {
namespace {

// Blocks marked `awl`.
std::vector<std::string> examples(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false;
  for (const std::string &line : split(text, '\n')) {
    if (line.starts_with("```")) {
      inside = line == "```awl";
      if (inside) out.emplace_back();
    } else if (inside) {
      out.back() += line + "\n";
    }
  }
  return out;
}

std::set<std::string> codes_of(const std::string &script) {
  CompileRequest request;
  request.use_environment = false;
  request.check_only = true;
  request.roots = fixture_roots();
  TypeStore store;
  Diagnostics diagnostics;
  Source source("example", script);
  compile(source, request, store, diagnostics);
  std::set<std::string> out;
  for (const Diagnostic &d : diagnostics.all()) out.emplace(d.info->code);
  return out;
}

TEST(Explanations, EveryCodeHasOne) {
  std::set<std::string_view> explained;
  for (const Explanation &e : explanations()) {
    explained.insert(e.code);
    EXPECT_GT(e.text.size(), 40U) << e.code;
  }
  for (const DiagInfo &info : all_diagnostics())
    EXPECT_TRUE(explained.contains(info.code))
        << info.code << " (" << info.name << ") has no section in docs/diagnostics.md";
}

TEST(Explanations, ExamplesGiveTheirMessage) {
  size_t count = 0;
  for (const Explanation &e : explanations()) {
    for (const std::string &script : examples(e.text)) {
      count++;
      EXPECT_TRUE(codes_of(script).contains(std::string(e.code))) << e.code << " does not come of\n" << script;
    }
  }
  EXPECT_GT(count, 40U);
}

}  // namespace
}  // namespace awl
