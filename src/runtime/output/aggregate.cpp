#include "runtime/output/aggregate.h"

#include <fmt/format.h>

#include "runtime/output/value_parts.h"
#include "runtime/types/histogram.h"

namespace awl {

bool aggregate_is_signed(const Type &type) {
  if (type.aggregate == AggregateKind::Count) return false;
  return !type.target || (type.target->is_signed && type.target->kind != TypeKind::Pointer);
}

uint64_t divide(uint64_t number, uint64_t div, bool is_signed) {
  if (div <= 1) return number;
  if (!is_signed) return number / div;
  if (div > INT64_MAX) return 0;
  return static_cast<uint64_t>(static_cast<int64_t>(number) / static_cast<int64_t>(div));
}

Statistics statistics_of(const Value &value) {
  Statistics result;
  result.count = load<uint64_t>(value.bytes, 0);
  result.total = load<uint64_t>(value.bytes, 8);
  if (result.count) result.average = divide(result.total, result.count, aggregate_is_signed(*value.type));
  return result;
}

uint64_t aggregate_number(const Value &value) {
  switch (value.type->aggregate) {
    case AggregateKind::Count:
    case AggregateKind::Sum:
    case AggregateKind::Min:
    case AggregateKind::Max: return load<uint64_t>(value.bytes);
    case AggregateKind::Avg:
    case AggregateKind::Stats: return statistics_of(value).average;
    case AggregateKind::TSeries: return 0;
    case AggregateKind::Hist:
    case AggregateKind::LHist: break;
  }
  uint64_t total = 0;
  for (uint32_t i = 0; i < bucket_count(*value.type); i++) total += load<uint64_t>(value.bytes, size_t{i} * 8);
  return total;
}

uint32_t bucket_count(const Type &type) {
  return type.aggregate == AggregateKind::LHist ? lhist_buckets(type.lhist_min, type.lhist_max, type.lhist_step)
                                                : hist_buckets(type.hist_bits);
}

int64_t histogram_sum(const Value &value) { return load<int64_t>(value.bytes, size_t{bucket_count(*value.type)} * 8); }

namespace {

// Start of bucket 1 + i as bpftrace labels it: from 2^(bits + 1) on with a suffix for the largest power of 1024.
std::string hist_label(uint32_t i, uint32_t bits) {
  uint64_t start = hist_start(i, bits);
  if (i <= (2U << bits)) return fmt::to_string(start);
  uint32_t decade = ((i >> bits) - 1) / 10;
  std::string label = fmt::to_string(start >> (10 * decade));
  if (decade) label += "\0KMGTPE"[decade];
  return label;
}

std::string lhist_label(int64_t number, int64_t step) {
  constexpr int64_t kKilo = 1024, kMega = 1024 * 1024;
  if (step % kKilo != 0 || number == 0) return fmt::to_string(number);
  if (number % kMega == 0) return fmt::format("{}M", number / kMega);
  if (number % kKilo == 0) return fmt::format("{}K", number / kKilo);
  return fmt::to_string(number);
}

HistogramRow hist_row(uint32_t bucket, uint32_t bits) {
  const BucketBounds bounds = hist_bounds(bucket, bits);
  HistogramRow row;
  row.open_low = bounds.open_low;
  row.min = bounds.low;
  row.max = bounds.open_high ? bounds.high : bounds.high - 1;
  if (bounds.open_low)
    row.label = "(..., 0)";
  else if (bounds.single())
    row.label = "[" + hist_label(bucket - 1, bits) + "]";
  else
    row.label = "[" + hist_label(bucket - 1, bits) + ", " + hist_label(bucket, bits) + ")";
  return row;
}

HistogramRow lhist_row(uint32_t bucket, const Type &type) {
  BucketBounds bounds = lhist_bounds(bucket, type.lhist_min, type.lhist_max, type.lhist_step);
  HistogramRow row;
  row.open_low = bounds.open_low;
  row.open_high = bounds.open_high;
  row.min = bounds.low;
  row.max = bounds.high - 1;
  if (bounds.single() && type.lhist_step % 1024 != 0) {
    row.label = fmt::format("[{}]", bounds.low);
    return row;
  }
  row.label = bounds.open_low ? "(..., " : "[" + lhist_label(bounds.low, type.lhist_step) + ", ";
  row.label += bounds.open_high ? "...)" : lhist_label(bounds.high, type.lhist_step) + ")";
  return row;
}

}  // namespace

std::vector<HistogramRow> histogram_rows(const Value &value, uint64_t div) {
  const Type &type = *value.type;
  bool linear = type.aggregate == AggregateKind::LHist;
  uint32_t count = bucket_count(type);
  uint32_t first = count, last = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!load<uint64_t>(value.bytes, size_t{i} * 8)) continue;
    first = std::min(first, i);
    last = i;
  }
  std::vector<HistogramRow> rows;
  for (uint32_t i = first; i <= last && i < count; i++) {
    HistogramRow row = linear ? lhist_row(i, type) : hist_row(i, type.hist_bits);
    row.count = load<uint64_t>(value.bytes, size_t{i} * 8);
    if (!linear) row.count = divide(row.count, div, false);
    rows.push_back(std::move(row));
  }
  return rows;
}

