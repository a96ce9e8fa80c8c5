#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

using Errors = std::vector<std::string>;

const Diagnostic &only(const Parsed &parsed) {
  EXPECT_EQ(parsed.diagnostics.all().size(), 1U);
  return parsed.diagnostics.all().at(0);
}

TEST(Recovery, FindsAllErrorsInOneRun) {
  Parsed parsed = parse_text(R"(BEGIN {
  $a = ;
  printf("x" 1);
  @m[ = 3;
  $ok = 1;
}
kprobe:f /pid = 1/ { $b = 2 + ; $ok = 1; }
kprobe:g what { $ok = 1; }
kprobe:h { $ok = 1; }
)");
  EXPECT_EQ(
      parsed.errors(),
      (Errors{"2:8 E0101 unexpected `;`, expected an expression", "3:14 E0101 unexpected `1`, expected `)` or `,`",
              "4:7 E0101 unexpected `=`, expected an expression", "7:15 E0101 unexpected `=`, expected `/` before `{`",
              "7:31 E0101 unexpected `;`, expected an expression",
              "8:10 E0101 unexpected `what`, expected `{`, `,` or a predicate"}));
  ASSERT_EQ(parsed.program.probes.size(), 3U);  // the one with a bad head has no attach point to keep
  for (const ast::Probe &probe : parsed.program.probes) EXPECT_EQ(probe.body->body.size(), 1U);
  EXPECT_TRUE(ast::as<ast::Poison>(parsed.program.probes[1].predicate));
}

TEST(Recovery, MissingSemicolonLosesNothing) {
  Parsed parsed = parse_text("BEGIN {\n  $a = 1\n  $b = 2\n  print($a)\n}\n");
  EXPECT_EQ(parsed.errors(),
            (Errors{"3:3 E0101 unexpected `$b`, expected `;`", "4:3 E0101 unexpected `print`, expected `;`"}));
  EXPECT_EQ(parsed.program.probes[0].body->body.size(), 3U);
  const Diagnostic &first = parsed.diagnostics.all()[0];
  ASSERT_EQ(first.labels.size(), 1U);
  EXPECT_EQ(parsed.source.text(first.labels[0].span), "1");
}

TEST(Recovery, ManyMissingSemicolons) {
  std::string text = "BEGIN {\n";
  for (int i = 0; i < 500; i++) text += "  $a = 1\n";
  Parsed parsed = parse_text(text + "}\n");
  EXPECT_GT(parsed.errors().size(), 20U);
}

TEST(Recovery, UnclosedBracePointsToTheOpeningOne) {
  Parsed parsed = parse_text("kprobe:f {\n  if (1) {\n    exit();\n}\n\nkprobe:g { exit(); }\nEND { exit(); }\n");
  const Diagnostic &d = only(parsed);
  EXPECT_EQ(parsed.errors()[0], "1:10 E0111 `{` is not closed");
  ASSERT_EQ(d.labels.size(), 1U);
  EXPECT_EQ(parsed.source.text(d.labels[0].span), "kprobe:g");
  EXPECT_EQ(parsed.program.probes.size(), 3U);
}

TEST(Recovery, UnclosedBraceAtTheEnd) {
  EXPECT_EQ(parse_text("kprobe:f {\n  exit();\n").errors(), Errors{"1:10 E0111 `{` is not closed"});
  EXPECT_EQ(parse_text("kprobe:f {\n  exit(\n").errors(), Errors{"1:10 E0111 `{` is not closed"});
  EXPECT_EQ(parse_text("struct a { int x;\n").errors(), Errors{"1:10 E0111 `{` is not closed"});
}

TEST(Recovery, BraceTooMany) {
  Parsed parsed = parse_text("kprobe:f { exit(); } }\nkprobe:g { exit(); }");
  EXPECT_EQ(parsed.errors(), Errors{"1:22 E0101 unexpected `}`, expected a probe"});
  EXPECT_EQ(parsed.program.probes.size(), 2U);
}

