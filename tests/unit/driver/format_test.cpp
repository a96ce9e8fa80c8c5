// The formatter: what it makes of scripts, and that it never changes their meaning.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/strings.h"
#include "cli/fmt.h"
#include "parser/format.h"

namespace awl {
namespace {

std::string laid_out(std::string_view text) {
  Result<std::string> result = format_script(text);
  return result ? *result : "error: " + result.error().message;
}

TEST(Format, OneStatementALine) {
  EXPECT_EQ(laid_out("BEGIN{@a=1;\nprintf( \"x;{\" ,1 ) ;}"), "BEGIN {\n  @a = 1;\n  printf(\"x;{\", 1);\n}\n");
}

TEST(Format, KeepsBlocksOnOneLine) {
  EXPECT_EQ(laid_out("BEGIN{ if(pid>0){ @a=1 }else{ @b=2 } }"), "BEGIN { if (pid > 0) { @a = 1 } else { @b = 2 } }\n");
  EXPECT_EQ(laid_out("END{}"), "END {}\n");
}

TEST(Format, Operators) {
  EXPECT_EQ(laid_out("BEGIN { $x=-1; $y=$x-1; $z=(uint64)-1; $i++; ++$i; @m[ 1,2 ]*=2; $b=!$x&&~$y; }"),
            "BEGIN { $x = -1; $y = $x - 1; $z = (uint64)-1; $i++; ++$i; @m[1, 2] *= 2; $b = !$x && ~$y; }\n");
  EXPECT_EQ(laid_out("BEGIN { $p=( struct task_struct* )arg0; print($p -> a . b); $q=*$p; }"),
            "BEGIN { $p = (struct task_struct *)arg0; print($p->a.b); $q = *$p; }\n");
  EXPECT_EQ(laid_out("BEGIN { $x=a?b:c; let $y:uint8=1; for($k:@m){ } for($i:0..5){ } return -1; }"),
            "BEGIN { $x = a ? b : c; let $y: uint8 = 1; for ($k : @m) {} for ($i : 0..5) {} return -1; }\n");
}

TEST(Format, Headers) {
  EXPECT_EQ(laid_out("kprobe:a,\nkprobe:b\n/pid==1/\n{ exit() }"), "kprobe:a,\nkprobe:b\n/pid == 1/\n{ exit() }\n");
  EXPECT_EQ(laid_out("uprobe:/bin/sh:main/pid/{ exit() }"), "uprobe:/bin/sh:main /pid/ { exit() }\n");
  EXPECT_EQ(laid_out("kprobe:a , kprobe:b{ exit() }"), "kprobe:a, kprobe:b { exit() }\n");
}

TEST(Format, Comments) {
  EXPECT_EQ(laid_out("// head\n\n\n\nBEGIN { // why\n@a=1; // set\n/* long\n * text */\n@b=2 }"),
            "// head\n\nBEGIN {  // why\n  @a = 1;  // set\n  /* long\n   * text */\n  @b = 2\n}\n");
}

TEST(Format, KeepsBrokenLinesInsideStatements) {
  EXPECT_EQ(laid_out("BEGIN { printf(\"%d %d\\n\",\n1,\n   2); }"),
            "BEGIN {\n  printf(\"%d %d\\n\",\n      1,\n      2);\n}\n");
}

TEST(Format, DeclarationsAndDirectives) {
  EXPECT_EQ(laid_out("#include <a.h>\n  #define X \\\n 1\nstruct a { int x:3; char *p; };\nconfig={ max_strlen=5 }"),
            "#include <a.h>\n#define X \\\n 1\nstruct a { int x:3; char *p; };\nconfig = { max_strlen = 5 }\n");
}

TEST(Format, RefusesWhatIsBroken) {
  EXPECT_EQ(laid_out("BEGIN { (] }"), "error: brackets do not match");
  EXPECT_EQ(laid_out("BEGIN { "), "error: a bracket is not closed");
  Diagnostics diagnostics;
  EXPECT_FALSE(format_checked(Source("x", "BEGIN { $x = ; }"), diagnostics));
  EXPECT_EQ(diagnostics.all()[0].info->code, "E0101");
}

// All scripts of the repository: examples, the parser's corpus, golden cases, the scripts of the runtime suites.
std::vector<std::pair<std::string, std::string>> scripts() {
  std::vector<std::pair<std::string, std::string>> out;
  const std::string root = AWL_SOURCE_DIR;
  for (const char *folder :
       {"/examples", "/tests/unit/parser/corpus", "/tests/golden/cases", "/tests/runtime/suites"}) {
    for (const auto &entry : std::filesystem::directory_iterator(root + folder)) {
      std::string text = read_file(entry.path()).value();
      if (std::string_view(folder).ends_with("suites")) {
        for (const std::string &line : split(text, '\n'))
          if (line.starts_with("script: ")) out.emplace_back(entry.path(), line.substr(8));
        continue;
      }
      out.emplace_back(entry.path(), text.substr(0, text.find("=== expected")));
    }
  }
  return out;
}

TEST(Format, MeansTheSameAndIsStable) {
  size_t checked = 0;
  for (const auto &[name, text] : scripts()) {
    Diagnostics diagnostics;
    std::optional<std::string> once = format_checked(Source(name, text), diagnostics);
    if (text.find("#define") != std::string::npos && !once) continue;  // brackets by the preprocessor
    for (const Diagnostic &d : diagnostics.all())
      EXPECT_NE(d.info->code, "E0801") << name << ": " << d.message << "\n" << text;
    if (!once) continue;  // has syntax errors
    checked++;
    EXPECT_EQ(laid_out(*once), *once) << name;
  }
  EXPECT_GT(checked, 300U);
}

}  // namespace
}  // namespace awl
