#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

// Both spellings must give the same tree.
void same(const char *a, const char *b) { EXPECT_EQ(tree(a), tree(b)) << a; }

TEST(Precedence, RisesAsDocumented) {
  same("$a ? $b : $c || $d", "$a ? $b : ($c || $d)");
  same("$a || $b && $c", "$a || ($b && $c)");
  same("$a && $b | $c", "$a && ($b | $c)");
  same("$a | $b ^ $c", "$a | ($b ^ $c)");
  same("$a ^ $b & $c", "$a ^ ($b & $c)");
  same("$a & $b == $c", "$a & ($b == $c)");
  same("$a == $b < $c", "$a == ($b < $c)");
  same("$a < $b << $c", "$a < ($b << $c)");
  same("$a << $b + $c", "$a << ($b + $c)");
  same("$a + $b * $c", "$a + ($b * $c)");
  same("$a * -$b", "$a * (-$b)");
  same("-$a.b", "-($a.b)");
  same("!$a++", "!($a++)");
  same("*$p->f", "*($p->f)");
  same("(uint64)$x.y", "(uint64)($x.y)");
  same("(uint64)$x + 1", "((uint64)$x) + 1");
}

TEST(Precedence, Associates) {
  same("$a - $b - $c", "($a - $b) - $c");
  same("$a / $b % $c", "($a / $b) % $c");
  same("$a ? $b : $c ? $d : $e", "$a ? $b : ($c ? $d : $e)");
  same("$a ?: $b ?: $c", "$a ?: ($b ?: $c)");
  same("$a ? $b ? 1 : 2 : 3", "$a ? ($b ? 1 : 2) : 3");
}

TEST(Expressions, Elvis) {
  EXPECT_EQ(tree("$a ?: 1"), "(Conditional ?: (Variable $a) (IntegerLiteral 1))");
  same("$a ? : 1", "$a ?: 1");
}

TEST(Expressions, Postfix) {
  EXPECT_EQ(tree("args->x"), "(FieldAccess ->x (Identifier args))");
  EXPECT_EQ(tree("$kv.0.1"), "(FieldAccess .1 (FieldAccess .0 (Variable $kv)))");
  EXPECT_EQ(tree("$p[1].for"), "(FieldAccess .for (Index (Variable $p) (IntegerLiteral 1)))");
  EXPECT_EQ(tree("--@x"), "(IncDec prefix -- (MapAccess @x))");
  EXPECT_EQ(tree("config.max_strlen"), "(FieldAccess .max_strlen (Identifier config))");
  EXPECT_EQ(tree("&@m"), "(Unary & (MapAccess @m))");
}

TEST(Expressions, Maps) {
  EXPECT_EQ(tree("@"), "(MapAccess @)");
  EXPECT_EQ(tree("@[1, comm]"), "(MapAccess @ (IntegerLiteral 1) (Identifier comm))");
  EXPECT_EQ(tree("@a[1][2]"), "(Index (MapAccess @a (IntegerLiteral 1)) (IntegerLiteral 2))");
  EXPECT_EQ(tree("@a[(1, 2)]"), "(MapAccess @a (TupleExpr (IntegerLiteral 1) (IntegerLiteral 2)))");
}

TEST(Expressions, TuplesAndRecords) {
  EXPECT_EQ(tree("()"), "(TupleExpr)");
  EXPECT_EQ(tree("(1,)"), "(TupleExpr (IntegerLiteral 1))");
  EXPECT_EQ(tree("(1)"), "(IntegerLiteral 1)");
  EXPECT_EQ(tree("(1, 2,)"), "(TupleExpr (IntegerLiteral 1) (IntegerLiteral 2))");
  EXPECT_EQ(tree("(a=1, b=(c=2,),)"), "(RecordExpr a b (IntegerLiteral 1) (RecordExpr c (IntegerLiteral 2)))");
}

TEST(Expressions, Calls) {
  EXPECT_EQ(tree("f()"), "(Call f)");
  EXPECT_EQ(tree("kstack(perf, 3)"), "(Call kstack (Identifier perf) (IntegerLiteral 3))");
  EXPECT_EQ(tree("delete(@m[1])"), "(Call delete (MapAccess @m (IntegerLiteral 1)))");
}

