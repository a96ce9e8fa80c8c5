#include <unistd.h>

#include "codegen/codegen.h"
#include "loaded.h"

namespace awl::testing {
namespace {

ValuePtr compose(const Type *type, std::vector<ValuePtr> parts) {
  auto node = make<Compose>(type);
  for (size_t i = 0; i < parts.size(); ++i) node->parts.emplace_back(type->fields[i].offset, std::move(parts[i]));
  return node;
}

ValuePtr part(const Type *type, ValuePtr operand, uint32_t offset) {
  auto node = make<Part>(type);
  node->operand = std::move(operand);
  node->offset = offset;
  return node;
}

TEST(Memory, TupleAsKey) {
  Script s;
  const Type *i8 = s.types.integer(1, true);
  const Type *tuple = s.types.tuple({i8, s.i64(), s.types.string(16), i8});
  uint32_t map = s.aggregate_map("c", tuple, s.types.aggregate(AggregateKind::Count, nullptr));
  std::vector<ValuePtr> parts;
  parts.push_back(s.convert(i8, s.arg(0)));
  parts.push_back(s.arg(1));
  parts.push_back(s.bytes("key", s.types.string(16)));
  parts.push_back(s.convert(i8, s.arg(2)));
  s.program().body.push_back(s.update(map, compose(tuple, std::move(parts)), nullptr));
  LOAD(bpf, s);
  bpf->run({1, 2, 3});
  bpf->run({1, 2, 3});
  std::string key(tuple->size, '\0');
  key[0] = 1;
  key[tuple->fields[1].offset] = 2;
  key.replace(tuple->fields[2].offset, 3, "key");
  key[tuple->fields[3].offset] = 3;
  EXPECT_EQ(bpf->words_at("c", key.data()), std::vector<uint64_t>{2});
}

// ($a, $b) becomes ($b, $a): the parts are read before they are overwritten.
TEST(Memory, LocalMadeOfItself) {
  Script s;
  const Type *tuple = s.types.tuple({s.i64(), s.i64()});
  uint32_t map = s.plain_map("r", s.i64(), tuple);
  Program &p = s.program();
  p.locals.push_back({"$t", tuple});
  auto pair = [&](ValuePtr a, ValuePtr b) {
    std::vector<ValuePtr> parts;
    parts.push_back(std::move(a));
    parts.push_back(std::move(b));
    return compose(tuple, std::move(parts));
  };
  auto of = [&](uint32_t offset) { return part(s.i64(), s.local(0, tuple), offset); };
  p.body.push_back(s.set_local(0, pair(s.arg(0), s.arg(1))));
  p.body.push_back(s.set_local(0, pair(of(8), of(0))));
  p.body.push_back(s.map_set(map, s.number(0), s.local(0, tuple)));
  LOAD(bpf, s);
  bpf->run({1, 2});
  EXPECT_EQ(bpf->words("r", 0), (std::vector<uint64_t>{2, 1}));
}

TEST(Memory, MapValuesAndSelect) {
  Script s;
  const Type *text = s.types.string(200);
  uint32_t from = s.plain_map("a", s.i64(), text);
  uint32_t to = s.plain_map("b", nullptr, text);
  Program &p = s.program();
  p.locals.push_back({"$s", text});
  auto select = make<Select>(text);
  select->condition = s.arg(0);
  select->then = s.bytes(
      "a text that is kept as constant memory of the object, being longer than what is worth to be "
      "written word by word",
      text);
  select->otherwise = s.bytes("short", text);
  p.body.push_back(s.map_set(from, s.arg(0), std::move(select)));
  p.body.push_back(s.set_local(0, s.map_get(from, s.arg(1))));
  p.body.push_back(s.map_set(to, nullptr, s.local(0, text)));
  LOAD(bpf, s);
  auto run = [&](uint64_t a, uint64_t b) {
    bpf->run({a, b});
    auto words = bpf->words("b", 0);
    return std::string(reinterpret_cast<char *>(words.data()));
  };
  EXPECT_EQ(run(0, 0), "short");
  EXPECT_EQ(run(7, 7).substr(0, 11), "a text that");
  EXPECT_EQ(run(7, 8), "");
  EXPECT_EQ(run(7, 0), "short");
}

TEST(Memory, AddToMaps) {
  for (uint32_t size : {8u, 4u, 2u}) {
    Script s;
    const Type *type = s.types.integer(size, true);
    uint32_t keyed = s.plain_map("k", s.i64(), type);
    uint32_t scalar = s.plain_map("s", nullptr, type);
    uint32_t result = s.plain_map("r", s.i64(), s.i64());
    Program &p = s.program();
    for (uint32_t map : {keyed, scalar}) {
      auto key = [&]() -> ValuePtr { return map == keyed ? s.number(5) : nullptr; };
      auto add = make<MapAdd>();
      add->map = map;
      add->key = key();
      add->delta = s.arg(0);
      p.body.push_back(std::move(add));
      for (bool give_old : {true, false}) {
        auto get = make<MapAddGet>(type);
        get->map = map;
        get->key = key();
        get->delta = -1;
        get->give_old = give_old;
        p.body.push_back(s.map_set(result, s.number(map * 2 + give_old), std::move(get)));
      }
    }
    LOAD(bpf, s);
    bpf->run({10});
    for (uint32_t map : {keyed, scalar}) {
      EXPECT_EQ(bpf->words("r", map * 2 + 1).at(0), 10u);
      EXPECT_EQ(bpf->words("r", map * 2).at(0), 8u);
    }
    bpf->run({static_cast<uint64_t>(-20)});
    for (uint32_t map : {keyed, scalar}) EXPECT_EQ(static_cast<int64_t>(bpf->words("r", map * 2).at(0)), -14) << size;
  }
}

TEST(Memory, HasAndRemove) {
  Script s;
  uint32_t map = s.plain_map("k", s.i64(), s.i64());
  uint32_t result = s.plain_map("r", s.i64(), s.i64());
  Program &p = s.program();
  auto has = [&] {
    auto node = make<MapHas>(s.types.boolean());
    node->map = map;
    node->key = s.arg(0);
    return node;
  };
  auto remove = [&] {
    auto node = make<MapRemove>(s.types.boolean());
    node->map = map;
    node->key = s.arg(0);
    return node;
  };
  p.body.push_back(s.map_set(result, s.number(0), has()));
  p.body.push_back(s.map_set(map, s.arg(0), s.number(1)));
  p.body.push_back(s.map_set(result, s.number(1), has()));
  p.body.push_back(s.map_set(result, s.number(2), remove()));
  p.body.push_back(s.map_set(result, s.number(3), remove()));
  LOAD(bpf, s);
  bpf->run({9});
  for (auto [key, wanted] : {std::pair{0, 0u}, {1, 1u}, {2, 1u}, {3, 0u}})
    EXPECT_EQ(bpf->words("r", key).at(0), wanted);
}

// Scratch memory is given back at every exit, also by an early return.
TEST(Memory, PreemptibleScratchIsReleased) {
  Script s;
  const Type *text = s.types.string(256);
  uint32_t map = s.plain_map("r", s.i64(), text);
  Program &p = s.program();
  p.preemptible = true;
  auto branch = make<Branch>();
  branch->condition = s.arg(1);
  branch->then.push_back(s.map_set(map, s.number(1), s.read_string(Space::User, s.arg(0, s.u64()), 256)));
  branch->then.push_back(make<Leave>());
  p.body.push_back(std::move(branch));
  p.body.push_back(s.map_set(map, s.number(0), s.read_string(Space::User, s.arg(0, s.u64()), 256)));
  LOAD(bpf, s);
  for (uint64_t i = 0; i < 20; ++i) bpf->run({reinterpret_cast<uint64_t>("text"), i & 1});
  EXPECT_EQ(bpf->state(kStateScratchBusy), 0u);
  EXPECT_EQ(bpf->words("r", 0).size(), 32u);
  EXPECT_EQ(bpf->words("r", 1).size(), 32u);
}

// The argument's effect happens although there is no room for the record.
TEST(Memory, EffectsOfLostRecords) {
  Script s;
  s.manifest.config.ring_buffer_bytes = 4096;
  uint32_t map = s.plain_map("n", nullptr, s.i64());
  auto add = make<MapAddGet>(s.i64());
  add->map = map;
  auto emit = make<Emit>();
  emit->action = s.action(ActionKind::Printf, {s.i64(), s.types.string(64)});
  emit->args.push_back(std::move(add));
  emit->args.push_back(s.bytes("some text", s.types.string(64)));
  s.program().body.push_back(std::move(emit));
  LOAD(bpf, s);
  for (int i = 0; i < 100; ++i) bpf->run();
  EXPECT_GT(bpf->state(kStateLostEvents), 0u);
  EXPECT_EQ(bpf->scalar("n"), 100u);
  auto records = bpf->records();
  ASSERT_GT(records.size(), 2u);
  EXPECT_EQ(*reinterpret_cast<const uint64_t *>(records[2].data() + 8), 2u);
}

TEST(Memory, UsdtArguments) {
  Script s;
  s.module.uses_usdt = true;
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  Program &p = s.program();
  for (uint32_t i = 0; i < 5; ++i) {
    auto argument = make<UsdtArgument>(s.i64());
    argument->index = i;
    p.body.push_back(s.map_set(map, s.number(i), std::move(argument)));
  }
  LOAD(bpf, s);
  UsdtSpec spec;
  int32_t values[] = {-5, 6};
  auto set = [&](uint32_t index, UsdtArgKind kind, uint64_t constant, uint32_t reg, uint32_t bytes, bool is_signed) {
    spec.args[index] = {constant, static_cast<uint32_t>(kind), reg, 64 - 8 * bytes, is_signed};
  };
  set(0, UsdtArgKind::Constant, static_cast<uint64_t>(-7), 0, 8, true);
  set(1, UsdtArgKind::Register, 0, 8, 8, false);
  set(2, UsdtArgKind::Register, 0, 8, 1, true);
  set(3, UsdtArgKind::Memory, 0, 16, 4, true);
  set(4, UsdtArgKind::Memory, 4, 16, 4, false);
  bpf->set_usdt(spec);
  bpf->run({0, 0x1ff, reinterpret_cast<uint64_t>(values)});
  const int64_t wanted[] = {-7, 0x1ff, -1, -5, 6};
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(static_cast<int64_t>(bpf->words("r", i).at(0)), wanted[i]) << i;
}

TEST(Memory, StackTraces) {
  Script s;
  const Type *stack = s.types.stack(true, StackMode::Bpftrace, 8);
  MapInfo info;
  info.name = info.bpf_name = "stacks";
  info.role = MapRole::Stack;
  info.bpf_type = BPF_MAP_TYPE_STACK_TRACE;
  info.max_entries = 64;
  info.stack_frames = 8;
  s.manifest.maps.push_back(info);
  uint32_t map = s.plain_map("r", s.i64(), stack);
  auto trace = make<StackTrace>(stack);
  trace->map = 0;
  s.program().body.push_back(s.map_set(map, s.number(0), std::move(trace)));
  LOAD(bpf, s);
  bpf->run();
  uint64_t word = bpf->words("r", 0).at(0);
  EXPECT_EQ(word >> 32, static_cast<uint64_t>(getpid()));
}

// Errors of the back end are diagnostics at the program, and leave the process alive.
TEST(Memory, TooMuchStackIsADiagnostic) {
  Script s;
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  Program &p = s.program();
  for (uint32_t i = 0; i < 90; ++i) {
    p.locals.push_back({"$" + std::to_string(i), s.i64()});
    p.body.push_back(s.set_local(i, s.helper(BPF_FUNC_ktime_get_ns)));
  }
  for (uint32_t i = 0; i < 90; ++i) p.body.push_back(s.map_set(map, s.number(i), s.local(i, s.i64())));
  Source source("test", s.text);
  Diagnostics diagnostics;
  EXPECT_FALSE(emit(s.module, s.manifest, source, {}, diagnostics));
  ASSERT_EQ(diagnostics.error_count(), 1u);
  EXPECT_EQ(diagnostics.all()[0].info->code, "E0501");
  EXPECT_EQ(diagnostics.all()[0].span, kPlace);
}

}  // namespace
}  // namespace awl::testing
