#include <unistd.h>

#include <limits>

#include "loaded.h"

namespace awl::testing {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// One program that stores op(arg0, arg1) for each operator, signed and not.
TEST(Arithmetic, BinaryOperators) {
  Script s;
  Program &p = s.program();
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  auto index = [](Op op, bool is_signed) { return static_cast<int64_t>(op) * 2 + is_signed; };
  for (int op = 0; op <= static_cast<int>(Op::GreaterEqual); ++op)
    for (bool is_signed : {false, true})
      p.body.push_back(s.map_set(map, s.number(index(static_cast<Op>(op), is_signed)),
                                 s.binary(static_cast<Op>(op), s.arg(0), s.arg(1), is_signed)));
  LOAD(bpf, s);
  const int64_t values[] = {0, 1, -1, 2, 7, -7, 1000, 63, 64, 65, kMin, kMax, kMin + 1, 0x123456789abcdef};
  for (int64_t a : values)
    for (int64_t b : values) {
      auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
      bpf->run({ua, ub});
      auto expect = [&](Op op, bool is_signed, int64_t wanted) {
        ASSERT_EQ(bpf->words("r", index(op, is_signed)).at(0), static_cast<uint64_t>(wanted))
            << a << " op" << static_cast<int>(op) << (is_signed ? " signed " : " unsigned ") << b;
      };
      bool overflow = a == kMin && b == -1;
      expect(Op::Add, true, static_cast<int64_t>(ua + ub));
      expect(Op::Sub, true, static_cast<int64_t>(ua - ub));
      expect(Op::Mul, true, static_cast<int64_t>(ua * ub));
      expect(Op::Div, true, b == 0 ? 0 : overflow ? kMin : a / b);
      expect(Op::Mod, true, b == 0 ? a : overflow ? 0 : a % b);
      expect(Op::Div, false, static_cast<int64_t>(b == 0 ? 0 : ua / ub));
      expect(Op::Mod, false, static_cast<int64_t>(b == 0 ? ua : ua % ub));
      expect(Op::ShiftLeft, true, static_cast<int64_t>(ua << (ub & 63)));
      expect(Op::ShiftRight, true, a >> (ub & 63));
      expect(Op::ShiftRight, false, static_cast<int64_t>(ua >> (ub & 63)));
      expect(Op::Less, true, a < b);
      expect(Op::Less, false, ua < ub);
      expect(Op::GreaterEqual, true, a >= b);
      expect(Op::Equal, true, a == b);
      expect(Op::NotEqual, false, a != b);
    }
}

TEST(Arithmetic, ConstantDivisors) {
  Script s;
  Program &p = s.program();
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  const int64_t divisors[] = {0, 1, -1, 2, -8, 1000, 1000000007};
  int64_t key = 0;
  for (int64_t divisor : divisors)
    for (Op op : {Op::Div, Op::Mod})
      p.body.push_back(s.map_set(map, s.number(key++), s.binary(op, s.arg(0), s.number(divisor))));
  LOAD(bpf, s);
  for (int64_t a : {int64_t{0}, int64_t{12345678901}, int64_t{-12345678901}}) {
    bpf->run({static_cast<uint64_t>(a)});
    key = 0;
    for (int64_t divisor : divisors) {
      EXPECT_EQ(static_cast<int64_t>(bpf->words("r", key++).at(0)), divisor == 0 ? 0 : a / divisor);
      EXPECT_EQ(static_cast<int64_t>(bpf->words("r", key++).at(0)), divisor == 0 ? a : a % divisor);
    }
  }
}

TEST(Arithmetic, ConvertAndUnary) {
  Script s;
  Program &p = s.program();
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  int64_t key = 0;
  for (uint32_t size : {1u, 2u, 4u, 8u})
    for (bool is_signed : {false, true})
      p.body.push_back(s.map_set(map, s.number(key++), s.convert(s.types.integer(size, is_signed), s.arg(0))));
  p.body.push_back(s.map_set(map, s.number(key++), s.convert(s.types.boolean(), s.arg(0))));
  for (Unary op : {Unary::Negate, Unary::BitNot, Unary::Not})
    p.body.push_back(s.map_set(map, s.number(key++), s.unary(op, s.arg(0))));
  LOAD(bpf, s);
  for (uint64_t v : {uint64_t{0}, uint64_t{0x8899aabbccddeeff}, uint64_t{5}}) {
    bpf->run({v});
    const uint64_t wanted[] = {static_cast<uint8_t>(v),
                               static_cast<uint64_t>(static_cast<int8_t>(v)),
                               static_cast<uint16_t>(v),
                               static_cast<uint64_t>(static_cast<int16_t>(v)),
                               static_cast<uint32_t>(v),
                               static_cast<uint64_t>(static_cast<int32_t>(v)),
                               v,
                               v,
                               v != 0,
                               -v,
                               ~v,
                               v == 0};
    for (uint64_t i = 0; i < std::size(wanted); ++i) EXPECT_EQ(bpf->words("r", i).at(0), wanted[i]) << i;
  }
}

// The right side of && and || is evaluated only where it decides; its effects show whether it was.
TEST(Arithmetic, ShortCircuit) {
  Script s;
  Program &p = s.program();
  uint32_t result = s.plain_map("r", s.i64(), s.i64());
  p.locals.push_back({"$n", s.i64()});
  int64_t key = 0;
  for (bool is_and : {true, false}) {
    auto right = make<LocalAdd>(s.i64());
    right->local = 0;
    right->give_old = false;
    auto logical = make<LogicalOp>(s.i64());
    logical->is_and = is_and;
    logical->left = s.arg(0);
    logical->right = std::move(right);
    p.body.push_back(s.map_set(result, s.number(key++), std::move(logical)));
    p.body.push_back(s.map_set(result, s.number(key++), s.local(0, s.i64())));
  }
  LOAD(bpf, s);
  bpf->run({0});
  for (auto [k, v] : {std::pair{0, 0}, {1, 0}, {2, 1}, {3, 1}})
    EXPECT_EQ(bpf->words("r", k).at(0), static_cast<uint64_t>(v)) << k;
  bpf->run({9});
  for (auto [k, v] : {std::pair{0, 1}, {1, 1}, {2, 1}, {3, 1}})
    EXPECT_EQ(bpf->words("r", k).at(0), static_cast<uint64_t>(v)) << k;
}

TEST(Arithmetic, SelectAndBranches) {
  Script s;
  Program &p = s.program();
  uint32_t x = s.plain_map("x", nullptr, s.i64());
  uint32_t y = s.plain_map("y", nullptr, s.i64());
  auto select = make<Select>(s.i64());
  select->condition = s.binary(Op::Greater, s.arg(0), s.number(10));
  select->then = s.number(1);
  select->otherwise = s.number(-1);
  p.body.push_back(s.map_set(x, nullptr, std::move(select)));
  auto branch = make<Branch>();
  branch->condition = s.unary(Unary::Not, s.arg(0));
  branch->then.push_back(s.map_set(y, nullptr, s.number(100)));
  auto leave = make<Leave>();
  leave->what = LeaveKind::Return;
  branch->then.push_back(std::move(leave));
  branch->otherwise.push_back(s.map_set(y, nullptr, s.number(200)));
  p.body.push_back(std::move(branch));
  p.body.push_back(s.map_set(x, nullptr, s.number(5)));
  LOAD(bpf, s);
  bpf->run({0});
  EXPECT_EQ(static_cast<int64_t>(bpf->scalar("x")), -1);
  EXPECT_EQ(bpf->scalar("y"), 100u);
  bpf->run({11});
  EXPECT_EQ(bpf->scalar("x"), 5u);
  EXPECT_EQ(bpf->scalar("y"), 200u);
}

TEST(Arithmetic, LoopBreakContinue) {
  Script s;
  Program &p = s.program();
  uint32_t x = s.plain_map("x", nullptr, s.i64());
  p.locals = {{"$i", s.i64()}, {"$sum", s.i64()}};
  auto i = [&] { return s.local(0, s.i64()); };
  auto when = [&](ValuePtr condition, LeaveKind what) {
    auto branch = make<Branch>();
    branch->condition = std::move(condition);
    auto leave = make<Leave>();
    leave->what = what;
    branch->then.push_back(std::move(leave));
    return branch;
  };
  auto loop = make<Loop>();
  loop->condition = s.binary(Op::Less, i(), s.number(100));
  loop->body.push_back(s.set_local(0, s.binary(Op::Add, i(), s.number(1))));
  loop->body.push_back(
      when(s.binary(Op::Equal, s.binary(Op::And, i(), s.number(1)), s.number(1)), LeaveKind::Continue));
  loop->body.push_back(when(s.binary(Op::Greater, i(), s.number(10)), LeaveKind::Break));
  loop->body.push_back(s.set_local(1, s.binary(Op::Add, s.local(1, s.i64()), i())));
  p.body.push_back(std::move(loop));
  p.body.push_back(s.map_set(x, nullptr, s.local(1, s.i64())));
  LOAD(bpf, s);
  bpf->run();
  EXPECT_EQ(bpf->scalar("x"), 30u);
}

}  // namespace
}  // namespace awl::testing
