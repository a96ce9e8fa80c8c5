#include "runtime/image/image_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "runtime/image/format.h"

namespace awl {
namespace {

Type structure(const char *name, uint32_t size, std::vector<Field> fields) {
  Type type;
  type.kind = TypeKind::Struct;
  type.origin = Origin::KernelBtf;
  type.name = name;
  type.size = size;
  type.btf_id = 7;
  type.fields = std::move(fields);
  return type;
}

Field member(const char *name, const Type *type, uint32_t offset) {
  Field field;
  field.name = name;
  field.type = type;
  field.offset = offset;
  return field;
}

// One of everything.
Image sample(TypeStore &store) {
  const Type *inner = store.intern(structure("inner", 8, {member("x", store.integer(4, true), 4)}));
  const Type *outer = store.intern(
      structure("outer", 24, {member("in", inner, 0), member("p", store.pointer(inner, AddressSpace::Kernel), 16)}));
  Image image;
  image.object = std::string(
      "\x7f"
      "ELF\0binary",
      11);
  Manifest &manifest = image.manifest;
  manifest.files = {{"x.bt", 0, 21}};
  manifest.expansions = {{"m", {1, 2}}};
  manifest.script_text = "BEGIN { @ = hist(1) }";
  manifest.config.max_strlen = 77;
  manifest.config.stack_mode = StackMode::Perf;
  MapInfo map;
  map.name = "@x";
  map.key = store.tuple({store.uint64(), store.string(16)});
  map.value = store.hist(store.int64(), 2);
  map.value_size = map.value->size;
  map.per_cpu = true;
  map.span = {3, 9};
  manifest.maps.push_back(map);
  MapInfo ring;
  ring.name = "ring";
  ring.role = MapRole::RingBuffer;
  manifest.maps.push_back(ring);
  Action action;
  action.kind = ActionKind::Print;
  action.format = "%d";
  action.map = 0;
  action.size = 64;
  action.args = {{outer, 8},
                 {store.display_type(Display::UserSymbol), 32},
                 {store.with_display(store.uint64(), Display::KernelSymbol), 48}};
  manifest.actions.push_back(action);
  manifest.probes.push_back({"kprobe", "kprobe:vfs_*", "p0", {1, 2}, 4});
  manifest.strings = {"%H", ""};
  manifest.core_structs = {{"struct task_struct", {{"comm"}, {"se", "vruntime"}}}};
  manifest.state_words = 30;
  return image;
}

TEST(Image, ComesBackAsItWas) {
  TypeStore store;
  Image image = sample(store);
  std::string bytes = serialize_image(image);
  TypeStore other;
  auto back = parse_image(bytes, other);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->object, image.object);
  EXPECT_EQ(back->manifest.script_text, image.manifest.script_text);
  EXPECT_EQ(back->manifest.config.max_strlen, 77u);
  EXPECT_EQ(back->manifest.config.stack_mode, StackMode::Perf);
  ASSERT_EQ(back->manifest.maps.size(), 2u);
  EXPECT_EQ(to_string(back->manifest.maps[0].key), "(uint64, string[16])");
  EXPECT_EQ(back->manifest.maps[0].value, other.hist(other.int64(), 2));
  EXPECT_EQ(back->manifest.maps[1].value, nullptr);
  ASSERT_EQ(back->manifest.actions.size(), 1u);
  const Action &action = back->manifest.actions[0];
  ASSERT_EQ(action.args.size(), 3u);
  ASSERT_EQ(action.args[0].type->fields.size(), 2u);
  EXPECT_EQ(action.args[0].type->fields[0].type->fields.at(0).name, "x");
  EXPECT_EQ(action.args[1].type, other.display_type(Display::UserSymbol));
  EXPECT_EQ(back->manifest.probes[0].text, "kprobe:vfs_*");
  EXPECT_EQ(back->manifest.core_structs[0].paths[1], (std::vector<std::string>{"se", "vruntime"}));
  EXPECT_EQ(serialize_image(*back), bytes);
}

TEST(Image, StructsBehindPointersAreNamesOnly) {
  TypeStore store;
  TypeStore other;
  auto back = parse_image(serialize_image(sample(store)), other);
  ASSERT_TRUE(back);
  const Type *pointer = back->manifest.actions[0].args[0].type->fields[1].type;
  EXPECT_EQ(to_string(pointer), "struct inner *");
  EXPECT_TRUE(pointer->target->fields.empty());
}

TEST(Image, EmptyImage) {
  TypeStore store;
  auto back = parse_image(serialize_image(Image{}), store);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(back->manifest.maps.empty());
}

TEST(Image, ThroughAFile) {
  TypeStore store;
  std::string path = testing::TempDir() + "awl_image_test." + std::to_string(getpid());
  Image image = sample(store);
  ASSERT_TRUE(write_image(image, path));
  auto back = read_image(path, store);
  EXPECT_TRUE(back && back->object == image.object);
  unlink(path.c_str());
  EXPECT_FALSE(read_image(path, store));
  EXPECT_FALSE(write_image(image, "/no/such/folder/x"));
}

std::string message(std::string_view bytes) {
  TypeStore store;
  auto image = parse_image(bytes, store);
  return image ? "fine" : image.error().message;
}

// Bytes with a checksum and size that fit again.
std::string sealed(std::string bytes) {
  uint32_t checksum = image_checksum(std::string_view(bytes).substr(kImageHeaderSize));
  uint64_t size = bytes.size() - kImageHeaderSize;
  memcpy(bytes.data() + 12, &checksum, 4);
  memcpy(bytes.data() + 16, &size, 8);
  return bytes;
}

TEST(Image, DamagedFilesAreRejected) {
  TypeStore store;
  std::string bytes = serialize_image(sample(store));
  EXPECT_EQ(message(""), "not an awl image");
  EXPECT_EQ(message("#!/usr/bin/awl\nBEGIN { exit() } // a script"), "not an awl image");
  EXPECT_TRUE(message(bytes + "x").starts_with("image is damaged"));
  std::string newer = bytes;
  newer[8] = 99;
  EXPECT_TRUE(message(newer).starts_with("image of format 99, this awl reads format "));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(message(bytes.substr(0, size)), "fine") << size;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_NE(message(flipped), "fine") << at;
  }
}

