#include "runtime/session/losses.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace awl {
namespace {

// Remembers what is told.
class Recorder : public Output {
 public:
  void record(RecordKind, std::string_view) override {}
  void line(std::string_view) override {}
  void value(const Value &) override {}
  void map(const MapView &) override {}
  void map_entry(const MapView &) override {}
  void percentiles(const MapView &, std::span<const double>) override {}
  void attached(uint64_t) override {}
  void pinned(std::string_view) override {}
  void lost_events(uint64_t count) override { told.push_back("lost " + std::to_string(count)); }
  void message(const Diagnostic &diagnostic, const Source &) override { told.push_back(diagnostic.message); }
  void helper_error(const Diagnostic &diagnostic, const Source &, std::string_view, int64_t) override {
    told.push_back(diagnostic.message);
  }
  void end_of_records() override {}
  void end_of_batch() override {}
  void flush() override {}
  [[nodiscard]] bool broken() const override { return false; }
  [[nodiscard]] int error() const override { return 0; }

  std::vector<std::string> told;
};

class LossesTest : public testing::Test {
 protected:
  LossesTest() {
    manifest.maps.resize(2);
    manifest.maps[0].name = "@a";
    manifest.maps[1].name = "@b";
    manifest.state_words = manifest.place_word(0) + 3 * kHelperSiteWords;
    fd = memfd_create("state", 0);
    const uint32_t bytes = manifest.state_words * 8;
    EXPECT_EQ(ftruncate(fd, bytes), 0);
    auto mapped = SharedState::map(fd, bytes, 0, manifest.state_words);
    EXPECT_TRUE(mapped.has_value());
    state = std::move(*mapped);
  }
  ~LossesTest() override { close(fd); }

  Manifest manifest;
  Source source{"test", "BEGIN { }"};
  Recorder output;
  SharedState state;
  int fd = -1;
};

using Told = std::vector<std::string>;

TEST_F(LossesTest, SaysNothingWhenNothingIsLost) {
  Losses losses(manifest, source, output);
  losses.look(state);
  losses.report_totals(state);
  EXPECT_TRUE(output.told.empty());
}

TEST_F(LossesTest, LostEventsAreToldEachTimeAndInAll) {
  Losses losses(manifest, source, output);
  state.store(kStateLostEvents, 3);
  losses.look(state);
  losses.look(state);
  state.store(kStateLostEvents, 10);
  losses.look(state);
  state.store(kStateLostEvents, 11);
  losses.report_totals(state);
  EXPECT_EQ(output.told, (Told{"lost 3", "lost 7", "lost 1", "11 events lost in all"}));
}

TEST_F(LossesTest, AFullMapIsToldByNameOnceAndAtTheEnd) {
  Losses losses(manifest, source, output);
  state.store(kStateMapErrors + kMapErrorWords, 5);
  losses.look(state);
  state.store(kStateMapErrors + kMapErrorWords, 9);
  losses.look(state);
  losses.report_totals(state);
  losses.report_totals(state);
  EXPECT_EQ(output.told, (Told{"map `@b` is full: 5 updates lost", "map `@b` is full: 9 updates lost"}));
}

TEST_F(LossesTest, UpdatesThatFailInAMapWithRoom) {
  Losses losses(manifest, source, output);
  state.store(kStateMapErrors + 1, 4);
  losses.report_totals(state);
  EXPECT_EQ(output.told, (Told{"map `@a` has room, but 4 updates failed: no memory, or another update was under way"}));
}

TEST_F(LossesTest, TasksThatAreNotFollowed) {
  Losses losses(manifest, source, output);
  state.store(kStateNotFollowed, 1);
  losses.look(state);
  state.store(kStateNotFollowed, 3);
  losses.report_totals(state);
  EXPECT_EQ(output.told,
            (Told{"1 task is not followed, nor what is started there: more than 65536 tasks at a time",
                  "3 tasks are not followed, nor what is started there: more than 65536 tasks at a time"}));
}

TEST_F(LossesTest, OtherCounters) {
  Losses losses(manifest, source, output);
  state.store(kStateLostStacks, 2);
  state.store(kStateScratchBusy, 1);
  losses.report_totals(state);
  ASSERT_EQ(output.told.size(), 2u);
  EXPECT_EQ(output.told[0], "2 stacks lost: their map is full");
}

TEST_F(LossesTest, FailedHelpersAreToldWhenTheyFirstFailAndAtTheEnd) {
  manifest.config.helper_errors = true;
  manifest.helper_sites = {{Span{0, 5}, 112}};  // bpf_probe_read_user
  manifest.helper_site_word = kStateMapErrors;  // this script has no maps
  manifest.maps.clear();
  Losses losses(manifest, source, output);
  losses.look(state);
  state.store(kStateMapErrors + 1, static_cast<uint64_t>(-14));
  state.store(kStateMapErrors, 2);
  losses.look(state);
  state.store(kStateMapErrors, 7);
  losses.look(state);
  losses.report_totals(state);
  EXPECT_EQ(output.told, (Told{"`probe_read_user` failed here 2 times: Bad address (-14)",
                               "`probe_read_user` failed here 7 times: Bad address (-14)"}));
}

TEST_F(LossesTest, TextIsToldAtTheEndIfItWasNeverRead) {
  manifest.helper_sites = {{Span{0, 5}, 114}, {Span{6, 9}, 114}, {Span{10, 12}, 114}};  // bpf_probe_read_user_str
  manifest.helper_site_word = kStateMapErrors;
  manifest.maps.clear();
  Losses losses(manifest, source, output);
  for (uint32_t site : {0u, 1u}) {
    state.store(kStateMapErrors + site * kHelperSiteWords, 20 + site);
    state.store(kStateMapErrors + site * kHelperSiteWords + 1, static_cast<uint64_t>(-14));
  }
  state.store(kStateMapErrors + kHelperSiteWords + 2, 1);  // the second one was read once
  losses.look(state);
  EXPECT_TRUE(output.told.empty());
  losses.report_totals(state);
  EXPECT_EQ(output.told, (Told{"no text could be read here in 20 attempts: Bad address"}));
}

TEST_F(LossesTest, StateStartsOnceOnly) {
  EXPECT_EQ(state.run(), RunState::Starting);
  EXPECT_TRUE(state.start());
  EXPECT_EQ(state.run(), RunState::Running);
  state.stop();
  EXPECT_FALSE(state.start());
  EXPECT_EQ(state.run(), RunState::Stopped);
}

}  // namespace
}  // namespace awl
