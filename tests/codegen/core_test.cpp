#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "loaded.h"
#include "runtime/types/btf.h"
#include "runtime/types/tracefs.h"

namespace awl::testing {
namespace {

// Kernel structs as codegen sees them: names and where a field is reached; all offsets are wrong on purpose.
struct Kernel {
  explicit Kernel(Script &script) : s(script) {
    task = structure("task_struct");
    signal = structure("signal_struct");
    entity = structure("sched_entity");
  }

  const Type *structure(const std::string &name) {
    Type type;
    type.kind = TypeKind::Struct;
    type.origin = Origin::KernelBtf;
    type.name = name;
    type.size = 8;
    return s.types.intern(type);
  }

  ValuePtr load(Space space, ValuePtr base, const Type *owner, std::vector<std::string> path, const Type *type,
                uint8_t bits = 0) {
    auto node = make<FieldLoad>(type);
    node->space = space;
    node->base = std::move(base);
    node->field = {.owner = owner, .path = std::move(path), .type = type, .offset = 4, .bits = bits};
    return node;
  }

  ValuePtr current() { return s.helper(BPF_FUNC_get_current_task_btf); }

  Script &s;
  const Type *task, *signal, *entity;
};

TEST(Core, FieldsOfTheCurrentTask) {
  for (Space space : {Space::Trusted, Space::Kernel}) {
    Script s;
    Kernel k(s);
    Program &p = s.program();
    const Type *i32 = s.types.integer(4, true);
    uint32_t map = s.plain_map("r", s.i64(), s.i64());
    auto parent = [&] {
      return k.load(space, k.current(), k.task, {"real_parent"}, s.types.pointer(k.task, AddressSpace::Kernel));
    };
    p.body.push_back(s.map_set(map, s.number(0), k.load(space, k.current(), k.task, {"tgid"}, i32)));
    p.body.push_back(s.map_set(map, s.number(1), k.load(space, k.current(), k.task, {"pid"}, i32)));
    p.body.push_back(s.map_set(map, s.number(2), k.load(space, parent(), k.task, {"tgid"}, i32)));
    p.body.push_back(
        s.map_set(map, s.number(3), k.load(space, k.current(), k.task, {"se", "sum_exec_runtime"}, s.u64())));
    LOAD(bpf, s);
    bpf->run();
    EXPECT_EQ(bpf->words("r", 0).at(0), static_cast<uint64_t>(getpid()));
    EXPECT_EQ(bpf->words("r", 1).at(0), static_cast<uint64_t>(gettid()));
    EXPECT_EQ(bpf->words("r", 2).at(0), static_cast<uint64_t>(getppid()));
    EXPECT_GT(bpf->words("r", 3).at(0), 1000u);
  }
}

// A tracepoint's record is read at offsets from its format, also twice and in different branches: each access has to
// be one instruction with the offset in it, else the verifier refuses it.
TEST(Core, FieldsOfARecord) {
  std::string root = ::testing::TempDir() + "awl_tracefs";
  std::filesystem::create_directories(root + "/events/some/event");
  std::ofstream(root + "/events/some/event/format")
      << "name: event\nID: 1\nformat:\n"
         "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
         "\n"
         "\tfield:u64 first;\toffset:16;\tsize:8;\tsigned:0;\n"
         "\tfield:int second;\toffset:24;\tsize:4;\tsigned:1;\n"
         "\tfield:__data_loc char[] text;\toffset:28;\tsize:4;\tsigned:0;\n"
         "\tfield:char name[16];\toffset:32;\tsize:16;\tsigned:0;\n\nprint fmt: \"\"\n";
  Script s;
  s.types.add_source(make_tracefs_source(root));
  auto record = s.types.find("tracepoint some:event");
  ASSERT_TRUE(record && *record);
  auto field = [&](const char *name) {
    auto found = s.types.field(**record, name);
    EXPECT_TRUE(found && *found) << name;
    return **found;
  };
  auto get = [&](const char *name, const Type *type) {
    auto node = make<CtxField>(type);
    node->field = field(name);
    return node;
  };
  const Type *i32 = s.types.integer(4, true);
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  uint32_t names = s.plain_map("n", s.i64(), s.types.string(16));
  Program &p = s.program();
  p.prog_type = ProgType::Tracepoint;
  p.body.push_back(s.map_set(map, s.number(0), get("first", s.u64())));
  auto branch = make<Branch>();
  branch->condition = get("second", i32);
  branch->then.push_back(s.map_set(map, s.number(1), get("first", s.u64())));
  branch->otherwise.push_back(s.map_set(map, s.number(1), get("second", i32)));
  p.body.push_back(std::move(branch));
  p.body.push_back(s.map_set(map, s.number(2), get("text", s.types.integer(4, false))));
  auto name = make<FieldLoad>(s.types.string(16));
  name->space = Space::Context;
  name->base = make<CtxPointer>(s.u64());
  name->field = field("name");
  p.body.push_back(s.map_set(names, s.number(2), std::move(name)));
  if (geteuid() != 0) GTEST_SKIP() << "loading programs needs root";
  auto btf = make_minimal_btf(s.types, {{"tracepoint some:event", {{"first"}, {"second"}, {"text"}, {"name"}}}});
  ASSERT_TRUE(btf) << btf.error().message;
  EXPECT_TRUE(Loaded::load(s, btf->bytes));
}

// All sections that programs are put in are ones that libbpf knows.
TEST(Core, KindsOfPrograms) {
  Script s;
  uint32_t map = s.plain_map("r", nullptr, s.i64());
  for (ProgType type : {ProgType::RawTracepoint, ProgType::Tracepoint, ProgType::Kprobe, ProgType::PerfEvent}) {
    for (int twice = 0; twice < 2; ++twice) {
      Program &p = s.program("p" + std::to_string(static_cast<int>(type)) + std::to_string(twice));
      p.prog_type = type;
      p.filter_pid = true;
      p.body.push_back(s.map_set(map, nullptr, s.helper(BPF_FUNC_ktime_get_ns)));
    }
  }
  LOAD(bpf, s);
}

TEST(Core, AddressOfAField) {
  Script s;
  Kernel k(s);
  const Type *i32 = s.types.integer(4, true);
  auto address = make<FieldAddress>(s.types.pointer(i32, AddressSpace::Kernel));
  address->base = k.current();
  address->field = {.owner = k.task, .path = {"tgid"}, .type = i32};
  auto load = make<Load>(i32);
  load->space = Space::Kernel;
  load->address = std::move(address);
  uint32_t map = s.plain_map("r", nullptr, s.i64());
  s.program().body.push_back(s.map_set(map, nullptr, std::move(load)));
  LOAD(bpf, s);
  bpf->run();
  EXPECT_EQ(bpf->scalar("r"), static_cast<uint64_t>(getpid()));
}

TEST(Core, Bitfield) {
  for (Space space : {Space::Trusted, Space::Kernel}) {
    Script s;
    Kernel k(s);
    uint32_t map = s.plain_map("r", nullptr, s.i64());
    auto signal = k.load(space, k.current(), k.task, {"signal"}, s.types.pointer(k.signal, AddressSpace::Kernel));
    s.program().body.push_back(
        s.map_set(map, nullptr,
                  k.load(space, std::move(signal), k.signal, {"is_child_subreaper"}, s.types.integer(4, false), 1)));
    LOAD(bpf, s);
    for (uint64_t wanted : {1, 0}) {
      prctl(PR_SET_CHILD_SUBREAPER, wanted, 0, 0, 0);
      bpf->run();
      EXPECT_EQ(bpf->scalar("r"), wanted);
    }
  }
}

TEST(Core, CommAndCharArray) {
  Script s;
  Kernel k(s);
  const Type *name = s.types.string(16);
  uint32_t by_comm = s.aggregate_map("c", name, s.types.aggregate(AggregateKind::Count, nullptr));
  uint32_t by_field = s.aggregate_map("f", name, s.types.aggregate(AggregateKind::Count, nullptr));
  uint32_t equal = s.plain_map("e", nullptr, s.i64());
  Program &p = s.program();
  p.body.push_back(s.update(by_comm, make<Comm>(name), nullptr));
  p.body.push_back(s.update(by_field, k.load(Space::Trusted, k.current(), k.task, {"comm"}, name), nullptr));
  auto same = [&](const char *text) {
    return s.unary(Unary::Not, s.compare(make<Comm>(name), s.bytes(text, name), 16, true));
  };
  p.body.push_back(s.map_set(equal, nullptr,
                             s.binary(Op::Or, same("my-name"), s.binary(Op::ShiftLeft, same("my-nam"), s.number(1)))));
  LOAD(bpf, s);
  char old[16], now[16] = "my-name";
  prctl(PR_GET_NAME, old);
  prctl(PR_SET_NAME, now);
  bpf->run();
  prctl(PR_SET_NAME, old);
  EXPECT_EQ(bpf->words_at("c", now), std::vector<uint64_t>{1});
  EXPECT_EQ(bpf->words_at("f", now), std::vector<uint64_t>{1});
  EXPECT_EQ(bpf->scalar("e"), 1u);
}

}  // namespace
}  // namespace awl::testing
