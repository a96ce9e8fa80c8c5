#include <unistd.h>

#include "codegen/codegen.h"
#include "loaded.h"

namespace awl::testing {
namespace {

std::unique_ptr<ForRange> range(ValuePtr turns) {
  auto loop = make<ForRange>();
  loop->turns = std::move(turns);
  return loop;
}

StepPtr leave(LeaveKind what) {
  auto step = make<Leave>();
  step->what = what;
  return step;
}

StepPtr branch(ValuePtr condition, StepPtr then) {
  auto step = make<Branch>();
  step->condition = std::move(condition);
  step->then.push_back(std::move(then));
  return step;
}

ValuePtr index(Script &s) { return make<LoopIndex>(s.i64()); }

// The verifier before Linux 6.7 looks at one turn only: had it seen $n, it would have taken what stands behind the loop
// for dead.
TEST(Loops, VariableOfTheProbe) {
  Script s;
  uint32_t map = s.plain_map("r", nullptr, s.i64());
  Program &p = s.program();
  p.locals.push_back({"$n", s.i64()});
  p.body.push_back(s.set_local(0, s.number(0)));
  auto loop = range(s.arg(0, s.u64()));
  loop->body.push_back(s.set_local(0, s.binary(Op::Add, s.local(0, s.i64()), index(s))));
  p.body.push_back(std::move(loop));
  p.body.push_back(s.map_set(map, nullptr, s.local(0, s.i64())));
  LOAD(bpf, s);
  for (uint64_t turns : {0, 1, 2, 1000}) {
    bpf->run({turns});
    EXPECT_EQ(bpf->scalar("r"), turns == 0 ? 0 : turns * (turns - 1) / 2) << turns;
  }
}

// A loop that always leaves, unless it makes no turn.
TEST(Loops, ReturnLeavesTheProgram) {
  Script s;
  uint32_t map = s.plain_map("r", nullptr, s.i64());
  Program &p = s.program();
  p.body.push_back(s.map_set(map, nullptr, s.number(1)));
  auto outer = range(s.arg(0, s.u64()));
  auto inner = range(s.arg(1, s.u64()));
  inner->body.push_back(leave(LeaveKind::Return));
  outer->body.push_back(std::move(inner));
  outer->body.push_back(s.map_set(map, nullptr, s.number(2)));
  p.body.push_back(std::move(outer));
  p.body.push_back(s.map_set(map, nullptr, s.number(3)));
  LOAD(bpf, s);
  bpf->run({0, 1});
  EXPECT_EQ(bpf->scalar("r"), 3u);
  bpf->run({1, 0});
  EXPECT_EQ(bpf->scalar("r"), 3u);
  bpf->run({1, 1});
  EXPECT_EQ(bpf->scalar("r"), 1u);
}

TEST(Loops, BreakAndContinue) {
  Script s;
  uint32_t map = s.aggregate_map("c", s.i64(), s.types.aggregate(AggregateKind::Count, nullptr));
  Program &p = s.program();
  auto loop = range(s.number(10, s.u64()));
  loop->body.push_back(branch(s.binary(Op::Equal, index(s), s.arg(0)), leave(LeaveKind::Continue)));
  loop->body.push_back(branch(s.binary(Op::Equal, index(s), s.arg(1)), leave(LeaveKind::Break)));
  loop->body.push_back(s.update(map, index(s), nullptr));
  p.body.push_back(std::move(loop));
  LOAD(bpf, s);
  bpf->run({1, 4});
  for (uint64_t key = 0; key < 10; ++key) EXPECT_EQ(bpf->words("c", key).empty(), key == 1 || key >= 4) << key;
}

// Values of a per-CPU map are merged; arguments of the program are at hand inside of the loop.
TEST(Loops, OverAggregates) {
  Script s;
  uint32_t counts = s.aggregate_map("c", s.i64(), s.types.aggregate(AggregateKind::Count, nullptr));
  uint32_t result = s.plain_map("r", s.i64(), s.i64());
  Program &p = s.program();
  p.body.push_back(s.update(counts, s.arg(0), nullptr));
  auto loop = make<ForMap>();
  loop->map = counts;
  loop->body.push_back(
      s.map_set(result, make<LoopKey>(s.i64()), s.binary(Op::Add, make<LoopValue>(s.i64()), s.arg(1))));
  p.body.push_back(std::move(loop));
  LOAD(bpf, s);
  bpf->run({7, 0});
  bpf->run({7, 0});
  bpf->run({8, 100});
  EXPECT_EQ(bpf->words("r", 7), std::vector<uint64_t>{102});
  EXPECT_EQ(bpf->words("r", 8), std::vector<uint64_t>{101});
}

// Memory that the loop shares with what is around it does not overlap with what either uses for itself.
TEST(Loops, LargeValues) {
  Script s;
  const Type *text = s.types.string(200);
  uint32_t seen = s.plain_map("s", s.i64(), text);
  Program &p = s.program();
  p.locals.push_back({"$outer", text});
  p.locals.push_back({"$inner", text});
  p.body.push_back(s.set_local(0, s.bytes("outer", text)));
  auto loop = range(s.number(2, s.u64()));
  loop->body.push_back(s.set_local(1, s.bytes("inner", text)));
  loop->body.push_back(s.map_set(seen, index(s), s.local(0, text)));
  loop->body.push_back(s.map_set(seen, s.number(2), s.local(1, text)));
  loop->body.push_back(branch(s.binary(Op::Equal, index(s), s.number(0)), s.set_local(0, s.bytes("changed", text))));
  p.body.push_back(std::move(loop));
  LOAD(bpf, s);
  bpf->run();
  auto shown = [&](uint64_t key) { return std::string(reinterpret_cast<const char *>(bpf->words("s", key).data())); };
  EXPECT_EQ(shown(0), "outer");
  EXPECT_EQ(shown(1), "changed");
  EXPECT_EQ(shown(2), "inner");
}

TEST(Loops, NestedTooDeep) {
  Script s;
  Program &p = s.program();
  Steps *body = &p.body;
  for (int i = 0; i < 8; ++i) {
    auto loop = range(s.number(1, s.u64()));
    Steps *next = &loop->body;
    body->push_back(std::move(loop));
    body = next;
  }
  Diagnostics diagnostics;
  EXPECT_FALSE(emit(s.module, s.manifest, Source("test.awl", s.text), {}, diagnostics));
  ASSERT_EQ(diagnostics.error_count(), 1u);
  EXPECT_EQ(diagnostics.all()[0].info->code, "E0510");
}

}  // namespace
}  // namespace awl::testing
