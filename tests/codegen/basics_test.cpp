#include <unistd.h>

#include "loaded.h"

namespace awl::testing {
namespace {

TEST(Basics, CountWithoutKey) {
  Script s;
  uint32_t map = s.aggregate_map("", nullptr, s.types.aggregate(AggregateKind::Count, nullptr));
  s.program().body.push_back(s.update(map, nullptr, nullptr));
  LOAD(bpf, s);
  for (int i = 0; i < 5; ++i) bpf->run();
  EXPECT_EQ(bpf->scalar(""), 5u);
}

TEST(Basics, CountByKey) {
  Script s;
  uint32_t map = s.aggregate_map("c", s.i64(), s.types.aggregate(AggregateKind::Count, nullptr));
  s.program().body.push_back(s.update(map, s.arg(0), nullptr));
  LOAD(bpf, s);
  for (uint64_t i = 0; i < 10; ++i) bpf->run({i % 3});
  EXPECT_EQ(bpf->words("c", 0), std::vector<uint64_t>{4});
  EXPECT_EQ(bpf->words("c", 2), std::vector<uint64_t>{3});
  EXPECT_TRUE(bpf->words("c", 3).empty());
}

TEST(Basics, FullMapIsCounted) {
  Script s;
  uint32_t map = s.aggregate_map("c", s.i64(), s.types.aggregate(AggregateKind::Count, nullptr), 2);
  uint32_t plain = s.plain_map("p", s.i64(), s.i64(), 2);
  Program &p = s.program();
  p.body.push_back(s.update(map, s.arg(0), nullptr));
  p.body.push_back(s.map_set(plain, s.arg(0), s.number(1)));
  LOAD(bpf, s);
  for (uint64_t i = 0; i < 100; ++i) bpf->run({i});
  EXPECT_GT(bpf->state(kStateMapErrors + kMapErrorWords * map), 0u);
  EXPECT_GT(bpf->state(kStateMapErrors + kMapErrorWords * plain), 0u);
}

TEST(Basics, ScalarMapSetGetRemove) {
  Script s;
  uint32_t x = s.plain_map("x", nullptr, s.i64());
  uint32_t y = s.plain_map("y", nullptr, s.i64());
  Program &set = s.program("set");
  set.body.push_back(s.map_set(x, nullptr, s.arg(0)));
  Program &get = s.program("get");
  get.body.push_back(s.map_set(y, nullptr, s.binary(Op::Add, s.map_get(x, nullptr), s.number(1))));
  Program &remove = s.program("remove");
  auto removed = make<MapRemove>(s.i64());
  removed->map = x;
  remove.body.push_back(s.map_set(y, nullptr, std::move(removed)));
  LOAD(bpf, s);
  uint32_t zero = 0;
  EXPECT_EQ(bpf->words_at("x", &zero), (std::vector<uint64_t>{0, 0}));
  bpf->run({41}, "set");
  EXPECT_EQ(bpf->words_at("x", &zero), (std::vector<uint64_t>{41, 1}));
  bpf->run({}, "get");
  EXPECT_EQ(bpf->scalar("y"), 42u);
  bpf->run({}, "remove");
  EXPECT_EQ(bpf->scalar("y"), 1u);
  bpf->run({}, "remove");
  EXPECT_EQ(bpf->scalar("y"), 0u);
}

TEST(Basics, Record) {
  Script s;
  uint32_t action = s.action(ActionKind::Printf, {s.i64(), s.types.integer(4, true), s.types.string(16)});
  auto emit = make<Emit>();
  emit->action = action;
  emit->args.push_back(s.arg(0));
  emit->args.push_back(s.convert(s.types.integer(4, true), s.arg(1)));
  emit->args.push_back(s.bytes("hello", s.types.string(16)));
  s.program().body.push_back(std::move(emit));
  LOAD(bpf, s);
  bpf->set_state(kStateNeedWakeup, 1);
  bpf->run({7, 8});
  EXPECT_EQ(bpf->state(kStateNeedWakeup), 0u);
  auto records = bpf->records();
  ASSERT_EQ(records.size(), 1u);
  ASSERT_GE(records[0].size(), 40u);
  EXPECT_EQ(*reinterpret_cast<const uint32_t *>(records[0].data()), action);
  EXPECT_EQ(*reinterpret_cast<const uint64_t *>(records[0].data() + 8), 7u);
  EXPECT_EQ(*reinterpret_cast<const uint32_t *>(records[0].data() + 16), 8u);
  EXPECT_STREQ(records[0].data() + 24, "hello");
}

TEST(Basics, LostRecordsAreCounted) {
  Script s;
  s.manifest.config.ring_buffer_bytes = 4096;
  auto emit = make<Emit>();
  emit->action = s.action(ActionKind::Print, {s.types.string(64)});
  emit->args.push_back(s.bytes("x", s.types.string(64)));
  s.program().body.push_back(std::move(emit));
  LOAD(bpf, s);
  for (int i = 0; i < 100; ++i) bpf->run();
  size_t kept = bpf->records().size();
  EXPECT_EQ(bpf->state(kStateLostEvents) + kept, 100u);
}

TEST(Basics, StopAndRunState) {
  Script s;
  uint32_t x = s.plain_map("x", nullptr, s.i64());
  Program &p = s.program();
  p.always_runs = false;
  p.body.push_back(s.map_set(x, nullptr, s.binary(Op::Add, s.map_get(x, nullptr), s.number(1))));
  p.body.push_back(make<Stop>());
  LOAD(bpf, s);
  bpf->run();
  EXPECT_EQ(bpf->scalar("x"), 0u);
  bpf->set_state(kStateRun, static_cast<uint64_t>(RunState::Running));
  bpf->run();
  bpf->run();
  EXPECT_EQ(bpf->scalar("x"), 1u);
  EXPECT_EQ(bpf->state(kStateRun), static_cast<uint64_t>(RunState::Stopped));
}

}  // namespace
}  // namespace awl::testing