void append_histogram(std::string &out, const Value &value, uint64_t div) {
  constexpr uint64_t kWidth = 52;
  std::vector<HistogramRow> rows = histogram_rows(value, div);
  uint64_t largest = 0;
  for (const HistogramRow &row : rows) largest = std::max(largest, row.count);
  for (const HistogramRow &row : rows) {
    auto bar = largest ? static_cast<size_t>(static_cast<unsigned __int128>(row.count) * kWidth / largest) : 0;
    fmt::format_to(std::back_inserter(out), "{:<16}{:>8} |", row.label, row.count);
    out.append(bar, '@').append(kWidth - bar, ' ').append("|\n");
  }
}

void append_json_bounds(std::string &out, const HistogramRow &row, std::string_view before, std::string_view after) {
  auto append_bound = [&](const char *name, int64_t bound) {
    out.append(before).append(name);
    append_json_number(out, static_cast<uint64_t>(bound), true);
    out += after;
  };
  if (!row.open_low) append_bound("\"min\": ", row.min);
  if (!row.open_high) append_bound("\"max\": ", row.max);
}

void append_json_histogram(std::string &out, const Value &value, uint64_t div) {
  bool first = true;
  out += '[';
  for (const HistogramRow &row : histogram_rows(value, div)) {
    out += first ? "{" : ", {";
    first = false;
    append_json_bounds(out, row, "", ", ");
    out += "\"count\": ";
    append_json_number(out, row.count, false);
    out += '}';
  }
  out += ']';
}

void append_map_value(std::string &out, const Value &value, uint64_t div, const FormatContext &context) {
  const Type &type = *value.type;
  if (type.kind == TypeKind::Int && !has_display(type))
    return append_number(out, divide(scalar_of(value), div, type.is_signed), type.is_signed);
  if (type.kind != TypeKind::Aggregate) return append_value(out, value, context);
  if (is_histogram(value.type)) return append_histogram(out, value, div);
  if (is_series(value.type)) return append_series(out, value, series_end(value));
  bool is_signed = aggregate_is_signed(type);
  if (type.aggregate != AggregateKind::Stats)
    return append_number(out, divide(aggregate_number(value), div, is_signed), is_signed);
  Statistics stats = statistics_of(value);
  out += "{ .count = ";
  append_unsigned(out, stats.count);
  out += ", .average = ";
  append_number(out, stats.average, is_signed);
  out += ", .total = ";
  append_number(out, stats.total, is_signed);
  out += " }";
}

void append_json_map_value(std::string &out, const Value &value, uint64_t div, const FormatContext &context) {
  const Type &type = *value.type;
  if (type.kind == TypeKind::Int && !has_display(type))
    return append_json_number(out, divide(scalar_of(value), div, type.is_signed), type.is_signed);
  if (type.kind != TypeKind::Aggregate) return append_json(out, value, context);
  if (is_histogram(value.type)) return append_json_histogram(out, value, div);
  if (is_series(value.type)) return append_json_series(out, value, series_end(value));
  bool is_signed = aggregate_is_signed(type);
  if (type.aggregate != AggregateKind::Stats)
    return append_json_number(out, divide(aggregate_number(value), div, is_signed), is_signed);
  Statistics stats = statistics_of(value);
  out += "{\"count\": ";
  append_json_number(out, stats.count, false);
  out += ", \"average\": ";
  append_json_number(out, stats.average, is_signed);
  out += ", \"total\": ";
  append_json_number(out, stats.total, is_signed);
  out += '}';
}

}  // namespace awl
