#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

// The tree of `$x = <expression>;` in a probe, after `lines` of preprocessor.
std::string value(const std::string &lines, const std::string &expression, const ParseOptions &options = {}) {
  Parsed parsed = parse_text(lines + "\nBEGIN { $x = " + expression + "; }", options);
  if (!parsed.diagnostics.empty()) return "error: " + parsed.errors()[0];
  std::string out;
  for (char c : ast::dump(first_expr(parsed.program))) {
    if (c == '\n') c = ' ';
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  out.pop_back();
  return out;
}

// Whether the branch with `yes` is read.
bool taken(const std::string &condition, const ParseOptions &options = {}) {
  Parsed parsed = parse_text(condition + "\nkprobe:yes { 1 }\n#else\nkprobe:no { 1 }\n#endif", options);
  EXPECT_EQ(parsed.errors(), std::vector<std::string>()) << condition;
  EXPECT_EQ(parsed.program.probes.size(), 1U);
  return parsed.program.probes[0].attach_points[0].text == "kprobe:yes";
}

TEST(Include, IsRecorded) {
  Parsed parsed = parse_text("#include <linux/sched.h>\n  # include \"net/my.h\" // mine\nBEGIN { 1 }");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  ASSERT_EQ(parsed.program.includes.size(), 2U);
  EXPECT_EQ(parsed.program.includes[0].path, "linux/sched.h");
  EXPECT_EQ(parsed.program.includes[1].path, "net/my.h");
  EXPECT_EQ(parsed.source.text(parsed.program.includes[0].span), "#include <linux/sched.h>");
  EXPECT_EQ(parse_text("#include linux").first_error(), "1:1 E0107 cannot handle `#include`: a <header> must follow");
}

TEST(Define, Objects) {
  EXPECT_EQ(value("#define A 1", "A"), "(IntegerLiteral 1)");
  EXPECT_EQ(value("#define A 1 + 2 // three\n#define B A * 3", "B"), value("", "1 + 2 * 3"));  // text, not values
  EXPECT_EQ(value("#define A (1 \\\n  + 2)", "A"), value("", "(1 + 2)"));
  EXPECT_EQ(value("#define A \"text\"", "A"), "(StringLiteral \"text\")");
  EXPECT_EQ(value("#define A pid", "A == $1"), "(Binary == (Identifier pid) (PositionalParam $1))");
  EXPECT_EQ(value("#define A 1\n#undef A", "A"), "(Identifier A)");
  EXPECT_EQ(value("#define A 1\n#define A 2", "A"), "(IntegerLiteral 2)");
}

TEST(Define, DoesNotTouchOtherWords) {
  EXPECT_EQ(value("#define x 1", "$x + @x"), "(Binary + (Variable $x) (MapAccess @x))");
  EXPECT_EQ(value("#define x 1", "\"x\""), "(StringLiteral \"x\")");
  Parsed parsed = parse_text("#define f g\nkprobe:f { 1 }");
  EXPECT_EQ(parsed.program.probes[0].attach_points[0].text, "kprobe:f");
}

TEST(Define, RecursionEnds) {
  EXPECT_EQ(value("#define A A", "A"), "(Identifier A)");
  EXPECT_EQ(value("#define A B\n#define B A", "A"), "(Identifier A)");
  EXPECT_EQ(value("#define F(x) F(x)", "F(1)"), "(Call F (IntegerLiteral 1))");
}

TEST(Define, DoublingEnds) {
  std::string lines = "#define A0\n";
  for (int i = 1; i < 60; i++) lines += fmt::format("#define A{} A{} A{}\n", i, i - 1, i - 1);
  EXPECT_NE(value(lines, "A59").find("E0107"), std::string::npos);
  lines.clear();
  for (int i = 1; i < 1000; i++) lines += fmt::format("#define A{} A{}\n", i, i - 1);
  EXPECT_NE(value(lines, "A999").find("E0108"), std::string::npos);
}

TEST(Define, Functions) {
  EXPECT_EQ(value("#define MAX(a, b) ((a) > (b) ? (a) : (b))", "MAX(1, f(2, 3))"),
            value("", "((1) > (f(2, 3)) ? (1) : (f(2, 3)))"));
  EXPECT_EQ(value("#define F() 7", "F()"), "(IntegerLiteral 7)");
  EXPECT_EQ(value("#define F(a) a\n#define G(a) F(a) + F(2)", "G(1)"), value("", "1 + 2"));
  EXPECT_EQ(value("#define F(a) a", "F"), "(Identifier F)");
  EXPECT_EQ(value("#define F(a) a", "F(1, 2)"), "error: 2:14 E0107 cannot handle `F`: it takes 1 argument and got 2");
  EXPECT_EQ(value("#define F (1)", "F"), "(IntegerLiteral 1)");
}

TEST(Define, SpansAreTheUse) {
  Parsed parsed = parse_text("#define SUM 1 + $y\nBEGIN { $x = SUM; }");
  auto *sum = ast::as<ast::Binary>(first_expr(parsed.program));
  ASSERT_TRUE(sum);
  EXPECT_EQ(parsed.source.text(sum->span), "SUM");
  EXPECT_EQ(parsed.source.text(sum->right->span), "SUM");
  Parsed call = parse_text("#define F(a) a * 2\nBEGIN { $x = F(3 + $y); }");
  EXPECT_EQ(call.source.text(first_expr(call.program)->span), "F(3 + $y)");
}

TEST(Define, OffsetsOfLaterTextAreKept) {
  Parsed parsed = parse_text("#define LONG 1 + 1 + 1 + 1 + 1\n#if 0\nleft out\n#endif\nBEGIN { $x = LONG; $y = ; }");
  EXPECT_EQ(parsed.errors(), std::vector<std::string>{"5:25 E0101 unexpected `;`, expected an expression"});
}

TEST(If, Names) {
  EXPECT_TRUE(taken("#define A\n#ifdef A"));
  EXPECT_FALSE(taken("#ifdef A"));
  EXPECT_TRUE(taken("#ifndef A"));
  ParseOptions options;
  options.defines = {"BPFTRACE_HAVE_BTF", "LEVEL=3"};
  EXPECT_FALSE(taken("#ifndef BPFTRACE_HAVE_BTF", options));
  EXPECT_TRUE(taken("#if LEVEL == 3 && defined(BPFTRACE_HAVE_BTF)", options));
}

TEST(If, Expressions) {
  for (const char *yes :
       {"1", "!0", "defined(A) || 1", "!defined A", "2 * 3 == 6", "(1 << 4) > 15 && ~0", "-1 < 0", "0 ? 0 : 1",
        "7 % 4 == 3", "0x10 == 16", "NAME == 0", "KERNEL_VERSION(5, 8, 0) == 329728", "1 - 1 - 1 == -1", "10 / 3 == 3"})
    EXPECT_TRUE(taken(std::string("#if ") + yes)) << yes;
  for (const char *no : {"0", "defined(A)", "1 == 2", "1 && 0", "NAME"})
    EXPECT_FALSE(taken(std::string("#if ") + no)) << no;
}

TEST(If, Chains) {
  auto chosen = [](int v) {
    Parsed parsed =
        parse_text(fmt::format("#define V {}\n#if V == 1\nk:a {{1}}\n#elif V == 2\nk:b {{1}}\n#elif V > 2\n"
                               "k:c {{1}}\n#else\nk:d {{1}}\n#endif\n",
                               v));
    EXPECT_EQ(parsed.errors(), std::vector<std::string>());
    return parsed.program.probes.at(0).attach_points.at(0).text;
  };
  EXPECT_EQ(chosen(1), "k:a");
  EXPECT_EQ(chosen(2), "k:b");
  EXPECT_EQ(chosen(9), "k:c");
  EXPECT_EQ(chosen(0), "k:d");
}

TEST(If, NestedAndInsideBodies) {
  Parsed parsed =
      parse_text("BEGIN {\n#if 0\n  this is } not read\n#if 1\n  nor 'this\n#endif\n#else\n  exit();\n#endif\n}");
  EXPECT_EQ(parsed.errors(), std::vector<std::string>());
  EXPECT_EQ(parsed.program.probes[0].body->body.size(), 1U);
}

TEST(If, Wrong) {
  EXPECT_EQ(parse_text("#if 1").first_error(), "1:1 E0107 cannot handle `#if`: there is no #endif for it");
  EXPECT_EQ(parse_text("#endif").first_error(), "1:1 E0107 cannot handle `#endif`: there is no #if before it");
  EXPECT_EQ(parse_text("#if 1 +\n#endif").first_error(),
            "1:1 E0107 cannot handle `#if`: its expression is not complete");
  EXPECT_EQ(parse_text("#if 1 / 0\n#endif").first_error(), "1:1 E0107 cannot handle `#if`: it divides by zero");
  EXPECT_EQ(parse_text("#if 1\n#else\n#else\n#endif").first_error(),
            "3:1 E0107 cannot handle `#else`: it comes after #else");
}

TEST(Directives, Comments) {
  // One warning for all of them; what looks like a directive behind a blank is prose.
  Parsed parsed = parse_text("# waits: how long\n#x\nBEGIN { 1\n  # undefined yet\n}\n# \n");
  EXPECT_EQ(parsed.errors(),
            (std::vector<std::string>{"1:1 W0358 `#waits` is no directive: the line is taken as a comment"}));
  EXPECT_EQ(parsed.program.probes.size(), 1U);
}

TEST(Directives, Unknown) {
  Parsed parsed = parse_text("#inclued <a.h>\nBEGIN { 1 }");
  EXPECT_EQ(parsed.first_error(), "1:1 E0107 cannot handle `#inclued`: unknown directive");
  EXPECT_EQ(parsed.diagnostics.all()[0].hint, "did you mean `#include`?");
  EXPECT_EQ(parse_text("#elsif\nBEGIN { 1 }").first_error(), "1:1 E0107 cannot handle `#elsif`: unknown directive");
  EXPECT_EQ(parse_text("#error not here").first_error(), "1:1 E0107 cannot handle `#error`: not here");
  EXPECT_EQ(parse_text("#pragma once\n#\nBEGIN { 1 }").errors(), std::vector<std::string>());
}

}  // namespace
}  // namespace awl
