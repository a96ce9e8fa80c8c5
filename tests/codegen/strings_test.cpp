#include <unistd.h>

#include <cstring>

#include "loaded.h"

namespace awl::testing {
namespace {

uint64_t address(const void *pointer) { return reinterpret_cast<uint64_t>(pointer); }

// A string read into a map value: small on the stack, large in scratch memory, always zero behind its end.
class Reading : public ::testing::TestWithParam<uint32_t> {};

TEST_P(Reading, IntoAMap) {
  uint32_t size = GetParam();
  Script s;
  uint32_t map = s.plain_map("r", s.i64(), s.types.string(size));
  s.program().body.push_back(s.map_set(map, s.number(0), s.read_string(Space::User, s.arg(0, s.u64()), size)));
  LOAD(bpf, s);
  std::string large(3000, 'x');
  for (const std::string &text : {large, std::string("some words"), std::string()}) {
    bpf->run({address(text.c_str())});
    auto words = bpf->words("r", 0);
    std::string found(reinterpret_cast<char *>(words.data()), size);
    std::string wanted = text.substr(0, size - 1);
    wanted.resize(size);
    EXPECT_EQ(found, wanted);
  }
  bpf->run({8});
  for (uint64_t word : bpf->words("r", 0)) EXPECT_EQ(word, 0u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Reading, ::testing::Values(8u, 16u, 64u, 128u, 200u, 1024u, 2048u));

TEST(Strings, Limit) {
  Script s;
  uint32_t map = s.plain_map("r", s.i64(), s.types.string(64));
  s.program().body.push_back(s.map_set(map, s.number(0), s.read_string(Space::User, s.arg(0, s.u64()), 64, s.arg(1))));
  LOAD(bpf, s);
  const char text[] = "abcdefghijklmnop";
  for (auto [limit, wanted] : {std::pair<int64_t, size_t>{5, 4}, {100, 16}, {-1, 16}, {1, 0}, {0, 0}}) {
    bpf->run({address(text), static_cast<uint64_t>(limit)});
    auto words = bpf->words("r", 0);
    EXPECT_EQ(strlen(reinterpret_cast<char *>(words.data())), wanted) << limit;
  }
}

TEST(Strings, AsKey) {
  Script s;
  uint32_t map = s.aggregate_map("c", s.types.string(1024), s.types.aggregate(AggregateKind::Count, nullptr));
  s.program().body.push_back(s.update(map, s.read_string(Space::User, s.arg(0, s.u64()), 1024), nullptr));
  LOAD(bpf, s);
  for (const char *text : {"one", "a longer one than the other", "one"}) bpf->run({address(text)});
  char key[1024] = "one";
  EXPECT_EQ(bpf->words_at("c", key), std::vector<uint64_t>{2});
}

TEST(Strings, Buffer) {
  Script s;
  uint32_t map = s.plain_map("r", s.i64(), s.types.buffer(28));
  auto read = make<ReadBuffer>(s.types.buffer(28));
  read->space = Space::User;
  read->address = s.arg(0, s.u64());
  read->length = s.arg(1);
  s.program().body.push_back(s.map_set(map, s.number(0), std::move(read)));
  LOAD(bpf, s);
  const char data[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (uint32_t length : {0u, 1u, 10u, 28u, 1000u}) {
    bpf->run({address(data), length});
    auto words = bpf->words("r", 0);
    auto *bytes = reinterpret_cast<const char *>(words.data());
    uint32_t wanted = std::min(length, 28u);
    EXPECT_EQ(*reinterpret_cast<const uint32_t *>(bytes), wanted);
    EXPECT_EQ(memcmp(bytes + 4, data, wanted), 0);
    for (uint32_t i = wanted; i < 28; ++i) EXPECT_EQ(bytes[4 + i], 0);
  }
  bpf->run({8, 10});
  EXPECT_EQ(static_cast<uint32_t>(bpf->words("r", 0).at(0)), 0u);
}

// Two strings from user memory, compared as strings and as bytes; sizes that are unrolled and that are looped over.
class Comparing : public ::testing::TestWithParam<uint32_t> {};

TEST_P(Comparing, TwoStrings) {
  uint32_t size = GetParam();
  Script s;
  Program &p = s.program();
  uint32_t map = s.plain_map("r", s.i64(), s.i64());
  auto load = [&](uint32_t index) {
    auto node = make<Load>(s.types.array(s.types.integer(1, true), size));
    node->space = Space::User;
    node->address = s.arg(index, s.u64());
    return node;
  };
  p.body.push_back(s.map_set(map, s.number(0), s.compare(load(0), load(1), size, true)));
  p.body.push_back(s.map_set(map, s.number(1), s.compare(load(0), load(1), size, false)));
  p.body.push_back(
      s.map_set(map, s.number(2), s.compare(load(0), s.bytes("needle in here", s.types.string(size)), size, true)));
  LOAD(bpf, s);
  auto check = [&](const std::string &a, const std::string &b) {
    std::string first = a, second = b;
    first.resize(size);
    second.resize(size);
    bpf->run({address(first.data()), address(second.data())});
    EXPECT_EQ(bpf->words("r", 0).at(0), strncmp(first.data(), second.data(), size) != 0) << a << " / " << b;
    EXPECT_EQ(bpf->words("r", 1).at(0), first != second) << a << " / " << b;
    char needle[4096] = "needle in here";
    EXPECT_EQ(bpf->words("r", 2).at(0), strncmp(first.data(), needle, size) != 0) << a;
  };
  std::string filled(size, 'f'), other = filled;
  other.back() = 'g';
  check("", "");
  check("needle in here", "needle in here");
  check(std::string("needle in here\0behind", 21), std::string("needle in here\0other", 20));
  check("needle in her", "needle in here");
  check(filled, filled);
  check(filled, other);
  check(std::string("abc\0x", 5), std::string("abc\0y", 5));
  check(std::string("ab\xff\0x", 5), std::string("ab\x01\0y", 5));
}

INSTANTIATE_TEST_SUITE_P(Sizes, Comparing, ::testing::Values(5u, 8u, 15u, 16u, 40u, 64u, 203u, 1024u));

TEST(Strings, IntoTheRecord) {
  Script s;
  auto emit = make<Emit>();
  emit->action = s.action(ActionKind::Printf, {s.types.string(512), s.i64()});
  emit->args.push_back(s.read_string(Space::User, s.arg(0, s.u64()), 512));
  emit->args.push_back(s.number(77));
  s.program().body.push_back(std::move(emit));
  LOAD(bpf, s);
  bpf->run({address("in the record")});
  bpf->run({8});
  auto records = bpf->records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_STREQ(records[0].data() + 8, "in the record");
  EXPECT_EQ(*reinterpret_cast<const uint64_t *>(records[0].data() + 520), 77u);
  EXPECT_STREQ(records[1].data() + 8, "");
}

}  // namespace
}  // namespace awl::testing