TEST(Image, MalformedContentWithRightChecksum) {
  TypeStore store;
  std::string bytes = serialize_image(sample(store));
  for (size_t size = kImageHeaderSize; size < bytes.size(); ++size) {
    EXPECT_NE(message(sealed(bytes.substr(0, size))), "fine") << size;
  }
  // Any other byte may be sound by chance; it must only never crash.
  for (size_t at = kImageHeaderSize; at < bytes.size(); ++at) {
    for (int value : {0, 1, 0x7f, 0xff}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(value);
      message(sealed(std::move(changed)));
    }
  }
}

TEST(Image, ContentThatMakesNoSense) {
  const std::function<void(Image &, TypeStore &)> mistakes[] = {
      [](Image &image, TypeStore &) { image.manifest.actions[0].map = 2; },
      [](Image &image, TypeStore &) { image.manifest.actions[0].map = -2; },
      [](Image &image, TypeStore &) { image.manifest.actions[0].size = 40; },
      [](Image &image, TypeStore &) { image.manifest.actions[0].args[0].type = nullptr; },
      [](Image &image, TypeStore &) { image.manifest.actions[0].args.clear(); },
      [](Image &image, TypeStore &) { image.manifest.actions[0].args[0].offset = 0; },  // that of the record's header
      [](Image &image, TypeStore &) {
        image.manifest.actions[0].kind = ActionKind::Join;
        image.manifest.actions[0].args.clear();
      },
      [](Image &image, TypeStore &) {
        image.manifest.actions[0].kind = ActionKind::ClearMap;
        image.manifest.actions[0].map = -1;
      },
      [](Image &image, TypeStore &) { image.manifest.maps[0].value = nullptr; },
      [](Image &image, TypeStore &) { image.manifest.maps[0].value_size = 8; },
      [](Image &image, TypeStore &) { image.manifest.state_words = UINT32_MAX; },
      [](Image &image, TypeStore &) { image.manifest.config.stack_mode = static_cast<StackMode>(9); },
      [](Image &image, TypeStore &store) { image.manifest.maps[0].key = store.poison(); },
      [](Image &image, TypeStore &store) { image.manifest.maps[0].key = store.void_type(); },
      [](Image &image, TypeStore &store) { image.manifest.maps[0].key = store.integer(3, false); },
      [](Image &image, TypeStore &store) {
        image.manifest.maps[0].key = store.intern(structure("s", 4, {member("x", store.int64(), 0)}));
      },
      [](Image &image, TypeStore &store) { image.manifest.maps[0].value = store.lhist(store.int64(), 0, 10, 0); },
  };
  for (size_t i = 0; i < std::size(mistakes); ++i) {
    TypeStore store;
    Image image = sample(store);
    mistakes[i](image, store);
    EXPECT_TRUE(message(serialize_image(image)).starts_with("image is malformed")) << i;
  }
}

}  // namespace
}  // namespace awl