TEST(Recovery, BadHeadOfAnIf) {
  Parsed parsed = parse_text("BEGIN { if ($x { a(); } else { b(); } $y = 1; }");
  EXPECT_EQ(parsed.errors(), Errors{"1:16 E0101 unexpected `{`, expected `)` or `,`"});
  EXPECT_EQ(parsed.program.probes[0].body->body.size(), 1U);
}

TEST(Recovery, ItemsAfterABadOne) {
  Parsed parsed =
      parse_text("config = { = 1; a = 2 }\nlet @m hash(1);\nfn f($a int) : int { 1 }\nmacro 1 { }\nBEGIN { 1 }");
  EXPECT_EQ(parsed.errors().size(), 4U);
  EXPECT_EQ(parsed.program.config.size(), 1U);
  EXPECT_EQ(parsed.program.probes.size(), 1U);
}

TEST(Hints, CommonMistakes) {
  auto hint = [](const std::string &text) { return only(parse_text(text)).hint; };
  EXPECT_EQ(hint("kprobe:f /pid = 1/ { 1 }"), "`=` assigns; write `==` to compare");
  EXPECT_EQ(hint("BEGIN { if ($x = 1) { 1 } }"), "`=` assigns; write `==` to compare");
  EXPECT_EQ(hint("BEGIN { if (pid = 1) { 1 } }"), "`=` assigns; write `==` to compare");
  EXPECT_EQ(hint("BEGIN { if (1) { 1 } elif (2) { 1 } }"), "write `else if`");
  EXPECT_EQ(hint("BEGIN { if (1) exit(); }"), "the body stands in braces: { ... }");
  EXPECT_EQ(hint("BEGIN { if (1) { 1 } else exit(); }"), "the body stands in braces: { ... }");
  EXPECT_EQ(hint("BEGIN { if ($a and $b) { 1 } }"), "write `&&`");
  EXPECT_EQ(hint("BEGIN { if ($a or $b) { 1 } }"), "write `||`");
  EXPECT_EQ(hint("BEGIN { for ($i = 0; $i < 3; $i++) { 1 } $x = 1; }"),
            "a loop runs over a range or a map: for $i : 0..10 { ... }");
  EXPECT_EQ(hint("BEGIN { printf \"x\"; }"), "a call takes its arguments in parentheses: `printf(...)`");
  EXPECT_EQ(hint("BEGIN { $ = 1; }"), "a variable is `$name`, a positional parameter `$1`, their number `$#`");
  EXPECT_EQ(hint("kprobe:f /pid == 1 { 1 }"), "a predicate stands between slashes, before the `{`: /pid == 1/ { ... }");
}

TEST(Characters, Bad) {
  EXPECT_EQ(parse_text("BEGIN { $x = 1 ` 2; }").first_error(), "1:16 E0104 unexpected character ```");
  EXPECT_EQ(parse_text("BEGIN { \x01 }").first_error(), "1:9 E0104 unexpected character `\\x01`");
  EXPECT_EQ(parse_text("BEGIN { § }").first_error(), "1:9 E0104 unexpected character `§`");
  EXPECT_EQ(parse_text("BEGIN { \xff }").first_error(), "1:9 E0104 unexpected character `\\xff`");
  EXPECT_EQ(parse_text(std::string("BEGIN { \0 }", 11)).first_error(), "1:9 E0104 unexpected character `\\x00`");
}

TEST(Characters, ErrorsOfABinaryFileAreLimited) {
  EXPECT_LE(parse_text("BEGIN { " + std::string(100000, '\x80')).errors().size(), 200U);
}

TEST(Empty, ScriptsAreFine) {
  for (const char *text : {"", "\n", "// nothing", "#!/bin/awl", ";", "/* */"}) {
    EXPECT_EQ(parse_text(text).errors(), Errors()) << text;
    EXPECT_TRUE(parse_text(text).program.probes.empty());
  }
}

}  // namespace
}  // namespace awl
