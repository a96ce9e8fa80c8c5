// Numbers and histograms behind the merged value of an aggregate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/output/value.h"

namespace awl {

inline bool is_histogram(const Type *type) {
  return type && type->kind == TypeKind::Aggregate &&
         (type->aggregate == AggregateKind::Hist || type->aggregate == AggregateKind::LHist);
}
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

// Lines "[2, 4)    3 |@@@   |", each with a newline.
void append_histogram(std::string &out, const Value &value, uint64_t div);
// `[{"min": 2, "max": 3, "count": 1}, ...]`
void append_json_histogram(std::string &out, const Value &value, uint64_t div);

// The value of a map as print(@m, top, div) shows it.
void append_map_value(std::string &out, const Value &value, uint64_t div, const FormatContext &context);
void append_json_map_value(std::string &out, const Value &value, uint64_t div, const FormatContext &context);

}  // namespace awl
