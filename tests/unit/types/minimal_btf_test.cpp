// The BTF that is written, as libbpf understands it.
#include <bpf/btf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "runtime/types/btf.h"
#include "runtime/types/tracefs.h"

namespace awl {
namespace {

struct Parsed {
  explicit Parsed(const std::string &bytes) : btf(btf__new(bytes.data(), static_cast<uint32_t>(bytes.size()))) {}
  ~Parsed() { btf__free(btf); }
  Parsed(const Parsed &) = delete;
  Parsed &operator=(const Parsed &) = delete;

  const btf_type *find(const char *name, uint32_t kind = BTF_KIND_STRUCT) const {
    int id = btf__find_by_name_kind(btf, name, kind);
    return id > 0 ? btf__type_by_id(btf, static_cast<uint32_t>(id)) : nullptr;
  }
  // Members as "name" -> {bit offset, bits}.
  std::map<std::string, std::pair<uint32_t, uint32_t>> members(const btf_type *type) const {
    std::map<std::string, std::pair<uint32_t, uint32_t>> out;
    for (uint32_t i = 0; i < btf_vlen(type); ++i) {
      const btf_member &member = btf_members(type)[i];
      out[btf__name_by_offset(btf, member.name_off)] = {btf_member_bit_offset(type, i),
                                                        btf_member_bitfield_size(type, i)};
    }
    return out;
  }
  const btf_type *member_type(const btf_type *type, const std::string &name) const {
    for (uint32_t i = 0; i < btf_vlen(type); ++i) {
      if (name == btf__name_by_offset(btf, btf_members(type)[i].name_off)) {
        return btf__type_by_id(btf, btf_members(type)[i].type);
      }
    }
    return nullptr;
  }
  struct btf *btf;
};

Type structure(const char *name, uint32_t size, std::vector<Field> fields, bool is_union = false) {
  Type type;
  type.kind = TypeKind::Struct;
  type.origin = Origin::KernelBtf;
  type.name = name;
  type.size = size;
  type.is_union = is_union;
  type.fields = std::move(fields);
  return type;
}

Field member(const char *name, const Type *type, uint32_t offset, uint8_t bit_offset = 0, uint8_t bits = 0) {
  Field field;
  field.name = name;
  field.type = type;
  field.offset = offset;
  field.bit_offset = bit_offset;
  field.bits = bits;
  return field;
}

class Fixed : public TypeSource {
 public:
  explicit Fixed(std::map<std::string, const Type *> types) : types_(std::move(types)) {}
  [[nodiscard]] std::string name() const override { return "test"; }
  Result<std::optional<const Type *>> find(TypeStore &, std::string_view name) override {
    auto it = types_.find(std::string(name));
    if (it == types_.end()) return std::nullopt;
    return it->second;
  }
  Result<std::vector<Field>> fields(TypeStore &, const Type *type) override { return type->fields; }

