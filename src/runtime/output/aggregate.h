// Numbers, histograms and series behind the merged value of an aggregate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/output/value.h"

namespace awl {

inline bool is_histogram(const Type *type) {
  return type && type->kind == TypeKind::Aggregate &&
         (type->aggregate == AggregateKind::Hist || type->aggregate == AggregateKind::LHist);
}
inline bool is_series(const Type *type) {
  return type && type->kind == TypeKind::Aggregate && type->aggregate == AggregateKind::TSeries;
}
// Shown on lines of their own, below the name.
inline bool is_graph(const Type *type) { return is_histogram(type) || is_series(type); }
// avg() and stats(): messages of type "stats" in JSON.
inline bool is_statistic(const Type *type) {
  return type && type->kind == TypeKind::Aggregate &&
         (type->aggregate == AggregateKind::Avg || type->aggregate == AggregateKind::Stats);
}

// Signedness of what an aggregate shows: that of its argument; count is unsigned.
bool aggregate_is_signed(const Type &type);
// What count, sum, min and max show; the mean of avg and stats; the total count of histograms.
uint64_t aggregate_number(const Value &value);

struct Statistics {
  uint64_t count = 0;
  uint64_t average = 0;  // int64 behind if the argument is signed
  uint64_t total = 0;
};
Statistics statistics_of(const Value &value);

// number / div in the number's own signedness; div 0 counts as 1.
uint64_t divide(uint64_t number, uint64_t div, bool is_signed);

// One line of a histogram: bounds as its label shows them and as JSON gives them (closed interval).
struct HistogramRow {
  std::string label;
  bool open_low = false, open_high = false;
  int64_t min = 0, max = 0;
  uint64_t count = 0;
};
// Rows from the first to the last bucket that holds something; `div` divides counts of hist(), not of lhist().
std::vector<HistogramRow> histogram_rows(const Value &value, uint64_t div);

// Number of buckets, which the sum of the values stands behind.
uint32_t bucket_count(const Type &type);
// Sum of the values of a histogram; wraps around as sum() does.
int64_t histogram_sum(const Value &value);

// Lines "[2, 4)    3 |@@@   |", each with a newline.
void append_histogram(std::string &out, const Value &value, uint64_t div);
// The members `min` and `max` of a bucket, where it has them, each between `before` and `after`.
void append_json_bounds(std::string &out, const HistogramRow &row, std::string_view before, std::string_view after);
// `[{"min": 2, "max": 3, "count": 1}, ...]`
void append_json_histogram(std::string &out, const Value &value, uint64_t div);

// A percentile of a histogram: the smallest value that at least `percent` % of all values do not exceed lies in `row`;
// the estimate takes the values of that bucket as spread evenly.
struct Percentile {
  double percent = 0;
  int64_t estimate = 0;
  HistogramRow row;
};
std::vector<Percentile> percentiles_of(const Value &value, std::span<const double> percents);
// "50 99 99.9", with blanks, commas, `p` and `%` as people write them; each above 0 and at most 100.
Result<std::vector<double>> parse_percents(std::string_view text);
void append_percentiles(std::string &out, const Value &value, std::span<const double> percents);
void append_json_percentiles(std::string &out, const Value &value, std::span<const double> percents);

// An interval of a tseries().
struct SeriesPoint {
  int64_t start_ns = 0;  // wall clock
  bool any = false;      // there were values
  uint64_t value = 0;    // signed as aggregate_is_signed() says
};
// Number (wall clock / interval) of the last interval with values, 0 if there is none.
uint64_t series_end(const Value &value);
// From the first interval with values to number `end`, at most as many as are kept.
std::vector<SeriesPoint> series_points(const Value &value, uint64_t end);
// A graph with time running downwards.
void append_series(std::string &out, const Value &value, uint64_t end);
// `[{"interval_start": "2026-01-31T12:00:00Z", "value": 1}, ...]`, without intervals that have no value.
void append_json_series(std::string &out, const Value &value, uint64_t end);

// The value of a map as print(@m, top, div) shows it.
void append_map_value(std::string &out, const Value &value, uint64_t div, const FormatContext &context);
void append_json_map_value(std::string &out, const Value &value, uint64_t div, const FormatContext &context);

}  // namespace awl
