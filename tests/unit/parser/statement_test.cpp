#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

// The tree of the statements of a body; the errors if there are any.
std::string body(const std::string &text) {
  Parsed parsed = parse_text("BEGIN {" + text + "}");
  if (!parsed.diagnostics.empty()) return "error: " + parsed.errors()[0];
  std::string out;
  std::string all = ast::dump(parsed.program);
  size_t begin = all.find("(Block");
  for (char c : all.substr(begin, all.size() - begin - 3)) {
    if (c == '\n') c = ' ';
    if (c != ' ' || out.back() != ' ') out += c;
  }
  return out;
}

TEST(Statements, Semicolons) {
  EXPECT_EQ(body(""), "(Block)");
  EXPECT_EQ(body(";;"), "(Block)");
  EXPECT_EQ(body("$x++"), "(Block (ExprStmt (IncDec postfix ++ (Variable $x))))");
  EXPECT_EQ(body("$x++; ;"), body("$x++"));
  EXPECT_EQ(body("if (1) {}; break;"), "(Block (If (IntegerLiteral 1) (Block)) (Jump break))");
}

TEST(Statements, Assignments) {
  EXPECT_EQ(body("@ = 1"), "(Block (Assign = (MapAccess @) (IntegerLiteral 1)))");
  EXPECT_EQ(body("_ = 1;"), "(Block (Assign = (Identifier _) (IntegerLiteral 1)))");
  for (const char *op : {"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="})
    EXPECT_EQ(body(std::string("$x ") + op + " 1;"),
              std::string("(Block (Assign ") + op + " (Variable $x) (IntegerLiteral 1)))");
  EXPECT_EQ(body("$x = 1 = 2;"), "error: 1:15 E0101 unexpected `=`, expected `;`");
}

TEST(Statements, Let) {
  EXPECT_EQ(body("let $x;"), "(Block (Let (Variable $x)))");
  EXPECT_EQ(body("let $x: uint64;"), "(Block (Let uint64 (Variable $x)))");
  EXPECT_EQ(body("let $x: struct a *[4] = 1"), "(Block (Let struct a*[4] (Variable $x) (IntegerLiteral 1)))");
  EXPECT_EQ(body("let $x: typeof($y) = 1"), "(Block (Let typeof (Variable $x) (Variable $y) (IntegerLiteral 1)))");
}

TEST(Statements, If) {
  EXPECT_EQ(body("if (1) { $a } else if (2) { $b } else { $c }"), body("if 1 { $a } else if 2 { $b } else { $c }"));
  EXPECT_EQ(body("if 1 { $a } else if 2 { $b }"),
            "(Block (If else (IntegerLiteral 1) (Block (ExprStmt (Variable $a))) "
            "(Block (If (IntegerLiteral 2) (Block (ExprStmt (Variable $b)))))))");
  EXPECT_EQ(body("if (1) && (2) { }"), "(Block (If (Binary && (IntegerLiteral 1) (IntegerLiteral 2)) (Block)))");
}

TEST(Statements, Loops) {
  EXPECT_EQ(body("while (1) { continue; }"), "(Block (While (IntegerLiteral 1) (Block (Jump continue))))");
  EXPECT_EQ(body("while 1 { continue }"), body("while (1) { continue; }"));
  EXPECT_EQ(body("unroll(3) {}"), "(Block (Unroll (IntegerLiteral 3) (Block)))");
  EXPECT_EQ(body("unroll $1 {}"), "(Block (Unroll (PositionalParam $1) (Block)))");
  EXPECT_EQ(body("for $kv : @m {}"), "(Block (ForMap (Variable $kv) (MapAccess @m) (Block)))");
  EXPECT_EQ(body("for ($kv : @m) {}"), body("for $kv : @m {}"));
  EXPECT_EQ(body("for $i : 0..$n+1 {}"),
            "(Block (ForRange (Variable $i) (IntegerLiteral 0) (Binary + (Variable $n) (IntegerLiteral 1)) (Block)))");
  EXPECT_EQ(body("for ($i : 0..10) {}"), body("for $i : 0..10 {}"));
  EXPECT_EQ(body("for $i : 10 {}"), "error: 1:17 E0101 unexpected expression, expected a map or a range");
}

TEST(Statements, JumpsAndBlocks) {
  EXPECT_EQ(body("return; return 1; { break }"),
            "(Block (Jump return) (Jump return (IntegerLiteral 1)) (Block (Jump break)))");
}

TEST(Config, Entries) {
  Parsed parsed = parse_text("config = { a = 1; B_C = \"x\"; d = true; e = name }");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  ASSERT_EQ(parsed.program.config.size(), 4U);
  EXPECT_EQ(parsed.program.config[1].name, "B_C");
  EXPECT_EQ(parsed.source.text(parsed.program.config[1].value_span), "\"x\"");
  EXPECT_EQ(parse_text("config = { a = 1 };").errors(), std::vector<std::string>());
  EXPECT_EQ(parse_text("config = {}").errors(), std::vector<std::string>());
  EXPECT_EQ(parse_text("config = { a = ; b = 2; }").program.config.size(), 1U);
}

TEST(MapDeclarations, KindAndSize) {
  Parsed parsed = parse_text("#define N 4\nlet @a = percpuhash(N * 2);");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  ASSERT_EQ(parsed.program.maps.size(), 1U);
  EXPECT_EQ(parsed.program.maps[0].name, "a");
  EXPECT_EQ(parsed.program.maps[0].kind, "percpuhash");
  EXPECT_EQ(parsed.program.maps[0].max_entries, 8U);
  EXPECT_EQ(parse_text("let @a = hash($1);").first_error(), "1:15 E0110 the number of entries is not a known constant");
  Parsed missing = parse_text("let @a = hash(10)\nBEGIN { 1 }");
  EXPECT_EQ(missing.first_error(), "1:17 E0101 unexpected end of the definition, expected `;`");
  EXPECT_EQ(missing.program.probes.size(), 1U);
}

TEST(Imports, PathsAreNoted) {
  Parsed parsed = parse_text("import \"a.bt\"; import \"folder\" BEGIN { 1 }");
  EXPECT_EQ(parsed.errors(), std::vector<std::string>{});
  ASSERT_EQ(parsed.program.imports.size(), 2U);
  EXPECT_EQ(parsed.program.imports[0].path, "a.bt");
  EXPECT_EQ(parsed.program.probes.size(), 1U);
}

TEST(Macros, ParametersHaveKinds) {
  Parsed parsed = parse_text(
      "macro f(x, $y, @z,) { let $a = x; $a } macro g { 1 } macro h() { } BEGIN { f(struct X, 1, uint8 *) }");
  EXPECT_EQ(parsed.errors(), std::vector<std::string>{});
  ASSERT_EQ(parsed.program.macros.size(), 3U);
  ASSERT_EQ(parsed.program.macros[0].params.size(), 3U);
  EXPECT_EQ(parsed.program.macros[0].params[0].kind, ast::MacroParamKind::Expression);
  EXPECT_EQ(parsed.program.macros[0].params[1].kind, ast::MacroParamKind::Variable);
  EXPECT_EQ(parsed.program.macros[0].params[2].kind, ast::MacroParamKind::Map);
  EXPECT_EQ(parsed.program.macros[0].params[2].name, "z");
  EXPECT_EQ(parse_text("macro f(x, x) { x }").errors(), std::vector<std::string>{"1:12 E0209 `x` is declared twice"});
}

}  // namespace
}  // namespace awl
