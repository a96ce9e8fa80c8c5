#include "runtime/symbols/mapping_events.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <cstring>
#include <string>

namespace awl {
namespace {

struct Body {
  std::string bytes;
  template <class T>
  Body &add(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
    return *this;
  }
  Body &text(std::string_view text) {
    bytes.append(text);
    bytes.resize((bytes.size() + 8) & ~size_t{7});
    return *this;
  }
};

Body map_record(uint32_t protection, std::string_view path) {
  Body body;
  body.add<uint32_t>(7).add<uint32_t>(8).add<uint64_t>(0x1000).add<uint64_t>(0x2000).add<uint64_t>(0x3000);
  body.add<uint32_t>(0xfe).add<uint32_t>(1).add<uint64_t>(99).add<uint64_t>(5).add(protection).add<uint32_t>(2);
  return body.text(path);
}

bool parse(uint32_t type, const std::string &bytes, MappingEvent &event, uint16_t flags = 0) {
  return parse_mapping_event(type, flags, bytes, event);
}

TEST(MappingEvents, Map) {
  MappingEvent event;
  ASSERT_TRUE(parse(PERF_RECORD_MMAP2, map_record(5, "/tmp/x (deleted)").add<uint64_t>(123).bytes, event));
  EXPECT_EQ(event.kind, MappingEvent::Kind::Map);
  EXPECT_EQ(event.pid, 7U);
  EXPECT_EQ(event.time, 123U);
  EXPECT_EQ(event.mapping.start, 0x1000U);
  EXPECT_EQ(event.mapping.end, 0x3000U);
  EXPECT_EQ(event.mapping.offset, 0x3000U);
  EXPECT_EQ(event.mapping.device, "fe:01");
  EXPECT_EQ(event.mapping.inode, 99U);
  EXPECT_EQ(event.mapping.generation, 5U);
  EXPECT_EQ(event.mapping.path, "/tmp/x");
}

TEST(MappingEvents, MemoryWithoutFile) {
  MappingEvent event;
  ASSERT_TRUE(parse(PERF_RECORD_MMAP2, map_record(7, "//anon").add<uint64_t>(1).bytes, event));
  EXPECT_EQ(event.mapping.path, "");
}

TEST(MappingEvents, NotWanted) {
  MappingEvent event;
  EXPECT_FALSE(parse(PERF_RECORD_MMAP2, map_record(3, "/data").add<uint64_t>(1).bytes, event)) << "no code";
  Body thread;
  thread.add<uint32_t>(7).add<uint32_t>(7).add<uint32_t>(9).add<uint32_t>(7).add<uint64_t>(1).add<uint64_t>(1);
  EXPECT_FALSE(parse(PERF_RECORD_FORK, thread.bytes, event)) << "a thread";
  EXPECT_FALSE(parse(PERF_RECORD_EXIT, thread.bytes, event)) << "a thread";
  Body renamed;
  renamed.add<uint32_t>(7).add<uint32_t>(7).text("name").add<uint64_t>(1);
  EXPECT_FALSE(parse(PERF_RECORD_COMM, renamed.bytes, event)) << "a new name without exec";
  EXPECT_TRUE(parse(PERF_RECORD_COMM, renamed.bytes, event, PERF_RECORD_MISC_COMM_EXEC));
}

TEST(MappingEvents, CutOff) {
  const std::string whole = map_record(5, "/tmp/x").add<uint64_t>(1).bytes;
  for (size_t size = 0; size < 72; size++) {
    MappingEvent event;
    EXPECT_FALSE(parse(PERF_RECORD_MMAP2, whole.substr(0, size), event)) << size;
  }
}

}  // namespace
}  // namespace awl
