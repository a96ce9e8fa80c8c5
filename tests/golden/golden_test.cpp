// Golden cases: tests/golden/cases/*.golden, one script each, with what the compiler makes of it.
//
//   //! show: diagnostics | ast | typed     what to compare
//   //! params: a b                         positional parameters (optional)
//   //! options: --name=value               options of the script (optional)
//   //! unsafe                              (optional)
//   the script
//   === expected
//   the expectation
//
// AWL_GOLDEN_UPDATE=1 rewrites the expectations: read the difference before you commit it. Kernel types, tracepoints
// and symbols come from tests/golden/fixture, so that the cases hold on every kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/strings.h"
#include "driver.h"
#include "golden/fixture_roots.h"

namespace awl {
namespace {

const std::filesystem::path kFolder = AWL_SOURCE_DIR "/tests/golden";
constexpr std::string_view kMark = "=== expected\n";

struct Case {
  std::string script;
  std::string expected;
  std::string show = "diagnostics";
  std::vector<std::string> params;
  std::vector<std::string> options;
  bool unsafe = false;
};

Case parse_case(const std::string &text) {
  Case out;
  size_t mark = text.find(kMark);
  EXPECT_NE(mark, std::string::npos) << "no line `=== expected`";
  out.script = text.substr(0, mark);
  out.expected = mark == std::string::npos ? "" : text.substr(mark + kMark.size());
  for (const std::string &line : split(out.script, '\n')) {
    if (line.starts_with("//! show: ")) out.show = line.substr(10);
    if (line.starts_with("//! params: ")) out.params = split(line.substr(12), ' ');
    if (line.starts_with("//! options: ")) out.options = split(line.substr(13), ' ');
    if (line == "//! unsafe") out.unsafe = true;
  }
  return out;
}

std::string run(const Case &golden) {
  CompileRequest request;
  request.params = golden.params;
  request.options = golden.options;
  request.unsafe = golden.unsafe;
  request.use_environment = false;
  request.check_only = true;
  request.roots = fixture_roots();
  std::map<std::string, std::string> dumps = {{golden.show, ""}};
  request.dumps = &dumps;
  std::filesystem::current_path(kFolder);  // what imports are relative to
  Source source("case", golden.script);
  TypeStore store;
  Diagnostics diagnostics;
  compile(source, request, store, diagnostics);
  std::string out;
  for (const Diagnostic &d : diagnostics.all()) out += render_text(d, source);
  if (golden.show != "diagnostics") out = dumps[golden.show] + out;
  return out;
}

std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> out;
  for (const auto &entry : std::filesystem::directory_iterator(kFolder / "cases"))
    if (entry.path().extension() == ".golden") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

class Golden : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Golden, Matches) {
  std::string text = read_file(GetParam()).value();
  Case golden = parse_case(text);
  std::string actual = run(golden);
  if (std::getenv("AWL_GOLDEN_UPDATE")) {
    std::ofstream(GetParam()) << golden.script << kMark << actual;
    return;
  }
  EXPECT_EQ(actual, golden.expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(case_files()), [](const auto &info) {
  std::string name = info.param.stem();
  std::ranges::replace(name, '-', '_');
  return name;
});

// Every kind of diagnostic is shown by a case here, by a suite of tests/runtime (what only a kernel can cause), or by
// a unit test.
TEST(Diagnostics, EachKindHasATest) {
  std::string all;
  for (const auto &path : case_files()) all += parse_case(read_file(path).value()).expected;
  for (const char *folder : {"/tests/runtime/suites", "/tests/unit", "/tests/codegen"})
    for (const auto &entry : std::filesystem::recursive_directory_iterator(std::string(AWL_SOURCE_DIR) + folder))
      if (entry.is_regular_file()) all += read_file(entry.path()).value();
  for (const DiagInfo &info : all_diagnostics())
    EXPECT_TRUE(all.find(info.code) != std::string::npos ||
                all.find("diag::" + std::string(info.name)) != std::string::npos)
        << info.name << " (" << info.code << ") has no test";
}

TEST(Diagnostics, CodesAreUnique) {
  std::set<std::string_view> codes;
  for (const DiagInfo &info : all_diagnostics()) EXPECT_TRUE(codes.insert(info.code).second) << info.code;
}

}  // namespace
}  // namespace awl
