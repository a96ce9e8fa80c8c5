// What the running kernel says of itself; skipped where it has no BTF.
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/types/btf.h"

namespace awl {
namespace {

class KernelBtf : public testing::Test {
 protected:
  void SetUp() override {
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "this kernel has no BTF";
    auto source = make_kernel_btf_source();
    btf = source.get();
    store.add_source(std::move(source));
  }

  const Type *type(std::string_view name) {
    auto found = store.find(name);
    EXPECT_TRUE(found && *found) << name;
    return found && *found ? **found : store.poison();
  }
  FieldRef field(std::string_view owner, std::string_view name) {
    auto found = store.field(type(owner), name);
    EXPECT_TRUE(found && *found) << owner << "." << name;
    return found && *found ? **found : FieldRef{};
  }

  TypeStore store;
  TypeSource *btf = nullptr;
};

TEST_F(KernelBtf, ArrayOfChar) {
  FieldRef comm = field("struct task_struct", "comm");
  ASSERT_TRUE(comm.type);
  EXPECT_EQ(comm.type, store.array(store.integer(1, true), 16));
  EXPECT_TRUE(comm.relocated());
  EXPECT_EQ(comm.path, std::vector<std::string>{"comm"});
}

TEST_F(KernelBtf, Bitfield) {
  FieldRef bit = field("struct task_struct", "in_execve");
  EXPECT_EQ(bit.bits, 1);
  EXPECT_EQ(bit.type, store.integer(4, false));
  EXPECT_LT(bit.bit_offset, 32);
  EXPECT_EQ(bit.offset % 4, 0u);
}

TEST_F(KernelBtf, RecursiveStruct) {
  FieldRef next = field("struct list_head", "next");
  EXPECT_EQ(next.type, store.pointer(type("struct list_head"), AddressSpace::Kernel));
  EXPECT_EQ(field("struct task_struct", "real_parent").type,
            store.pointer(type("struct task_struct"), AddressSpace::Kernel));
}

TEST_F(KernelBtf, ThroughAnonymousMembers) {
  FieldRef mapping = field("struct page", "mapping");
  EXPECT_EQ(mapping.offset, 24u);
  EXPECT_EQ(mapping.path.size(), 1u);
  EXPECT_EQ(to_string(mapping.type), "struct address_space *");
  EXPECT_GT(field("struct sk_buff", "protocol").offset, field("struct sk_buff", "sk").offset);
}

TEST_F(KernelBtf, Enumerators) {
  auto established = store.enumerator("TCP_ESTABLISHED");
  ASSERT_TRUE(established);
  EXPECT_EQ(established->second, 1);
  EXPECT_FALSE(store.enumerator("NO_SUCH_ENUMERATOR_AT_ALL"));
  EXPECT_EQ(type("enum pid_type")->kind, TypeKind::Enum);
}

TEST_F(KernelBtf, Typedefs) {
  EXPECT_EQ(type("pid_t"), store.integer(4, true));
  const Type *atomic = type("atomic_t");
  EXPECT_EQ(to_string(atomic), "atomic_t");
  EXPECT_EQ(field("atomic_t", "counter").offset, 0u);
  EXPECT_EQ(type("refcount_t"), type("struct refcount_struct"));
}

TEST_F(KernelBtf, FunctionPrototypes) {
  auto proto = btf_function(store, *btf, "vfs_read");
  ASSERT_TRUE(proto && *proto);
  ASSERT_EQ((*proto)->params.size(), 4u);
  EXPECT_EQ((*proto)->params[0].first, "file");
  EXPECT_EQ((*proto)->params[0].second, store.pointer(type("struct file"), AddressSpace::Kernel));
  EXPECT_EQ((*proto)->result, store.int64());
  auto none = btf_function(store, *btf, "no_such_function");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST_F(KernelBtf, EveryStructCanBeRead) {
  size_t structs = 0;
  for (const std::string &name : btf->names()) {
    auto found = store.find(name);
    ASSERT_TRUE(found) << name << ": " << found.error().message;
    ASSERT_TRUE(*found) << name;
    auto done = store.complete(**found);
    ASSERT_TRUE(done) << name << ": " << done.error().message;
    structs += (**found)->is_struct();
  }
  EXPECT_GT(structs, 1000u);
}

TEST_F(KernelBtf, UnknownNames) {
  for (const char *name : {"struct no_such_struct", "no_such_t", "struct ", "enum no_such", "task_struct"}) {
    auto found = store.find(name);
    ASSERT_TRUE(found) << name;
    EXPECT_FALSE(*found) << name;
  }
}

TEST(NoKernelBtf, FindsNothing) {
  TypeStore store;
  store.add_source(make_kernel_btf_source("/no/such/file"));
  auto found = store.find("struct task_struct");
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
  EXPECT_FALSE(store.enumerator("TCP_ESTABLISHED"));
  EXPECT_EQ(**store.find("pid_t"), store.integer(4, true));
}

}  // namespace
}  // namespace awl
