#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

Parsed library(const std::string &text) {
  ParseOptions options;
  options.stdlib = true;
  return parse_text(text, options);
}

TEST(Library, Declaration) {
  Parsed parsed = library(R"(// The library.

/// Prints text.
///
///     printf("%d\n", 1)
[[action(printf), async]]
fn printf(fmt: literal, ...args: any): void;
)");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  ASSERT_EQ(parsed.program.functions.size(), 1U);
  const ast::Function &f = parsed.program.functions[0];
  EXPECT_EQ(f.name, "printf");
  EXPECT_EQ(parsed.source.text(f.name_span), "printf");
  EXPECT_EQ(f.doc, "Prints text.\n\n    printf(\"%d\\n\", 1)");
  ASSERT_EQ(f.attributes.size(), 2U);
  EXPECT_EQ(f.attributes[0].name, "action");
  EXPECT_EQ(f.attributes[0].argument, "printf");
  EXPECT_EQ(parsed.source.text(f.attributes[0].span), "action(printf)");
  EXPECT_EQ(parsed.source.text(f.attributes[1].span), "async");
  ASSERT_EQ(f.params.size(), 2U);
  EXPECT_EQ(f.params[0].name, "fmt");
  EXPECT_EQ(f.params[0].type.name, "literal");
  EXPECT_FALSE(f.params[0].variadic);
  EXPECT_TRUE(f.params[1].variadic);
  EXPECT_EQ(f.result.name, "void");
  EXPECT_EQ(f.body, nullptr);
}

TEST(Library, BodyAndDefaults) {
  Parsed parsed = library("fn f(a: string|integer, n: uint64 = 127): uint32 { return (uint32)(n >> 32); }");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  const ast::Function &f = parsed.program.functions.at(0);
  EXPECT_EQ(f.params[0].type.name, "string|integer");
  ASSERT_TRUE(ast::as<ast::IntegerLiteral>(f.params[1].default_value));
  ASSERT_TRUE(f.body);
  EXPECT_EQ(f.body->body.size(), 1U);
}

TEST(Library, SeveralAttributeLists) {
  Parsed parsed = library("/// Doc.\n[[probe(kprobe, uprobe), kernel(5.8)]]\n[[unsafe]] fn f(): void;");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  const ast::Function &f = parsed.program.functions.at(0);
  EXPECT_EQ(f.doc, "Doc.");
  ASSERT_EQ(f.attributes.size(), 3U);
  EXPECT_EQ(f.attributes[0].argument, "kprobe, uprobe");
  EXPECT_EQ(f.attributes[1].argument, "5.8");
  EXPECT_EQ(f.attributes[2].name, "unsafe");
}

TEST(Library, DocMustBeRightAbove) {
  Parsed parsed = library("/// Not about f.\n\nfn f(): void;\n/// About g.\nfn g(): void;\n// Plain.\nfn h(): void;");
  ASSERT_EQ(parsed.program.functions.size(), 3U);
  EXPECT_EQ(parsed.program.functions[0].doc, "");
  EXPECT_EQ(parsed.program.functions[1].doc, "About g.");
  EXPECT_EQ(parsed.program.functions[2].doc, "");
}

TEST(Library, ErrorsDoNotSpread) {
  Parsed parsed =
      library("fn a(x): void;\nfn b(: void;\nfn c(): void;\nfn d(x: int): int { return ; x + }\nfn e(): void;");
  EXPECT_EQ(parsed.errors().size(), 3U);
  ASSERT_EQ(parsed.program.functions.size(), 3U);
  EXPECT_EQ(parsed.program.functions[0].name, "c");
}

TEST(Scripts, Functions) {
  Parsed parsed = parse_text("fn add($a : int64, $b : struct s *) : int64 { return $a + $b.x; }\nfn none() { }");
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  ASSERT_EQ(parsed.program.functions.size(), 2U);
  EXPECT_EQ(parsed.program.functions[0].params[0].name, "a");
  EXPECT_EQ(parsed.program.functions[0].params[1].type.name, "struct s");
  EXPECT_EQ(parsed.program.functions[0].params[1].type.pointers, 1);
  EXPECT_EQ(parsed.program.functions[1].result.name, "void");
}

TEST(Scripts, LibraryFormsAreRefused) {
  EXPECT_EQ(parse_text("fn f($a: int);").first_error(), "1:14 E0101 unexpected `;`, expected `{`");
  EXPECT_EQ(parse_text("[[unsafe]] fn f() { }").first_error(),
            "1:1 E0109 an attribute in a script is not supported yet");
}

}  // namespace
}  // namespace awl