TEST(Expressions, Blocks) {
  EXPECT_EQ(tree("{ let $a = 1; $a + 1 }"),
            "(BlockExpr (Block (Let (Variable $a) (IntegerLiteral 1))) (Binary + (Variable $a) (IntegerLiteral 1)))");
  EXPECT_EQ(tree("{ 1 }"), "(IntegerLiteral 1)");
  EXPECT_EQ(tree("1 + if ($a) { 1 } else if ($b) { 2 } else { 3 }"),
            "(Binary + (IntegerLiteral 1) (Conditional (Variable $a) (IntegerLiteral 1) "
            "(Conditional (Variable $b) (IntegerLiteral 2) (IntegerLiteral 3))))");
  EXPECT_EQ(tree("{ let $a = 1; }"), "error: this block is used as a value but does not end with an expression");
}

TEST(Casts, KnownTypes) {
  EXPECT_EQ(tree("(uint64)$x"), "(Cast uint64 (Variable $x))");
  EXPECT_EQ(tree("(int8)-1"), "(Cast int8 (Unary - (IntegerLiteral 1)))");
  EXPECT_EQ(tree("(uint8[8])$x"), "(Cast uint8[8] (Variable $x))");
  EXPECT_EQ(tree("(string[4])\"a\""), "(Cast string[4] (StringLiteral \"a\"))");
  EXPECT_EQ(tree("(struct a *)arg0"), "(Cast struct a* (Identifier arg0))");
  EXPECT_EQ(tree("(enum e)1"), "(Cast enum e (IntegerLiteral 1))");
  EXPECT_EQ(tree("(typeof($x))1"), "(Cast typeof (Variable $x) (IntegerLiteral 1))");
  EXPECT_EQ(tree("(typeof(struct s *))1"), "(Cast struct s* (IntegerLiteral 1))");
  EXPECT_EQ(tree("(const char *)arg0"), "(Cast char* (Identifier arg0))");
  EXPECT_EQ(tree("(void **)&$x"), "(Cast void** (Unary & (Variable $x)))");
}

TEST(Casts, CIntegersHaveOneName) {
  EXPECT_EQ(tree("(unsigned int)1"), "(Cast unsigned int (IntegerLiteral 1))");
  EXPECT_EQ(tree("(unsigned)1"), "(Cast unsigned int (IntegerLiteral 1))");
  EXPECT_EQ(tree("(long unsigned int)1"), "(Cast unsigned long (IntegerLiteral 1))");
  EXPECT_EQ(tree("(long long int)1"), "(Cast long long (IntegerLiteral 1))");
  EXPECT_EQ(tree("(short int)1"), "(Cast short (IntegerLiteral 1))");
  EXPECT_EQ(tree("(signed char)1"), "(Cast signed char (IntegerLiteral 1))");
}

TEST(Casts, NamesDependOnWhatFollows) {
  EXPECT_EQ(tree("(pid) - 1"), "(Binary - (Identifier pid) (IntegerLiteral 1))");
  EXPECT_EQ(tree("(pid) * 2"), "(Binary * (Identifier pid) (IntegerLiteral 2))");
  EXPECT_EQ(tree("(cpu) & 1"), "(Binary & (Identifier cpu) (IntegerLiteral 1))");
  EXPECT_EQ(tree("(pid)"), "(Identifier pid)");
  EXPECT_EQ(tree("(size_t)arg1"), "(Cast size_t (Identifier arg1))");
  EXPECT_EQ(tree("(size_t)-1"), "(Cast size_t (Unary - (IntegerLiteral 1)))");
  EXPECT_EQ(tree("(u32)*$p"), "(Cast u32 (Unary * (Variable $p)))");
  EXPECT_EQ(tree("(mytype)arg1"), "(Cast mytype (Identifier arg1))");
  EXPECT_EQ(tree("(mytype)(1)"), "(Cast mytype (IntegerLiteral 1))");
  EXPECT_EQ(tree("(mytype *)*$p"), "(Cast mytype* (Unary * (Variable $p)))");
  EXPECT_EQ(tree("(pid * tid)"), "(Binary * (Identifier pid) (Identifier tid))");
  EXPECT_EQ(tree("f((pid))"), "(Call f (Identifier pid))");
  EXPECT_EQ(tree("(nsecs - $x) / 1000"),
            "(Binary / (Binary - (Identifier nsecs) (Variable $x)) (IntegerLiteral 1000))");
}

