// Closed lists: every feature has its entry.
#include <gtest/gtest.h>

#include <set>

#include "runtime/probes/privileges.h"
#include "runtime/session/features.h"

namespace awl {
namespace {

TEST(Features, EveryFeatureHasAReport) {
  std::set<Feature> features;
  std::set<std::string> names;
  for (const FeatureReport &report : all_features()) {
    EXPECT_TRUE(features.insert(report.feature).second);
    EXPECT_TRUE(names.insert(report.name).second);
    EXPECT_EQ(report.present, report.state == FeatureState::Present);
    EXPECT_EQ(report.present, report.detail.empty()) << report.name;
    EXPECT_EQ(report.present, has_feature(report.feature));
  }
  EXPECT_EQ(features.size(), kFeatureCount);
}

TEST(Privileges, NamesWhatIsMissing) {
  const uint64_t admin = 1ULL << 21, perfmon = 1ULL << 38, bpf = 1ULL << 39;
  EXPECT_EQ(missing_capabilities(0), (std::vector<std::string>{"CAP_BPF", "CAP_PERFMON"}));
  EXPECT_EQ(missing_capabilities(bpf), (std::vector<std::string>{"CAP_PERFMON"}));
  EXPECT_TRUE(missing_capabilities(bpf | perfmon).empty());
  EXPECT_TRUE(missing_capabilities(admin).empty());
}

TEST(Privileges, ReadsTheLockdownInForce) {
  EXPECT_EQ(parse_lockdown("none [integrity] confidentiality\n"), "integrity");
  EXPECT_EQ(parse_lockdown("[none] integrity confidentiality\n"), "");
  EXPECT_EQ(parse_lockdown(""), "");
  EXPECT_EQ(parse_lockdown("[broken"), "");
}

}  // namespace
}  // namespace awl
