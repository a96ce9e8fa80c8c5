#include "runtime/output/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "unit/output/values.h"

namespace awl {
namespace {

using test::buckets;
using test::Bytes;

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n <= 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
}

// An output into pipes.
class Captured {
 public:
  explicit Captured(OutputOptions options, const FormatContext &context) {
    if (pipe2(out_, O_CLOEXEC) != 0 || pipe2(err_, O_CLOEXEC) != 0) abort();
    for (int fd : {out_[0], err_[0]}) fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int fd : {out_[1], err_[1]}) fcntl(fd, F_SETPIPE_SZ, 1 << 20);
    options.error_fd = err_[1];
    output = make_output(out_[1], options, context);
  }
  ~Captured() {
    output.reset();
    for (int fd : {out_[0], out_[1], err_[0], err_[1]}) close(fd);
  }
  std::string now() { return read_all(out_[0]); }
  std::string text() {
    output->flush();
    return now();
  }
  std::string errors() { return read_all(err_[0]); }
  void close_reader() {
    close(out_[0]);
    out_[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }

  std::unique_ptr<Output> output;

 private:
  int out_[2], err_[2];
};

class OutputTest : public testing::Test {
 protected:
  OutputTest() { context.manifest = &manifest; }

  static MapInfo map_info(const char *name, const Type *key, const Type *value) {
    MapInfo info;
    info.name = name;
    info.key = key;
    info.value = value;
    info.value_size = value->size;
    return info;
  }
  std::string shown(const MapView &view, bool json = false) {
    OutputOptions options;
    options.json = json;
    Captured captured(options, context);
    captured.output->map(view);
    return captured.text();
  }
  std::string json(const MapView &view) { return shown(view, true); }

