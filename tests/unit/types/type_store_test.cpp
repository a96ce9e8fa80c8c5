#include "runtime/types/type_store.h"

#include <gtest/gtest.h>

namespace awl {
namespace {

std::string found(TypeStore &store, std::string_view name) {
  auto type = store.find(name);
  if (!type) return "error: " + type.error().message;
  return *type ? to_string(**type) : "none";
}

TEST(TypeStore, EqualTypesAreTheSamePointer) {
  TypeStore store;
  EXPECT_EQ(store.int64(), store.integer(8, true));
  EXPECT_NE(store.int64(), store.uint64());
  EXPECT_EQ(store.pointer(store.int64()), store.pointer(store.int64()));
  EXPECT_NE(store.pointer(store.int64(), AddressSpace::User), store.pointer(store.int64(), AddressSpace::Kernel));
  EXPECT_EQ(store.array(store.boolean(), 3), store.array(store.boolean(), 3));
  EXPECT_EQ(store.tuple({store.int64(), store.string(8)}), store.tuple({store.int64(), store.string(8)}));
  EXPECT_NE(store.tuple({store.int64(), store.string(8)}), store.tuple({store.int64(), store.string(9)}));
  EXPECT_NE(store.record({"a"}, {store.int64()}), store.record({"b"}, {store.int64()}));
  EXPECT_NE(store.hist(store.int64(), 0), store.hist(store.int64(), 3));
  EXPECT_EQ(store.aggregate(AggregateKind::Hist, store.int64()), store.hist(store.int64(), 0));
  EXPECT_NE(store.with_display(store.uint64(), Display::KernelSymbol), store.uint64());
}

TEST(TypeStore, IntegersOfC) {
  TypeStore store;
  EXPECT_EQ(found(store, "unsigned long"), "uint64");
  EXPECT_EQ(found(store, "long unsigned int"), "uint64");
  EXPECT_EQ(found(store, "long  long\tint"), "int64");
  EXPECT_EQ(found(store, "unsigned"), "uint32");
  EXPECT_EQ(found(store, "short int"), "int16");
  EXPECT_EQ(found(store, "const unsigned char"), "uint8");
  EXPECT_EQ(found(store, "char"), "int8");
  EXPECT_EQ(found(store, "_Bool"), "bool");
  EXPECT_EQ(found(store, "__u32"), "uint32");
  EXPECT_EQ(found(store, "size_t"), "uint64");
  EXPECT_EQ(found(store, "pid_t"), "int32");
  for (const char *name : {"double", "float", "long char", "short long", "long long long", "unsigned signed", "",
                           "int x", "struct nothing"}) {
    EXPECT_EQ(found(store, name), "none") << name;
  }
}

TEST(TypeStore, NamesOfTheLanguage) {
  TypeStore store;
  for (const char *name : {"bool", "int8", "int64", "uint8", "uint64", "void", "string", "buffer", "inet", "timestamp",
                           "macaddr_t", "username_t", "cgroup_path_t", "usym_t", "ksym_t"}) {
    EXPECT_EQ(found(store, name), name);
  }
  EXPECT_EQ(found(store, "count_t"), "count");
  auto total = store.find("usum_t");
  ASSERT_TRUE(total && *total);
  EXPECT_EQ((**total)->target, store.uint64());
}

TEST(TypeStore, LayoutOfTuples) {
  TypeStore store;
  const Type *tuple = store.tuple({store.integer(1, false), store.integer(4, true), store.string(5), store.uint64()});
  ASSERT_EQ(tuple->fields.size(), 4u);
  EXPECT_EQ(tuple->fields[1].offset, 4u);
  EXPECT_EQ(tuple->fields[2].offset, 8u);
  EXPECT_EQ(tuple->fields[3].offset, 16u);
  EXPECT_EQ(tuple->size, 24u);
  EXPECT_EQ(store.tuple({store.uint64(), store.boolean()})->size, 16u);
  EXPECT_EQ(store.tuple({})->size, 0u);
}

TEST(TypeStore, LayoutOfDisplays) {
  TypeStore store;
  EXPECT_EQ(store.display_type(Display::UserSymbol)->size, 16u);
  EXPECT_EQ(store.display_type(Display::Timestamp)->size, 16u);
  EXPECT_EQ(store.display_type(Display::Inet)->size, 20u);
  EXPECT_EQ(store.display_type(Display::MacAddress)->size, 6u);
  EXPECT_EQ(store.display_type(Display::CgroupPath)->size, 16u);
  EXPECT_EQ(store.display_type(Display::ProbeName)->size, 8u);
}

TEST(TypeStore, SizesOfAggregates) {
  TypeStore store;
  EXPECT_EQ(store.aggregate(AggregateKind::Count, nullptr)->size, 8u);
  EXPECT_EQ(store.aggregate(AggregateKind::Min, store.int64())->size, 16u);
  EXPECT_EQ(store.hist(store.int64(), 0)->size, hist_buckets(0) * 8 + 8);
  EXPECT_EQ(store.lhist(store.int64(), 0, 100, 10)->size, 13u * 8);
}

TEST(TypeStore, WrittenAsInScripts) {
  TypeStore store;
  EXPECT_EQ(to_string(store.pointer(store.pointer(store.integer(1, true)))), "int8 **");
  EXPECT_EQ(to_string(store.array(store.array(store.integer(2, false), 3), 2)), "uint16[2][3]");
  EXPECT_EQ(to_string(store.tuple({store.uint64(), store.string(16)})), "(uint64, string[16])");
  EXPECT_EQ(to_string(store.tuple({store.uint64()})), "(uint64,)");
  EXPECT_EQ(to_string(store.record({"a", "b"}, {store.boolean(), store.buffer(4)})), "(a=bool, b=buffer[4])");
  EXPECT_EQ(to_string(store.stack(true, StackMode::Perf, 3)), "ustack");
}

// A source whose struct holds a pointer to itself and, wrongly, `bad` itself.
class Recursive : public TypeSource {
 public:
  [[nodiscard]] std::string name() const override { return "test"; }
  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override {
    if (name == "struct broken") return fail("broken");
    if (name != "struct node" && name != "struct bad") return std::nullopt;
    Type type;
    type.kind = TypeKind::Struct;
    type.name = name.substr(7);
    type.size = 8;
    return store.incomplete(std::move(type), this);
  }
  Result<std::vector<Field>> fields(TypeStore &store, const Type *type) override {
    ++asked;
    Field field;
    field.name = type->name == "bad" ? "" : "next";
    field.type = type->name == "bad" ? type : store.pointer(type);
    return std::vector<Field>{field};
  }
  int asked = 0;
};

TEST(TypeStore, StructsAreCompletedOnce) {
  TypeStore store;
  auto source = std::make_unique<Recursive>();
  Recursive &recursive = *source;
  store.add_source(std::move(source));
  const Type *node = **store.find("struct node");
  EXPECT_TRUE(node->fields.empty());
  EXPECT_EQ(recursive.asked, 0);
  auto next = store.field(node, "next");
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->type, store.pointer(node));
  EXPECT_TRUE(store.field(node, "next"));
  EXPECT_EQ(recursive.asked, 1);
  EXPECT_EQ(node->fields.size(), 1u);
  EXPECT_TRUE(store.complete(node));
}

TEST(TypeStore, SelfContainingStructIsAnError) {
  TypeStore store;
  store.add_source(std::make_unique<Recursive>());
  const Type *bad = **store.find("struct bad");
  auto field = store.field(bad, "x");
  ASSERT_TRUE(field);
  EXPECT_FALSE(*field);
  EXPECT_FALSE(store.complete(bad));
}

TEST(TypeStore, ErrorsAreNotMissingTypes) {
  TypeStore store;
  store.add_source(std::make_unique<Recursive>());
  EXPECT_EQ(found(store, "struct broken"), "error: broken");
  EXPECT_EQ(found(store, "struct other"), "none");
}

}  // namespace
}  // namespace awl
