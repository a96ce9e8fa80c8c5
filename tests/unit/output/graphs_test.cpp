// Series and percentiles.
#include <gtest/gtest.h>

#include "runtime/output/aggregate.h"
#include "values.h"

namespace awl {
namespace {

using test::Types;

Type series_type(SeriesKind kind, int64_t interval, uint32_t length) {
  Type type;
  type.kind = TypeKind::Aggregate;
  type.aggregate = AggregateKind::TSeries;
  type.series = kind;
  type.series_interval = interval;
  type.series_length = length;
  type.size = length * kSeriesSlotSize;
  return type;
}

struct Slot {
  uint64_t epoch;
  int64_t value;
  uint64_t extra;
};

std::vector<std::byte> slots(const Type &type, const std::vector<Slot> &given) {
  std::vector<std::byte> bytes(type.size);
  for (const Slot &slot : given)
    std::memcpy(bytes.data() + slot.epoch % type.series_length * kSeriesSlotSize, &slot, sizeof(slot));
  return bytes;
}

// As bpftrace draws it.
TEST(Series, GraphWithZeroLine) {
  setenv("TZ", "UTC", 1);
  Type type = series_type(SeriesKind::Last, 100'000'000, 4);
  std::vector<std::byte> bytes = slots(type, {{11, -5, 1}, {12, 0, 1}, {14, 5, 1}});
  Value value{&type, bytes};
  std::string out;
  append_series(out, value, series_end(value));
  EXPECT_EQ(out,
            "             -5                                                  5\n"
            "hh:mm:ss.ms  |___________________________________________________|\n"
            "00:00:01.100 *                         .                         | -5\n"
            "00:00:01.200 |                         *                         | 0\n"
            "00:00:01.300 |                         .                         | -\n"
            "00:00:01.400 |                         .                         * 5\n"
            "             v___________________________________________________v\n"
            "             -5                                                  5\n");
  out.clear();
  append_json_series(out, value, series_end(value));
  EXPECT_EQ(out,
            "[{\"interval_start\": \"1970-01-01T00:00:01.100Z\", \"value\": -5}, "
            "{\"interval_start\": \"1970-01-01T00:00:01.200Z\", \"value\": 0}, "
            "{\"interval_start\": \"1970-01-01T00:00:01.400Z\", \"value\": 5}]");
}

TEST(Series, FlatLineRunsInTheMiddleAndOldIntervalsAreLeftOut) {
  Type type = series_type(SeriesKind::Avg, 1'000'000'000, 3);
  std::vector<std::byte> bytes = slots(type, {{10, 99, 1}, {14, 8, 2}, {15, 12, 3}});
  Value value{&type, bytes};
  std::vector<SeriesPoint> points = series_points(value, 15);
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].value, 4U);
  EXPECT_EQ(points[1].value, 4U);
  std::string out;
  append_series(out, value, 16);
  EXPECT_NE(out.find("|                         *                         | 4\n"), std::string::npos);
  EXPECT_NE(out.find("| -\n"), std::string::npos) << "shown up to the end of all series of the map";
  EXPECT_EQ(out.substr(0, out.find('\n')), "         3                                                   5");
}

TEST(Series, WithoutValuesSaysSo) {
  Type type = series_type(SeriesKind::Sum, 1'000'000'000, 3);
  std::vector<std::byte> bytes(type.size);
  Value value{&type, bytes};
  std::string out;
  append_series(out, value, series_end(value));
  EXPECT_EQ(out, "<no data>\n");
  out.clear();
  append_json_series(out, value, series_end(value));
  EXPECT_EQ(out, "[]");
}

TEST(Series, SlotsMayStandInAnyOrderAndBeFewer) {
  Type type = series_type(SeriesKind::Sum, 1'000'000'000, 50);
  const uint64_t words[] = {102, 7, 1, 100, 5, 1, 5, 9, 1};  // the last one is longer ago than is kept
  Value value{&type, std::as_bytes(std::span(words))};
  ASSERT_EQ(series_end(value), 102U);
  std::vector<SeriesPoint> points = series_points(value, 102);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].value, 5U);
  EXPECT_FALSE(points[1].any);
  EXPECT_EQ(points[2].value, 7U);
}

TEST(Percentiles, Parse) {
  EXPECT_EQ(*parse_percents("50 99.9,p100%"), (std::vector<double>{50, 99.9, 100}));
  EXPECT_EQ(parse_percents("50 x").error().message, "`x` is no percentile");
  EXPECT_EQ(parse_percents("101").error().message, "`101` is no percentile");
  EXPECT_EQ(parse_percents("0").error().message, "`0` is no percentile");
  EXPECT_EQ(parse_percents(" ").error().message, "no percentile given");
}

TEST(Percentiles, AreInTheBucketOfTheirRank) {
  Types types;
  const Type *type = types.hist(0);
  std::vector<std::byte> bytes(type->size);
  auto set = [&](size_t bucket, uint64_t count) { std::memcpy(bytes.data() + bucket * 8, &count, 8); };
  set(0, 1);   // below zero
  set(2, 98);  // 1
  set(5, 1);   // 8 to 15
  Value value{type, bytes};
  double percents[] = {1, 50, 99, 99.5, 100};
  std::vector<Percentile> found = percentiles_of(value, percents);
  ASSERT_EQ(found.size(), 5U);
  EXPECT_TRUE(found[0].row.open_low);
  EXPECT_EQ(found[0].estimate, -1);
  EXPECT_EQ(found[1].estimate, 1);
  EXPECT_EQ(found[2].estimate, 1) << "99 of 100 values are at most 1";
  EXPECT_EQ(found[3].row.min, 8);
  EXPECT_EQ(found[4].row.max, 15);
  EXPECT_GE(found[4].estimate, 8);
  EXPECT_LE(found[4].estimate, 15);
}

TEST(Percentiles, OfNothingAreNone) {
  Types types;
  const Type *type = types.hist(0);
  std::vector<std::byte> bytes(type->size);
  double percents[] = {50};
  EXPECT_TRUE(percentiles_of({type, bytes}, percents).empty());
}

}  // namespace
}  // namespace awl
