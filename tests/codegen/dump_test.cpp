#include <gtest/gtest.h>

#include "build.h"

namespace awl::testing {
namespace {

TEST(Dump, OneNodeALine) {
  Script s;
  uint32_t map = s.aggregate_map("x", s.i64(), s.types.aggregate(AggregateKind::Count, nullptr));
  Program &p = s.program("begin_1");
  p.locals.push_back({"$a", s.i64()});
  p.body.push_back(s.set_local(0, s.binary(Op::Add, s.helper(BPF_FUNC_ktime_get_ns), s.number(-1))));
  auto branch = make<Branch>();
  branch->condition = s.unary(Unary::Not, s.local(0, s.i64()));
  branch->then.push_back(s.update(map, s.number(5), nullptr));
  branch->otherwise.push_back(make<Leave>());
  p.body.push_back(std::move(branch));
  EXPECT_EQ(dump(s.module, s.manifest),
            "program begin_1 raw_tracepoint always_runs\n"
            "  local $a : int64\n"
            "  LocalSet $a\n"
            "    BinaryOp + : int64\n"
            "      HelperCall ktime_get_ns : uint64\n"
            "      Const -1 : int64\n"
            "  Branch\n"
            "    condition: UnaryOp ! : int64\n"
            "      LocalGet $a : int64\n"
            "    then:\n"
            "      AggregateUpdate @x count\n"
            "        key: Const 5 : int64\n"
            "    else:\n"
            "      Leave return\n");
}

}  // namespace
}  // namespace awl::testing
