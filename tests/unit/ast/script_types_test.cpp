// Layouts of a script's structs against those of the compiler that builds this test.
#include "ast/passes/script_types.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

namespace awl::ast {
namespace {

CField field(const char *type, const char *name, uint32_t bits = 0, int pointers = 0,
             std::vector<uint64_t> array = {}) {
  CField out;
  out.type.name = type;
  out.type.pointers = pointers;
  out.type.array = std::move(array);
  out.name = name;
  out.bits = bits;
  return out;
}

CField inside(CType inner, const char *name) {
  CField out;
  out.name = name;
  out.inner = std::make_shared<CType>(std::move(inner));
  return out;
}

CType define(CTypeKind kind, const char *name, std::vector<CField> fields, bool packed = false) {
  CType out;
  out.kind = kind;
  out.name = name;
  out.fields = std::move(fields);
  out.attributes.packed = packed;
  out.span = {1, 2};
  return out;
}

struct Script {
  explicit Script(const std::vector<CType> &types) {
    store.add_source(make_script_source(types, {}, diagnostics));
    check_script_types(store, types, diagnostics);
  }
  const Type *type(std::string_view name) {
    auto found = store.find(name);
    EXPECT_TRUE(found) << found.error().message;
    EXPECT_TRUE(*found) << name;
    return found && *found ? **found : store.poison();
  }
  FieldRef at(std::string_view owner, std::string_view name) {
    auto found = store.field(type(owner), name);
    EXPECT_TRUE(found && *found) << owner << "." << name;
    return found && *found ? **found : FieldRef{};
  }
  TypeStore store;
  Diagnostics diagnostics;
};

struct Plain {
  char a;
  short b;
  char c[3];
  void *d;
  int e;
  struct {
    char f;
    long g;
  } in;
  union {
    int h;
    char i[6];
  };
};

TEST(ScriptTypes, MembersAreAligned) {
  CType in = define(CTypeKind::Struct, "", {field("char", "f"), field("long", "g")});
  CType either = define(CTypeKind::Union, "", {field("int", "h"), field("char", "i", 0, 0, {6})});
  Script script({define(CTypeKind::Struct, "plain",
                        {field("char", "a"), field("short", "b"), field("char", "c", 0, 0, {3}),
                         field("void", "d", 0, 1), field("int", "e"), inside(in, "in"), inside(either, "")})});
  EXPECT_TRUE(script.diagnostics.empty());
  EXPECT_EQ(script.type("struct plain")->size, sizeof(Plain));
  EXPECT_EQ(script.at("struct plain", "b").offset, offsetof(Plain, b));
  EXPECT_EQ(script.at("struct plain", "c").offset, offsetof(Plain, c));
  EXPECT_EQ(script.at("struct plain", "d").offset, offsetof(Plain, d));
  EXPECT_EQ(script.at("struct plain", "in").offset, offsetof(Plain, in));
  EXPECT_EQ(script.at("struct plain", "i").offset, offsetof(Plain, i));
  EXPECT_FALSE(script.at("struct plain", "i").relocated());
  EXPECT_EQ(to_string(script.at("struct plain", "c").type), "int8[3]");
}

struct __attribute__((packed)) Packed {
  char a;
  long b;
  unsigned c : 3;
  unsigned d : 29;
  short e;
};
struct Bits {
  unsigned a : 3;
  unsigned b : 30;
  unsigned char c : 5;
  unsigned char d : 5;
  unsigned long e : 40;
  unsigned short f : 9;
  int : 7;
  unsigned g : 1;
  char h;
};

// Reads a field as code that awl generates would.
template <class T>
uint64_t read_field(const T &value, const FieldRef &field) {
  unsigned char bytes[sizeof(T) + 8] = {};
  memcpy(bytes, &value, sizeof(T));
  uint64_t unit = 0;
  memcpy(&unit, bytes + field.offset, field.type->size);
  return field.bits ? unit >> field.bit_offset & ((uint64_t{1} << field.bits) - 1) : unit;
}

TEST(ScriptTypes, BitfieldsLieWhereGccPutsThem) {
  Script script(
      {define(CTypeKind::Struct, "bits",
              {field("unsigned", "a", 3), field("unsigned", "b", 30), field("unsigned char", "c", 5),
               field("unsigned char", "d", 5), field("unsigned long", "e", 40), field("unsigned short", "f", 9),
               field("int", "", 7), field("unsigned", "g", 1), field("char", "h")})});
  EXPECT_TRUE(script.diagnostics.empty());
  EXPECT_EQ(script.type("struct bits")->size, sizeof(Bits));
  EXPECT_EQ(script.at("struct bits", "h").offset, offsetof(Bits, h));
  Bits bits = {};
  bits.a = 5, bits.b = 0x2abcdef0, bits.c = 21, bits.d = 10, bits.e = 0xabcdef0123, bits.f = 0x155, bits.g = 1,
  bits.h = 77;
  EXPECT_EQ(read_field(bits, script.at("struct bits", "a")), bits.a);
  EXPECT_EQ(read_field(bits, script.at("struct bits", "b")), bits.b);
  EXPECT_EQ(read_field(bits, script.at("struct bits", "c")), bits.c);
  EXPECT_EQ(read_field(bits, script.at("struct bits", "d")), bits.d);
  EXPECT_EQ(read_field(bits, script.at("struct bits", "e")), bits.e);
  EXPECT_EQ(read_field(bits, script.at("struct bits", "f")), bits.f);
  EXPECT_EQ(read_field(bits, script.at("struct bits", "g")), bits.g);
}

TEST(ScriptTypes, PackedStructs) {
  Script script({define(CTypeKind::Struct, "packed",
                        {field("char", "a"), field("long", "b"), field("unsigned", "c", 3), field("unsigned", "d", 29),
                         field("short", "e")},
                        true)});
  EXPECT_EQ(script.at("struct packed", "b").offset, offsetof(Packed, b));
  EXPECT_EQ(script.at("struct packed", "c").bits, 3);
  EXPECT_EQ(script.at("struct packed", "e").offset, offsetof(Packed, e));
  EXPECT_EQ(script.type("struct packed")->size, sizeof(Packed));
}

TEST(ScriptTypes, TypedefsEnumsAndRecursion) {
  CType kind = define(CTypeKind::Enum, "kind", {});
  kind.enumerators = {{{}, "A", {}}, {{}, "B", 7}, {{}, "C", {}}};
  Script script(
      {kind, define(CTypeKind::Typedef, "number_t", {field("unsigned short", "number_t")}),
       define(CTypeKind::Typedef, "pair_t",
              {inside(define(CTypeKind::Struct, "", {field("number_t", "x"), field("number_t", "y")}), "pair_t")}),
       define(CTypeKind::Struct, "node",
              {field("struct node", "next", 0, 1), field("pair_t", "pairs", 0, 0, {2, 3}), field("enum kind", "kind"),
               field("struct unseen", "other", 0, 1)})});
  EXPECT_TRUE(script.diagnostics.empty());
  EXPECT_EQ(script.store.enumerator("C")->second, 8);
  EXPECT_EQ(script.type("number_t"), script.store.integer(2, false));
  EXPECT_EQ(to_string(script.type("pair_t")), "pair_t");
  EXPECT_EQ(script.at("struct node", "next").type->target, script.type("struct node"));
  EXPECT_EQ(to_string(script.at("struct node", "pairs").type), "pair_t[2][3]");
  EXPECT_EQ(script.at("struct node", "kind").offset, 32u);
  EXPECT_EQ(script.type("struct node")->size, 48u);
}

TEST(ScriptTypes, Mistakes) {
  Script unknown({define(CTypeKind::Struct, "a", {field("nonsense_t", "x")})});
  ASSERT_EQ(unknown.diagnostics.all().size(), 1u);
  EXPECT_EQ(unknown.diagnostics.all()[0].message, "unknown type `nonsense_t`");
  Script twice(
      {define(CTypeKind::Struct, "a", {field("int", "x")}), define(CTypeKind::Struct, "a", {field("int", "y")})});
  EXPECT_TRUE(twice.diagnostics.has_errors());
  Script itself({define(CTypeKind::Struct, "a", {field("struct b", "b")}),
                 define(CTypeKind::Struct, "b", {field("struct a", "a")})});
  EXPECT_TRUE(itself.diagnostics.has_errors());
  Script loop({define(CTypeKind::Typedef, "a_t", {field("b_t", "a_t")}),
               define(CTypeKind::Typedef, "b_t", {field("a_t", "b_t")})});
  EXPECT_TRUE(loop.diagnostics.has_errors());
  Script wide({define(CTypeKind::Struct, "a", {field("int", "x", 33)})});
  EXPECT_TRUE(wide.diagnostics.has_errors());
  Script huge({define(CTypeKind::Struct, "a", {field("int", "x", 0, 0, {uint64_t{1} << 40, uint64_t{1} << 40})})});
  EXPECT_TRUE(huge.diagnostics.has_errors());
}

}  // namespace
}  // namespace awl::ast
