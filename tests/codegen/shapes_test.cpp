// How long the usual programs are, in instructions: a limit for each, so that growth is noticed. With
// AWL_KEEP_OBJECT=FILE the object of a test is kept for llvm-objdump.
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "codegen/codegen.h"
#include "loaded.h"

namespace awl::testing {
namespace {

void limit(const Script &s, int most) {
  LOAD(bpf, s);
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) {
    auto start = std::chrono::steady_clock::now();
    compile(s);
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  printf("    %d instructions, compiled in %.2f ms (least %.2f)\n", bpf->instructions(), times[10], times[0]);
  EXPECT_LE(bpf->instructions(), most);
}

TEST(Shapes, Count) {
  Script s;
  uint32_t map = s.aggregate_map("", nullptr, s.types.aggregate(AggregateKind::Count, nullptr));
  Program &p = s.program();
  p.always_runs = false;
  p.body.push_back(s.update(map, nullptr, nullptr));
  limit(s, 30);
}

TEST(Shapes, CountByComm) {
  Script s;
  const Type *name = s.types.string(16);
  uint32_t map = s.aggregate_map("", name, s.types.aggregate(AggregateKind::Count, nullptr));
  Program &p = s.program();
  p.always_runs = false;
  p.body.push_back(s.update(map, make<Comm>(name), nullptr));
  limit(s, 60);
}

TEST(Shapes, Hist) {
  Script s;
  uint32_t map = s.aggregate_map("", nullptr, s.types.hist(s.i64(), 0));
  Program &p = s.program();
  p.always_runs = false;
  p.body.push_back(s.update(map, nullptr, s.arg(0)));
  limit(s, 80);
}

TEST(Shapes, Min) {
  Script s;
  uint32_t map = s.aggregate_map("", nullptr, s.types.aggregate(AggregateKind::Min, s.i64()));
  Program &p = s.program();
  p.always_runs = false;
  p.body.push_back(s.update(map, nullptr, s.arg(0)));
  limit(s, 70);
}

TEST(Shapes, CompareComm) {
  Script s;
  const Type *name = s.types.string(16);
  uint32_t map = s.aggregate_map("", nullptr, s.types.aggregate(AggregateKind::Count, nullptr));
  Program &p = s.program();
  p.always_runs = false;
  auto branch = make<Branch>();
  branch->condition = s.binary(Op::Equal, s.compare(make<Comm>(name), s.bytes("cat", name), 16, true), s.number(0));
  branch->then.push_back(s.update(map, nullptr, nullptr));
  p.body.push_back(std::move(branch));
  limit(s, 50);
}

TEST(Shapes, Printf) {
  Script s;
  auto emit = make<Emit>();
  emit->action = s.action(ActionKind::Printf, {s.types.string(16), s.u64(), s.i64()});
  emit->args.push_back(make<Comm>(s.types.string(16)));
  emit->args.push_back(s.binary(Op::ShiftRight, s.helper(BPF_FUNC_get_current_pid_tgid), s.number(32), false));
  emit->args.push_back(s.arg(0));
  Program &p = s.program();
  p.always_runs = false;
  p.body.push_back(std::move(emit));
  limit(s, 70);
}

TEST(Shapes, Latency) {
  Script s;
  uint32_t starts = s.plain_map("s", s.u64(), s.u64());
  uint32_t hist = s.aggregate_map("h", nullptr, s.types.hist(s.i64(), 0));
  auto tid = [&] { return s.convert(s.types.integer(4, false), s.helper(BPF_FUNC_get_current_pid_tgid)); };
  Program &p = s.program();
  p.always_runs = false;
  auto branch = make<Branch>();
  branch->condition = s.map_get(starts, tid());
  branch->then.push_back(
      s.update(hist, nullptr, s.binary(Op::Sub, s.helper(BPF_FUNC_ktime_get_ns), s.map_get(starts, tid()), false)));
  auto remove = make<MapRemove>(s.types.boolean());
  remove->map = starts;
  remove->key = tid();
  branch->then.push_back(s.evaluate(std::move(remove)));
  p.body.push_back(std::move(branch));
  limit(s, 130);
}

}  // namespace
}  // namespace awl::testing
