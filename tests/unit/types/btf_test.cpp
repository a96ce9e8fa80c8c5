// BTF built in memory: every kind of type, and every way to be malformed.
#include "runtime/types/btf.h"

#include <gtest/gtest.h>

#include "runtime/types/btf_writer.h"

namespace awl {
namespace {

struct Loaded {
  TypeStore store;
  TypeSource *source = nullptr;

  explicit Loaded(std::string bytes) {
    auto made = make_btf_source(*BtfBlob::from_bytes(std::move(bytes)));
    if (!made) return;
    source = made->get();
    store.add_source(std::move(*made));
  }
  std::string find(std::string_view name) {
    auto found = store.find(name);
    if (!found) return "error: " + found.error().message;
    return *found ? to_string(**found) : "none";
  }
  const Type *type(std::string_view name) { return **store.find(name); }
  FieldRef field(std::string_view owner, std::string_view name) {
    auto found = store.field(type(owner), name);
    EXPECT_TRUE(found && *found) << owner << "." << name;
    return found && *found ? **found : FieldRef{};
  }
};

TEST(Btf, QualifiersAndTypedefsAreLookedThrough) {
  BtfWriter w;
  uint32_t integer = w.integer("int", 4, kBtfIntSigned);
  uint32_t konst = w.add(BtfKind::Const, "", integer);
  uint32_t inner = w.add(BtfKind::Typedef, "inner_t", konst);
  w.add(BtfKind::Typedef, "outer_t", w.add(BtfKind::Volatile, "", inner));
  Loaded btf(w.finish());
  EXPECT_EQ(btf.find("outer_t"), "int32");
  EXPECT_EQ(btf.find("inner_t"), "int32");
  EXPECT_EQ(btf.find("struct inner_t"), "none");
}

TEST(Btf, StructsPointToThemselves) {
  BtfWriter w;
  uint32_t pointer = 2;
  uint32_t head = w.structure("list_head", 16, {{"next", pointer, 0}, {"prev", pointer, 64}});
  ASSERT_EQ(w.pointer(head), pointer);
  Loaded btf(w.finish());
  FieldRef next = btf.field("struct list_head", "next");
  EXPECT_EQ(next.type->target, btf.type("struct list_head"));
  EXPECT_EQ(next.type->space, AddressSpace::Kernel);
  EXPECT_EQ(btf.field("struct list_head", "prev").offset, 8u);
}

TEST(Btf, AnonymousMembersAreSearched) {
  BtfWriter w;
  uint32_t u32 = w.integer("unsigned int", 4), u64 = w.integer("unsigned long", 8);
  uint32_t inner = w.structure("", 8, {{"low", u32, 0}, {"high", u32, 32}});
  uint32_t both = w.structure("", 8, {{"whole", u64, 0}, {"", inner, 0}}, true);
  w.structure("outer", 16, {{"first", u64, 0}, {"", both, 64}});
  Loaded btf(w.finish());
  FieldRef high = btf.field("struct outer", "high");
  EXPECT_EQ(high.offset, 12u);
  EXPECT_EQ(high.owner, btf.type("struct outer"));
  EXPECT_EQ(high.path, std::vector<std::string>{"high"});
  auto none = btf.store.field(btf.type("struct outer"), "middle");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(Btf, BitfieldsOfBothStyles) {
  BtfWriter w;
  uint32_t u32 = w.integer("unsigned int", 4);
  uint32_t narrow = w.add(BtfKind::Int, "unsigned int", 4, {3});  // as pahole wrote it before kind_flag
  w.structure("flagged", 8, {{"a", u32, 0, 3}, {"b", u32, 35, 5}, {"whole", u32, 32, 0}});
  w.structure("old", 8, {{"x", u32, 0}, {"y", narrow, 37}});
  w.structure("packed", 5, {{"far", u32, 30, 8}});
  Loaded btf(w.finish());
  FieldRef b = btf.field("struct flagged", "b");
  EXPECT_EQ(std::tuple(b.offset, b.bit_offset, b.bits), std::tuple(4u, 3, 5));
  EXPECT_EQ(btf.field("struct flagged", "whole").bits, 0);
  FieldRef y = btf.field("struct old", "y");
  EXPECT_EQ(std::tuple(y.offset, y.bit_offset, y.bits), std::tuple(4u, 5, 3));
  EXPECT_EQ(y.type->size, 4u);
  FieldRef far = btf.field("struct packed", "far");
  EXPECT_EQ(std::tuple(far.offset, far.bit_offset, far.bits), std::tuple(3u, 6, 8));
}

TEST(Btf, Enumerators) {
  BtfWriter w;
  w.add(BtfKind::Enum, "", 4, {w.string("ONE"), 1, w.string("MANY"), 0xfffffff0}, 2);
  w.add(BtfKind::Enum, "sign", 4, {w.string("MINUS"), 0xffffffff}, 1, true);
  w.add(BtfKind::Enum64, "wide", 8, {w.string("BIG"), 5, 1}, 1);
  Loaded btf(w.finish());
  EXPECT_EQ(btf.store.enumerator("MANY")->second, 0xfffffff0);
  EXPECT_EQ(btf.store.enumerator("MINUS")->second, -1);
  auto big = btf.store.enumerator("BIG");
  ASSERT_TRUE(big);
  EXPECT_EQ(big->second, 0x100000005);
  EXPECT_EQ(big->first, btf.type("enum wide"));
  EXPECT_FALSE(btf.store.enumerator("ANY"));  // the end of a longer name
  EXPECT_FALSE(btf.store.enumerator(""));
}

TEST(Btf, ForwardDeclarations) {
  BtfWriter w;
  uint32_t known = w.add(BtfKind::Fwd, "known", 0), unknown = w.add(BtfKind::Fwd, "unknown", 0);
  uint32_t to_known = w.pointer(known), to_unknown = w.pointer(unknown);
  w.structure("user", 16, {{"a", to_known, 0}, {"b", to_unknown, 64}});
  w.structure("known", 4, {});
  Loaded btf(w.finish());
  EXPECT_EQ(btf.field("struct user", "a").type->target, btf.type("struct known"));
  const Type *opaque = btf.field("struct user", "b").type->target;
  EXPECT_EQ(to_string(opaque), "struct unknown");
  EXPECT_TRUE((*btf.store.fields(opaque))->empty());
}

TEST(Btf, PointersToFunctionsAndIntoUserMemory) {
  BtfWriter w;
  uint32_t character = w.integer("char", 1);
  uint32_t proto = w.add(BtfKind::FuncProto, "", 0, {w.string("file"), 2, 0, 0}, 2);
  w.add(BtfKind::Func, "callback", proto);
  uint32_t function = w.pointer(proto);
  uint32_t tag = w.add(BtfKind::TypeTag, "user", w.add(BtfKind::Const, "", character));
  w.structure("ops", 16, {{"call", function, 0}, {"text", w.pointer(tag), 64}});
  Loaded btf(w.finish());
  EXPECT_EQ(to_string(btf.field("struct ops", "call").type), "void *");
  FieldRef text = btf.field("struct ops", "text");
  EXPECT_EQ(text.type, btf.store.pointer(btf.store.integer(1, true), AddressSpace::User));
  auto function_type = btf_function(btf.store, *btf.source, "callback");
  ASSERT_TRUE(function_type && *function_type);
  EXPECT_EQ((*function_type)->params.size(), 1u);  // `...` is none
}

TEST(Btf, TypedefOfAnonymousStructKeepsItsName) {
  BtfWriter w;
  uint32_t anonymous = w.structure("", 4, {{"counter", w.integer("int", 4, kBtfIntSigned), 0}});
  EXPECT_EQ(anonymous, 2u);
  w.add(BtfKind::Typedef, "atomic_t", anonymous);
  Loaded btf(w.finish());
  EXPECT_EQ(btf.find("atomic_t"), "atomic_t");
  EXPECT_TRUE(btf.type("atomic_t")->is_typedef);
  EXPECT_EQ(btf.field("atomic_t", "counter").offset, 0u);
}

TEST(Btf, SplitBtfOfAModule) {
  BtfWriter base;
  uint32_t integer = base.integer("int", 4, kBtfIntSigned);
  base.structure("shared", 4, {{"value", integer, 0}});
  auto kernel = *make_btf_source(*BtfBlob::from_bytes(base.finish()));
  // Ids and strings of a module go on where those of the kernel end: 3 types, 26 bytes of strings.
  std::string bytes;
  {
    BtfWriter w;
    w.structure("own", 12, {{"embedded", 2, 0}, {"pointer", 4, 32}});
    w.pointer(2);
    bytes = w.finish();
  }
  uint32_t strings = 0;
  std::string base_bytes = base.finish();
  memcpy(&strings, base_bytes.data() + 20, 4);
  auto shift = [&](size_t at) {
    uint32_t offset;
    memcpy(&offset, bytes.data() + at, 4);
    offset += strings;
    memcpy(bytes.data() + at, &offset, 4);
  };
  for (size_t at : {24, 24 + 12, 24 + 24}) shift(at);
  TypeStore store;
  TypeSource *kernel_source = kernel.get();
  store.add_source(std::move(kernel));
  auto module = make_btf_source(*BtfBlob::from_bytes(bytes), kernel_source);
  ASSERT_TRUE(module);
  store.add_source(std::move(*module));
  auto own = store.find("struct own");
  ASSERT_TRUE(own && *own);
  auto embedded = store.field(**own, "embedded");
  ASSERT_TRUE(embedded && *embedded);
  EXPECT_EQ((*embedded)->type, **store.find("struct shared"));
  auto pointer = store.field(**own, "pointer");
  ASSERT_TRUE(pointer && *pointer);
  EXPECT_EQ((*pointer)->type->target, (*embedded)->type);
}

// --- Malformed ---------------------------------------------------------------------------------------

TEST(Btf, BadFrames) {
  std::string good = BtfWriter().finish();
  auto rejected = [](std::string bytes) { return !make_btf_source(*BtfBlob::from_bytes(std::move(bytes))); };
  EXPECT_FALSE(rejected(good));
  EXPECT_TRUE(rejected(""));
  EXPECT_TRUE(rejected(good.substr(0, 10)));
  for (size_t at : {size_t{0}, size_t{2}, size_t{4}, size_t{8}, size_t{12}, size_t{16}, size_t{20}}) {
    std::string bad = good;
    bad[at] = '\x7f';
    EXPECT_TRUE(rejected(bad)) << at;
  }
  std::string open_strings = good;
  open_strings.back() = 'x';
  EXPECT_TRUE(rejected(open_strings));
}

TEST(Btf, BadTypesAreErrorsWhenReached) {
  BtfWriter w;
  uint32_t integer = w.integer("int", 4);
  w.structure("bad_member", 8, {{"x", 99, 0}});
  w.structure("outside", 4, {{"x", integer, 32}});
  w.structure("bits", 4, {{"x", integer, 3}});
  w.structure("wide_bits", 8, {{"x", integer, 0, 33}});
  w.add(BtfKind::Typedef, "odd_int_t", w.integer("odd", 3));
  w.add(BtfKind::Typedef, "huge_t", w.array(w.array(integer, 0x10000, integer), 0x10000, integer));
  uint32_t self = 12;
  EXPECT_EQ(w.add(BtfKind::Typedef, "self_t", self), self - 1);
  EXPECT_EQ(w.add(BtfKind::Const, "", self - 1), self);
  EXPECT_EQ(w.pointer(13), 13u);
  w.add(BtfKind::Typedef, "endless_t", 13);
  w.add(BtfKind::Typedef, "section_t", w.add(BtfKind::DataSec, "s", 0));
  Loaded btf(w.finish());
  for (const char *name : {"odd_int_t", "huge_t", "self_t", "endless_t", "section_t"}) {
    EXPECT_TRUE(btf.find(name).starts_with("error: malformed BTF")) << name << ": " << btf.find(name);
  }
  for (const char *name : {"struct bad_member", "struct outside", "struct bits", "struct wide_bits"}) {
    EXPECT_FALSE(btf.store.fields(btf.type(name))) << name;
  }
}

TEST(Btf, NoStructHoldsItself) {
  BtfWriter w;
  uint32_t integer = w.integer("int", 4);
  uint32_t next = integer + 1;
  EXPECT_EQ(w.structure("self", 4, {{"x", next, 0}}), next);
  uint32_t outer = next + 1, inner = next + 2, none = next + 3;
  w.structure("outer", 4, {{"n", integer, 0}, {"x", none, 0}});  // by way of an array without elements
  w.structure("inner", 4, {{"x", outer, 0}});
  EXPECT_EQ(w.array(inner, 0, integer), none);
  w.structure("fine", 4, {{"n", integer, 0}, {"x", w.array(integer, 0, integer), 32}});
  Loaded btf(w.finish());
  for (const char *name : {"struct self", "struct outer"}) EXPECT_FALSE(btf.store.fields(btf.type(name))) << name;
  EXPECT_TRUE(btf.store.fields(btf.type("struct fine")));
}

TEST(Btf, CutOffTypes) {
  BtfWriter w;
  w.integer("int", 4);
  w.add(BtfKind::Struct, "cut", 4, {}, 3);  // three members that are not there
  Loaded btf(w.finish());
  EXPECT_TRUE(btf.find("struct cut").starts_with("error:"));
  BtfWriter unknown;
  unknown.add(static_cast<BtfKind>(20), "x", 0);
  EXPECT_TRUE(Loaded(unknown.finish()).find("struct cut").starts_with("error:"));
}

}  // namespace
}  // namespace awl