TEST(Casts, Nested) {
  EXPECT_EQ(tree("((struct sock *)arg0)->sk"), "(FieldAccess ->sk (Cast struct sock* (Identifier arg0)))");
  EXPECT_EQ(tree("*(uint64 *)$p"), "(Unary * (Cast uint64* (Variable $p)))");
  EXPECT_EQ(tree("(uint8)(uint64)1"), "(Cast uint8 (Cast uint64 (IntegerLiteral 1)))");
}

TEST(Sizes, TypesAndExpressions) {
  EXPECT_EQ(tree("sizeof(uint64)"), "(SizeOf uint64)");
  EXPECT_EQ(tree("sizeof(struct a)"), "(SizeOf struct a)");
  EXPECT_EQ(tree("sizeof(foo *)"), "(SizeOf foo*)");
  EXPECT_EQ(tree("sizeof(foo)"), "(SizeOf (Identifier foo))");
  EXPECT_EQ(tree("sizeof($x)"), "(SizeOf (Variable $x))");
  EXPECT_EQ(tree("sizeof(*$x)"), "(SizeOf (Unary * (Variable $x)))");
  EXPECT_EQ(tree("offsetof(struct a, b.c)"), "(OffsetOf struct a .b.c)");
  EXPECT_EQ(tree("offsetof(*$x, b)"), "(OffsetOf .b (Unary * (Variable $x)))");
  EXPECT_EQ(tree("comptime sizeof(int)"), "(Comptime (SizeOf int))");
}

TEST(Expressions, OneAlone) {
  EXPECT_EQ(tree("1 2"), "error: unexpected `2`, expected the end");
  EXPECT_EQ(tree(""), "error: unexpected end of script, expected an expression");
  EXPECT_EQ(tree("(1 << 3) | FLAG"), "(Binary | (Binary << (IntegerLiteral 1) (IntegerLiteral 3)) (Identifier FLAG))");
}

TEST(Expressions, SpansCoverTheirText) {
  Parsed parsed = parse_text("BEGIN { $x = f(1) + @m[2]->a; }");
  auto *sum = ast::as<ast::Binary>(first_expr(parsed.program));
  ASSERT_TRUE(sum);
  EXPECT_EQ(parsed.source.text(sum->span), "f(1) + @m[2]->a");
  EXPECT_EQ(parsed.source.text(sum->left->span), "f(1)");
  EXPECT_EQ(parsed.source.text(sum->right->span), "@m[2]->a");
  EXPECT_EQ(parsed.source.text(ast::as<ast::FieldAccess>(sum->right)->name_span), "a");
}

TEST(Depth, IsLimitedWithoutCrash) {
  auto repeat = [](const std::string &text, size_t n) {
    std::string out;
    for (size_t i = 0; i < n; i++) out += text;
    return out;
  };
  auto code = [](const std::string &body) { return parse_text("BEGIN { " + body + " }").first_error(); };
  EXPECT_NE(code("$x = " + repeat("(", 5000) + "1" + repeat(")", 5000) + ";").find("E0108"), std::string::npos);
  EXPECT_NE(code("$x = " + repeat("-", 50001) + "1;").find("E0108"), std::string::npos);
  EXPECT_NE(code("$x = " + repeat("1+", 50000) + "1;").find("E0108"), std::string::npos);
  EXPECT_NE(code("$x = " + repeat("1?1:", 20000) + "1;").find("E0108"), std::string::npos);
  EXPECT_NE(code(repeat("{", 5000) + repeat("}", 5000)).find("E0108"), std::string::npos);
  EXPECT_NE(code(repeat("if (1) {} else ", 5000) + "{}").find("E0108"), std::string::npos);
  EXPECT_EQ(code("$x = " + repeat("(", 150) + "1" + repeat(")", 150) + ";"), "");
  EXPECT_EQ(code("$x = " + repeat("1 || ", 500) + "1;"), "");
}

}  // namespace
}  // namespace awl
