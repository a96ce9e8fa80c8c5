#include <gtest/gtest.h>

#include "unit/parser/helpers.h"

namespace awl {
namespace {

// The dump of C definitions, on one line without "(program".
std::string types(const std::string &text) {
  Parsed parsed = parse_text(text);
  if (!parsed.diagnostics.empty()) return "error: " + parsed.errors()[0];
  std::string out;
  for (char c : ast::dump(parsed.program).substr(8)) {
    if (c == '\n') c = ' ';
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  return out.substr(0, out.size() - 2);
}

TEST(CTypes, Members) {
  EXPECT_EQ(types("struct s { int a; unsigned long long b; struct t *c, **d; u8 e[4][2]; };"),
            "(struct s (field int a) (field unsigned long long b) (field struct t* c) (field struct t** d) "
            "(field u8[4][2] e))");
  EXPECT_EQ(types("struct s { const volatile char *const a; enum e b; union u c; char d[]; };"),
            "(struct s (field char* a) (field enum e b) (field union u c) (field char[0] d))");
  EXPECT_EQ(types("struct s { int a : 3, b : 1 + 4; int : 2; unsigned c : 1; };"),
            "(struct s (field int a : 3) (field int b : 5) (field int : 2) (field unsigned int c : 1))");
}

TEST(CTypes, Functions) {
  EXPECT_EQ(types("struct s { int (*open)(struct inode *, int (*)(void)); foo_t (*a[3])(int); char (*p)[4]; };"),
            "(struct s (field void* open) (field void*[3] a) (field void* p))");
}

TEST(CTypes, Nested) {
  EXPECT_EQ(types("struct s { struct { int a; }; union { int b; struct t { int c; } d; } e[2]; };"),
            "(struct s (field struct (struct (field int a))) "
            "(field union[2] e (union (field int b) (field struct t d (struct t (field int c))))))");
  EXPECT_EQ(types("struct s { enum { A, B } kind; };"),
            "(struct s (field enum kind (enum (enumerator A) (enumerator B))))");
}

TEST(CTypes, Attributes) {
  EXPECT_EQ(types("struct s { char a; int b; } __attribute__((packed));"),
            "(struct s packed (field char a) (field int b))");
  EXPECT_EQ(types("struct __attribute__((packed, aligned(4))) s { u64 a __attribute__((aligned(8))); };"),
            "(struct s packed aligned 4 (field u64 a aligned 8))");
  EXPECT_EQ(types("struct s { void __user *p; } __packed;"), "(struct s packed (field void* p))");
}

TEST(CTypes, Enums) {
  EXPECT_EQ(types("enum e { A, B = 2, C, D = B << 3 | C, E = -1, };"),
            "(enum e (enumerator A) (enumerator B = 2) (enumerator C) (enumerator D = 19) (enumerator E = -1))");
  EXPECT_EQ(types("enum { A = 3 };\nstruct s { int x[A + 1]; };"),
            "(enum (enumerator A = 3)) (struct s (field int[4] x))");
}

TEST(CTypes, Typedefs) {
  EXPECT_EQ(
      types("typedef unsigned int u_t, *p_t, a_t[3];"),
      "(typedef u_t (field unsigned int)) (typedef p_t (field unsigned int*)) (typedef a_t (field unsigned int[3]))");
  EXPECT_EQ(types("typedef struct { int x; } s_t;"), "(typedef s_t (field struct (struct (field int x))))");
  EXPECT_EQ(types("typedef int (*fn_t)(int);"), "(typedef fn_t (field void*))");
}

TEST(CTypes, Constants) {
  EXPECT_EQ(types("#define N 4\n#define M (N * 2)\nstruct s { char a[M + sizeof(int)]; char b[sizeof(void *)]; };"),
            "(struct s (field char[12] a) (field char[8] b))");
  EXPECT_EQ(types("struct s { char a[UNKNOWN]; };"), "error: 1:19 E0110 the size of an array is not a known constant");
  EXPECT_EQ(types("struct s { char a[1 / 0]; };"), "error: 1:19 E0110 the size of an array is not a known constant");
  EXPECT_EQ(types("struct s { int a : 65; };"), "error: 1:20 E0110 the width of a bitfield is not a known constant");
}

TEST(CTypes, AwkwardNames) {
  EXPECT_EQ(types("struct config { int let; int unroll; int import; int fn, macro; };"),
            "(struct config (field int let) (field int unroll) (field int import) (field int fn) (field int macro))");
}

TEST(CTypes, Between) {
  Parsed parsed = parse_text("struct a { int x; }\nkprobe:f { 1 }\nstruct b { int y; };\nunion c;\nkprobe:g { 1 }");
  EXPECT_EQ(parsed.errors(), std::vector<std::string>());
  EXPECT_EQ(parsed.program.types.size(), 2U);
  EXPECT_EQ(parsed.program.probes.size(), 2U);
}

TEST(CTypes, RecoverAtMembers) {
  Parsed parsed = parse_text("struct a { int x y; int z; foo; }; struct b { int w; };\nkprobe:f { 1 }");
  EXPECT_EQ(parsed.errors().size(), 1U);
  ASSERT_EQ(parsed.program.types.size(), 2U);
  EXPECT_EQ(parsed.program.types[0].fields.size(), 2U);
  EXPECT_EQ(parsed.program.probes.size(), 1U);
}

}  // namespace
}  // namespace awl