 private:
  std::map<std::string, const Type *> types_;
};

TEST(MinimalBtf, FlattensAndSorts) {
  TypeStore store;
  const Type *u32 = store.integer(4, false);
  const Type *inner = store.intern(structure("inner", 24, {member("p", store.pointer(u32), 0), member("q", u32, 16)}));
  const Type *anonymous = store.intern(structure("", 24, {member("in", inner, 0), member("raw", u32, 0)}, true));
  const Type *outer = store.intern(structure(
      "outer", 64, {member("late", store.array(u32, 3), 40), member("", anonymous, 16), member("bit", u32, 4, 5, 2)}));
  store.add_source(
      std::make_unique<Fixed>(std::map<std::string, const Type *>{{"struct outer", outer}, {"struct inner", inner}}));

  auto minimal =
      make_minimal_btf(store, {{"struct outer", {{"late"}, {"in", "q"}, {"raw"}, {"bit"}, {"nothing"}, {"raw", "x"}}},
                               {"struct inner", {{"p"}}},
                               {"struct absent", {{"x"}}}});
  ASSERT_TRUE(minimal);
  EXPECT_EQ(minimal->missing,
            (std::vector<std::string>{"struct outer.nothing", "struct outer.raw.x", "struct absent"}));
  Parsed parsed(minimal->bytes);
  ASSERT_TRUE(parsed.btf);
  const btf_type *written = parsed.find("outer");
  ASSERT_TRUE(written);
  EXPECT_EQ(written->size, 64u);
  using Members = std::map<std::string, std::pair<uint32_t, uint32_t>>;
  EXPECT_EQ(parsed.members(written),
            (Members{{"bit", {37, 2}}, {"in", {128, 0}}, {"raw", {128, 0}}, {"late", {320, 0}}}));
  for (uint32_t i = 1; i < btf_vlen(written); ++i) {
    EXPECT_LE(btf_member_bit_offset(written, i - 1), btf_member_bit_offset(written, i));
  }
  // Both ways to `inner` end in one struct with all that is needed of it.
  const btf_type *embedded = parsed.member_type(written, "in");
  EXPECT_EQ(embedded, parsed.find("inner"));
  EXPECT_EQ(parsed.members(embedded), (Members{{"p", {0, 0}}, {"q", {128, 0}}}));
  EXPECT_EQ(embedded->size, 24u);
}

TEST(MinimalBtf, ThroughArraysOfStructs) {
  TypeStore store;
  const Type *item = store.intern(structure("item", 8, {member("a", store.integer(4, true), 4)}));
  const Type *owner = store.intern(structure("owner", 32, {member("items", store.array(item, 4), 0)}));
  store.add_source(std::make_unique<Fixed>(std::map<std::string, const Type *>{{"struct owner", owner}}));
  auto minimal = make_minimal_btf(store, {{"struct owner", {{"items", "a"}}}});
  ASSERT_TRUE(minimal);
  EXPECT_TRUE(minimal->missing.empty());
  Parsed parsed(minimal->bytes);
  ASSERT_TRUE(parsed.btf);
  const btf_type *array = parsed.member_type(parsed.find("owner"), "items");
  ASSERT_TRUE(array && btf_is_array(array));
  EXPECT_EQ(btf_array(array)->nelems, 4u);
  EXPECT_EQ(parsed.members(parsed.find("item")).at("a").first, 32u);
}

TEST(MinimalBtf, EventsAndTheirDynamicFields) {
  TypeStore store;
  auto event = parse_tracefs_format(store, "sched:wake",
                                    "format:\n\tfield:__data_loc char[] name; offset:8; size:4; signed:1;\n"
                                    "\tfield:long state; offset:16; size:8; signed:1;\n");
  ASSERT_TRUE(event);
  store.add_source(std::make_unique<Fixed>(std::map<std::string, const Type *>{{"tracepoint sched:wake", *event}}));
  auto minimal = make_minimal_btf(store, {{"tracepoint sched:wake", {{"name"}, {"state"}}}});
  ASSERT_TRUE(minimal);
  Parsed parsed(minimal->bytes);
  const btf_type *written = parsed.find("awl_sched__wake");
  ASSERT_TRUE(written);
  EXPECT_EQ(parsed.member_type(written, "name")->size, 4u);
  EXPECT_EQ(parsed.members(written).at("state").first, 128u);
}

TEST(MinimalBtf, NamesWithoutFlavours) {
  Type type;
  type.origin = Origin::Tracefs;
  type.name = "a_:_b";
  EXPECT_EQ(btf_name(&type).find("___"), std::string::npos) << btf_name(&type);
  type.name = "sched:sched_switch";
  EXPECT_EQ(btf_name(&type), "awl_sched__sched_switch");
}

TEST(MinimalBtf, SameOffsetsAsTheRunningKernel) {
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "this kernel has no BTF";
  TypeStore store;
  store.add_source(make_kernel_btf_source());
  auto minimal = make_minimal_btf(
      store, {{"struct task_struct", {{"comm"}, {"in_execve"}, {"real_parent"}, {"se", "vruntime"}, {"no_such"}}},
              {"struct page", {{"mapping"}}},
              {"struct file", {{"f_path", "dentry"}}},
              {"atomic_t", {{"counter"}}}});
  ASSERT_TRUE(minimal);
  EXPECT_EQ(minimal->missing, std::vector<std::string>{"struct task_struct.no_such"});
  EXPECT_LT(minimal->bytes.size(), 1000u);
  Parsed parsed(minimal->bytes);
  ASSERT_TRUE(parsed.btf);
  struct btf *kernel = btf__load_vmlinux_btf();
  ASSERT_TRUE(kernel);
  Parsed whole("");
  whole.btf = kernel;
  const btf_type *ours = parsed.find("task_struct"), *theirs = whole.find("task_struct");
  ASSERT_TRUE(ours && theirs);
  EXPECT_EQ(ours->size, theirs->size);
  auto real = whole.members(theirs);
  for (const auto &[name, place] : parsed.members(ours)) EXPECT_EQ(place, real.at(name)) << name;
  EXPECT_EQ(parsed.members(parsed.find("sched_entity")),
            (std::map<std::string, std::pair<uint32_t, uint32_t>>{
                {"vruntime", whole.members(whole.find("sched_entity")).at("vruntime")}}));
  EXPECT_EQ(parsed.members(parsed.find("page")).at("mapping").first, 24u * 8);
  EXPECT_TRUE(parsed.find("atomic_t", BTF_KIND_TYPEDEF));
}

}  // namespace
}  // namespace awl
