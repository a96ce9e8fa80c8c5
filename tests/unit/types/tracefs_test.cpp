#include "runtime/types/tracefs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/strings.h"

namespace awl {
namespace {

constexpr const char *kCommon =
    "name: x\nID: 1\nformat:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

const Type *parse(TypeStore &store, const std::string &event, const std::string &fields) {
  auto type = parse_tracefs_format(store, event, kCommon + fields + "\nprint fmt: \"field:int no; offset:0;\"\n");
  EXPECT_TRUE(type) << type.error().message;
  return type ? *type : store.poison();
}

TEST(TracefsFormat, IntegersAndArrays) {
  TypeStore store;
  const Type *type = parse(store, "sched:sched_switch",
                           "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
                           "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
                           "\tfield:unsigned long bits[TWO];\toffset:32;\tsize:16;\tsigned:0;\n"
                           "\tfield:bool on;\toffset:48;\tsize:1;\tsigned:0;\n"
                           "\tfield:struct odd thing;\toffset:52;\tsize:12;\tsigned:0;\n"
                           "\tfield:char[8] old;\toffset:64;\tsize:8;\tsigned:1;\n");
  ASSERT_EQ(type->fields.size(), 8u);
  EXPECT_EQ(type->origin, Origin::Tracefs);
  EXPECT_EQ(type->size, 72u);
  EXPECT_EQ(to_string(type), "tracepoint sched:sched_switch");
  EXPECT_EQ(type->fields[0].name, "common_type");
  EXPECT_EQ(type->fields[2].type, store.array(store.integer(1, true), 16));
  EXPECT_EQ(type->fields[3].type, store.integer(4, true));
  EXPECT_EQ(type->fields[3].offset, 24u);
  EXPECT_EQ(type->fields[4].type, store.array(store.uint64(), 2));
  EXPECT_EQ(type->fields[5].type, store.boolean());
  EXPECT_EQ(type->fields[6].type, store.array(store.integer(1, false), 12));
  EXPECT_EQ(type->fields[7].type, store.array(store.integer(1, true), 8));
}

TEST(TracefsFormat, DynamicArrays) {
  TypeStore store;
  const Type *type = parse(store, "x:y",
                           "\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:1;\n"
                           "\tfield:__rel_loc u64[] numbers;\toffset:12;\tsize:4;\tsigned:0;\n"
                           "\tfield:__data_loc cpumask_t mask;\toffset:16;\tsize:4;\tsigned:0;\n");
  const Field &name = type->fields[2], &numbers = type->fields[3];
  EXPECT_TRUE(name.data_loc && !name.rel_loc);
  EXPECT_EQ(name.type, store.pointer(store.integer(1, true), AddressSpace::Kernel));
  EXPECT_EQ(name.stored_size(), 4u);
  EXPECT_TRUE(numbers.data_loc && numbers.rel_loc);
  EXPECT_EQ(numbers.type->target, store.uint64());
  EXPECT_TRUE(type->fields[4].data_loc);
  EXPECT_EQ(type->size, 20u);
}

TEST(TracefsFormat, ArgumentsOfSystemCalls) {
  TypeStore store;
  const Type *type = parse(store, "syscalls:sys_enter_openat",
                           "\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n"
                           "\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n"
                           "\tfield:umode_t mode;\toffset:32;\tsize:8;\tsigned:0;\n"
                           "\tfield:const char *const * argv;\toffset:40;\tsize:8;\tsigned:0;\n"
                           "\tfield:unknown_t other;\toffset:48;\tsize:8;\tsigned:0;\n"
                           "\tfield:void __seg_gs * percpu;\toffset:56;\tsize:8;\tsigned:0;\n");
  const Type *character = store.integer(1, true);
  EXPECT_EQ(type->fields[2].type, store.integer(4, true));
  EXPECT_EQ(type->fields[3].type, store.pointer(character, AddressSpace::User));
  EXPECT_EQ(type->fields[4].type, store.integer(2, false));
  EXPECT_EQ(type->fields[5].type, store.pointer(store.pointer(character, AddressSpace::User), AddressSpace::User));
  EXPECT_EQ(type->fields[6].type, store.uint64());
  EXPECT_EQ(type->fields[7].type, store.pointer(store.void_type(), AddressSpace::User));
}

TEST(TracefsFormat, PointersOfTheKernel) {
  TypeStore store;
  const Type *type = parse(store, "kmem:kmalloc", "\tfield:const void * ptr;\toffset:8;\tsize:8;\tsigned:0;\n");
  EXPECT_EQ(type->fields[2].type, store.pointer(store.void_type(), AddressSpace::Kernel));
  EXPECT_EQ(store.field(type, "ptr").value()->relocated(), true);
}

TEST(TracefsFormat, Malformed) {
  TypeStore store;
  EXPECT_FALSE(parse_tracefs_format(store, "x:y", ""));
  EXPECT_FALSE(parse_tracefs_format(store, "x:y", "no such thing"));
  for (const char *line :
       {"\tfield:int x; size:4;", "\tfield:int x; offset:4;", "\tfield:; offset:4; size:4;",
        "\tfield:int x[4; offset:4; size:4;", "\tfield:int x; offset:4294967295; size:4;",
        "\tfield:int x; offset:-1; size:4;", "\tfield:int x", "\tfield:int x; offset:99999999999; size:4;"}) {
    EXPECT_FALSE(parse_tracefs_format(store, "x:y", std::string("format:\n") + line)) << line;
  }
}

TEST(Tracefs, NamesThatAreNoEvents) {
  TypeStore store;
  store.add_source(make_tracefs_source("/no/such/place"));
  for (const char *name : {"tracepoint a:b", "tracepoint ../../etc:x", "tracepoint a:../b", "tracepoint :b",
                           "tracepoint a:", "tracepoint a", "a:b"}) {
    auto found = store.find(name);
    ASSERT_TRUE(found) << name;
    EXPECT_FALSE(*found) << name;
  }
}

TEST(Tracefs, EveryEventOfTheRunningKernel) {
  auto root = tracefs_path();
  if (!root) GTEST_SKIP() << root.error().message;
  TypeStore store;
  auto source = make_tracefs_source(*root);
  TypeSource *tracefs = source.get();
  store.add_source(std::move(source));
  size_t events = 0;
  for (const std::string &name : tracefs->names()) {
    auto found = store.find(name);
    ASSERT_TRUE(found) << name << ": " << found.error().message;
    events += found->has_value();
  }
  EXPECT_GT(events, 100u);
  auto found = store.find("tracepoint sched:sched_switch");
  ASSERT_TRUE(found && *found);
  auto comm = store.field(**found, "next_comm");
  ASSERT_TRUE(comm && *comm);
  EXPECT_EQ((*comm)->type->size, 16u);
}

}  // namespace
}  // namespace awl