  test::Types types;
  Manifest manifest;
  FormatContext context;
};

TEST_F(OutputTest, ScalarMaps) {
  MapInfo info = map_info("@x", nullptr, types.int64());
  std::vector<std::byte> five = Bytes().put<int64_t>(5).put<uint64_t>(1);
  EXPECT_EQ(shown({&info, {{{}, five}}}), "@x: 5\n");
  EXPECT_EQ(json({&info, {{{}, five}}}), "{\"type\": \"map\", \"data\": {\"@x\": 5}}\n");
  EXPECT_EQ(shown({&info, {}}), "@x: 0\n") << "never set";
  EXPECT_EQ(json({&info, {}}), "{\"type\": \"map\", \"data\": {\"@x\": 0}}\n");
}

TEST_F(OutputTest, KeyedMaps) {
  MapInfo info = map_info("@x", types.int64(), types.int64());
  auto number = [](int64_t n) { return Bytes().put(n).get(); };
  MapView view{&info, {{number(1), number(10)}, {number(-3), number(25)}}};
  EXPECT_EQ(shown(view), "@x[1]: 10\n@x[-3]: 25\n");
  EXPECT_EQ(json(view), "{\"type\": \"map\", \"data\": {\"@x\": {\"1\": 10, \"-3\": 25}}}\n");
  view.div = 10;
  EXPECT_EQ(shown(view), "@x[1]: 1\n@x[-3]: 2\n");
  view.entries.clear();
  EXPECT_EQ(shown(view), "");
  EXPECT_EQ(json(view), "");
}

TEST_F(OutputTest, TupleKeys) {
  MapInfo info = map_info("@str", types.tuple({types.string(8), types.int64()}), types.string(8));
  MapView view{&info, {{Bytes().text("a b", 8).put<int64_t>(1), Bytes().text("b", 8)}}};
  EXPECT_EQ(shown(view), "@str[a b, 1]: b\n");
  EXPECT_EQ(json(view), "{\"type\": \"map\", \"data\": {\"@str\": {\"a b,1\": \"b\"}}}\n");
}

TEST_F(OutputTest, JsonKeysStayDistinct) {
  MapInfo info = map_info("@x", types.tuple({types.string(8), types.string(8)}), types.int64());
  MapView view{&info,
               {{Bytes().text("a,b", 8).text("c", 8), Bytes().put<int64_t>(1)},
                {Bytes().text("a", 8).text("b,c", 8), Bytes().put<int64_t>(2)}}};
  EXPECT_EQ(
      json(view),
      "{\"type\": \"map\", \"data\": {\"@x\": {\"[\\\"a,b\\\",\\\"c\\\"]\": 1, \"[\\\"a\\\",\\\"b,c\\\"]\": 2}}}\n");
}

TEST_F(OutputTest, StackKeys) {
  class Stacks : public StackSource {
   public:
    std::vector<uint64_t> frames(const Type *, int32_t) override { return {0x10, 0x20}; }
  } stacks;
  context.stacks = &stacks;
  MapInfo info = map_info("@", types.stack(false, StackMode::Bpftrace), types.aggregate(AggregateKind::Count));
  MapView view{&info, {{Bytes().put<int32_t>(1).put<uint32_t>(0), Bytes().put<uint64_t>(3)}}};
  EXPECT_EQ(shown(view), "@[\n    0x10\n    0x20\n]: 3\n");
  EXPECT_EQ(json(view), "{\"type\": \"map\", \"data\": {\"@\": {\"\\n0x10\\n0x20\\n\": 3}}}\n");
}

TEST_F(OutputTest, Stats) {
  MapInfo info = map_info("@s", nullptr, types.aggregate(AggregateKind::Stats));
  MapView view{&info, {{{}, Bytes().put<uint64_t>(3).put<uint64_t>(6)}}};
  EXPECT_EQ(shown(view), "@s: { .count = 3, .average = 2, .total = 6 }\n");
  EXPECT_EQ(json(view), "{\"type\": \"stats\", \"data\": {\"@s\": {\"count\": 3, \"average\": 2, \"total\": 6}}}\n");
  MapInfo average = map_info("@a", types.int64(), types.aggregate(AggregateKind::Avg));
  MapView averages{&average, {{Bytes().put<int64_t>(2), Bytes().put<uint64_t>(1).put<uint64_t>(3)}}};
  EXPECT_EQ(shown(averages), "@a[2]: 3\n");
  EXPECT_EQ(json(averages), "{\"type\": \"stats\", \"data\": {\"@a\": {\"2\": 3}}}\n");
}

constexpr char kFull[] = "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n";
constexpr char kEmpty[] = "|                                                    |\n";

// Lines of bpftrace for hist() of -1, 0, 1 and 5.
TEST_F(OutputTest, Hist) {
  const Type *type = types.hist(0);
  MapInfo info = map_info("@a", nullptr, type);
  MapView view{&info, {{{}, buckets(type, {{0, 1}, {1, 1}, {2, 1}, {4, 1}})}}};
  EXPECT_EQ(shown(view), std::string("@a:\n") +                      //
                             "(..., 0)               1 " + kFull +   //
                             "[0]                    1 " + kFull +   //
                             "[1]                    1 " + kFull +   //
                             "[2, 4)                 0 " + kEmpty +  //
                             "[4, 8)                 1 " + kFull + "\n");
  EXPECT_EQ(
      json(view),
      "{\"type\": \"hist\", \"data\": {\"@a\": [{\"max\": -1, \"count\": 1}, {\"min\": 0, \"max\": 0, \"count\": 1}, "
      "{\"min\": 1, \"max\": 1, \"count\": 1}, {\"min\": 2, \"max\": 3, \"count\": 0}, "
      "{\"min\": 4, \"max\": 7, \"count\": 1}]}}\n");
}

TEST_F(OutputTest, HistSuffixes) {
  const Type *type = types.hist(0);
  MapInfo info = map_info("@b", types.int64(), type);
  MapView view{&info, {{Bytes().put<int64_t>(2), buckets(type, {{11, 2}, {12, 1}, {13, 4}})}}};
  EXPECT_EQ(shown(view),
            "@b[2]:\n"
            "[512, 1K)              2 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[1K, 2K)               1 |@@@@@@@@@@@@@                                       |\n"
            "[2K, 4K)               4 " +
                std::string(kFull) + "\n");
  view.entries[0].value = buckets(type, {{64, 1}});
  EXPECT_EQ(shown(view), "@b[2]:\n[4E, 8E)               1 " + std::string(kFull) + "\n");
  EXPECT_EQ(json(view),
            "{\"type\": \"hist\", \"data\": {\"@b\": {\"2\": [{\"min\": \"4611686018427387904\", "
            "\"max\": \"9223372036854775807\", \"count\": 1}]}}}\n");
}

TEST_F(OutputTest, HistWithBits) {
  const Type *type = types.hist(2);
  MapInfo info = map_info("@b", nullptr, type);
  MapView view{&info, {{{}, buckets(type, {{8, 1}, {10, 1}})}}};
  EXPECT_EQ(shown(view), std::string("@b:\n") +                      //
                             "[7]                    1 " + kFull +   //
                             "[8, 10)                0 " + kEmpty +  //
                             "[10, 12)               1 " + kFull + "\n");
}

TEST_F(OutputTest, HistCountsBeyond32Bits) {
  const Type *type = types.hist(0);
  MapInfo info = map_info("@b", nullptr, type);
  MapView view{&info, {{{}, buckets(type, {{1, 3'000'000'000}, {2, 1ULL << 32}})}}};
  EXPECT_EQ(shown(view),
            "@b:\n"
            "[0]             3000000000 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@                |\n"
            "[1]             4294967296 " +
                std::string(kFull) + "\n");
}

TEST_F(OutputTest, HistDivided) {
  const Type *type = types.hist(0);
  MapInfo info = map_info("@b", nullptr, type);
  MapView view{&info, {{{}, buckets(type, {{1, 10}, {2, 3}})}}, 10};
  EXPECT_EQ(shown(view),
            std::string("@b:\n[0]                    1 ") + kFull + "[1]                    0 " + kEmpty + "\n");
  view.div = 1000;
  EXPECT_EQ(shown(view),
            std::string("@b:\n[0]                    0 ") + kEmpty + "[1]                    0 " + kEmpty + "\n");
}

// Lines of bpftrace for lhist(5, 0, 10, 3) and lhist(-5, 0, 10, 3), and for values beyond the range.
TEST_F(OutputTest, LHist) {
  const Type *type = types.lhist(0, 10, 3);
  MapInfo info = map_info("@lh", nullptr, type);
  MapView view{&info, {{{}, buckets(type, {{0, 1}, {2, 1}})}}};
  EXPECT_EQ(shown(view), std::string("@lh:\n") +                     //
                             "(..., 0)               1 " + kFull +   //
                             "[0, 3)                 0 " + kEmpty +  //
                             "[3, 6)                 1 " + kFull + "\n");
  view.entries[0].value = buckets(type, {{4, 7}});
  EXPECT_EQ(shown(view), std::string("@lh:\n[9, ...)               7 ") + kFull + "\n");
  EXPECT_EQ(json(view), "{\"type\": \"hist\", \"data\": {\"@lh\": [{\"min\": 9, \"count\": 7}]}}\n");
  view.div = 7;
  EXPECT_EQ(shown(view), std::string("@lh:\n[9, ...)               7 ") + kFull + "\n") << "div is not for lhist";
}

TEST_F(OutputTest, LHistLabels) {
  const Type *type = types.lhist(0, 4 << 20, 1 << 19);
  MapInfo info = map_info("@l", nullptr, type);
  MapView view{&info, {{{}, buckets(type, {{1, 1}, {2, 1}, {3, 1}})}}};
  EXPECT_EQ(shown(view), std::string("@l:\n") +                     //
                             "[0, 512K)              1 " + kFull +  //
                             "[512K, 1M)             1 " + kFull +  //
                             "[1M, 1536K)            1 " + kFull + "\n");
  const Type *ones = types.lhist(0, 10, 1);
  MapInfo single = map_info("@l", nullptr, ones);
  EXPECT_EQ(shown({&single, {{{}, buckets(ones, {{6, 1}})}}}),
            std::string("@l:\n[5]                    1 ") + kFull + "\n");
}

TEST_F(OutputTest, TextMessages) {
  Captured captured({}, context);
  captured.output->record(RecordKind::Printf, "a ");
  captured.output->record(RecordKind::Time, "12:00\n");
  captured.output->record(RecordKind::Cat, "c\n");
  captured.output->record(RecordKind::Join, "x y");
  captured.output->record(RecordKind::Command, "hi\n");
  std::vector<std::byte> bytes = Bytes().put<int64_t>(3);
  captured.output->value({types.int64(), bytes});
  captured.output->end_of_records();
  EXPECT_EQ(captured.text(), "a 12:00\nc\nx y\nhi\n3\n\n\n");
  captured.output->attached(1);
  captured.output->attached(3);
  captured.output->lost_events(7);
  EXPECT_EQ(captured.errors(), "Attached 1 probe\nAttached 3 probes\nLost 7 events\n");
  EXPECT_EQ(captured.text(), "");
}

TEST_F(OutputTest, JsonMessages) {
  OutputOptions options;
  options.json = true;
  Captured captured(options, context);
  captured.output->attached(2);
  captured.output->record(RecordKind::Printf, "caf\xc3\xa9 \"x\"\n");
  captured.output->record(RecordKind::Join, "x\x01");
  captured.output->record(RecordKind::Command, "hi\n");
  captured.output->end_of_records();
  captured.output->lost_events(7);
  EXPECT_EQ(captured.text(),
            "{\"type\": \"attached_probes\", \"count\": 2, \"data\": {\"probes\": 2}}\n"
            "{\"type\": \"printf\", \"data\": \"caf\xc3\xa9 \\\"x\\\"\\n\"}\n"
            "{\"type\": \"join\", \"data\": \"x\\u0001\"}\n"
            "{\"type\": \"syscall\", \"data\": \"hi\\n\"}\n"
            "{\"type\": \"lost_events\", \"count\": 7, \"data\": {\"events\": 7}}\n");
}

TEST_F(OutputTest, Diagnostics) {
  Source source("x.bt", "BEGIN { @a[1] = 2 }");
  Diagnostics diagnostics;
  diagnostics.emit(diag::UnterminatedString, Span{8, 10}).with_hint("close it");
  OutputOptions options;
  options.json = true;
  Captured json_output(options, context);
  json_output.output->message(diagnostics.all()[0], source);
  EXPECT_EQ(
      json_output.text(),
      "{\"type\": \"runtime_error\", \"severity\": \"error\", \"code\": \"E0102\", \"msg\": \"string is not closed on "
      "its line\", \"filename\": \"x.bt\", \"line\": 1, \"col\": 9, \"hint\": \"close it\"}\n");
  Captured text_output({}, context);
  text_output.output->message(diagnostics.all()[0], source);
  EXPECT_TRUE(text_output.errors().starts_with("x.bt:1:9: error[E0102]: string is not closed on its line\n"));
}

TEST_F(OutputTest, Quiet) {
  OutputOptions options;
  options.quiet = true;
  Captured captured(options, context);
  captured.output->attached(1);
  captured.output->lost_events(1);
  EXPECT_EQ(captured.errors(), "Lost 1 events\n");
}

TEST_F(OutputTest, Buffering) {
  OutputOptions options;
  Captured line(options, context);
  line.output->record(RecordKind::Printf, "x\n");
  EXPECT_EQ(line.now(), "") << "a pipe gets whole batches";
  line.output->end_of_batch();
  EXPECT_EQ(line.now(), "x\n");
  options.buffering = Buffering::None;
  Captured none(options, context);
  none.output->record(RecordKind::Printf, "x");
  EXPECT_EQ(none.now(), "x");
  options.buffering = Buffering::Full;
  Captured full(options, context);
  full.output->record(RecordKind::Printf, "x\n");
  full.output->end_of_batch();
  EXPECT_EQ(full.now(), "");
  full.output->record(RecordKind::Printf, std::string(70000, 'y'));
  EXPECT_EQ(full.now().size(), 70002U) << "a full buffer is written";
  full.output->record(RecordKind::Printf, "z\n");
  full.output->flush();
  EXPECT_EQ(full.now(), "z\n");
}

TEST_F(OutputTest, GoneReader) {
  auto old = std::signal(SIGPIPE, SIG_IGN);
  Captured captured({}, context);
  EXPECT_FALSE(captured.output->broken());
  captured.close_reader();
  captured.output->record(RecordKind::Printf, "x\n");
  captured.output->flush();
  EXPECT_TRUE(captured.output->broken());
  EXPECT_EQ(captured.output->error(), EPIPE);
  captured.output->record(RecordKind::Printf, "more\n");
  captured.output->flush();
  std::signal(SIGPIPE, old);
}

TEST_F(OutputTest, FullDisk) {
  int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no /dev/full";
  std::unique_ptr<Output> output = make_output(fd, {}, context);
  output->record(RecordKind::Printf, "x\n");
  output->flush();
  EXPECT_EQ(output->error(), ENOSPC);
  output.reset();
  close(fd);
}

}  // namespace
}  // namespace awl
