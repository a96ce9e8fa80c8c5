// Scripts as people write them, old and new: all must be read without a word.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "unit/parser/helpers.h"

namespace awl {
namespace {

std::vector<std::string> corpus() {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(AWL_SOURCE_DIR "/tests/unit/parser/corpus"))
    names.push_back(entry.path().string());
  std::sort(names.begin(), names.end());
  return names;
}

class Corpus : public testing::TestWithParam<std::string> {};

TEST_P(Corpus, IsReadWithoutDiagnostics) {
  Result<std::string> text = read_file(GetParam());
  ASSERT_TRUE(text);
  Parsed parsed = parse_text(*text);
  EXPECT_EQ(parsed.errors(), std::vector<std::string>());
  EXPECT_FALSE(parsed.program.probes.empty());
  ParseOptions with_btf;
  with_btf.defines.insert("BPFTRACE_HAVE_BTF");
  EXPECT_EQ(parse_text(*text, with_btf).errors(), std::vector<std::string>());
}

TEST_P(Corpus, SurvivesBeingCutAnywhere) {
  Result<std::string> text = read_file(GetParam());
  ASSERT_TRUE(text);
  for (size_t length = 0; length < text->size(); length += 7) parse_text(text->substr(0, length));
}

INSTANTIATE_TEST_SUITE_P(Scripts, Corpus, testing::ValuesIn(corpus()),
                         [](const auto &info) { return std::filesystem::path(info.param).stem().string(); });

TEST(Corpus, IsThere) { EXPECT_GE(corpus().size(), 40U); }

}  // namespace
}  // namespace awl
