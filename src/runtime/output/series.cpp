// tseries(): values by interval, as a graph and as a list.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "runtime/output/aggregate.h"
#include "runtime/output/printf.h"
#include "runtime/output/value_parts.h"

namespace awl {

namespace {

struct Slot {
  uint64_t epoch, value, extra;
};

Slot slot_of(const Value &value, uint64_t index) {
  size_t at = index * kSeriesSlotSize;
  return {load<uint64_t>(value.bytes, at), load<uint64_t>(value.bytes, at + 8), load<uint64_t>(value.bytes, at + 16)};
}

// One for each interval, or those alone in which there was something.
size_t slots(const Value &value) { return value.bytes.size() / kSeriesSlotSize; }

// The part of a second that an interval's start must show: digits, and how strftime and the heading write it.
struct Fraction {
  int64_t unit;
  int digits;
  const char *format;
  const char *heading;
};
constexpr Fraction kFractions[] = {{1'000'000'000, 0, "%H:%M:%S", "hh:mm:ss"},
                                   {1'000'000, 3, "%H:%M:%S.%l", "hh:mm:ss.ms"},
                                   {1'000, 6, "%H:%M:%S.%f", "hh:mm:ss.us"},
                                   {1, 9, "%H:%M:%S.%k", "hh:mm:ss.ns"}};

const Fraction &fraction_of(int64_t interval) {
  for (const Fraction &fraction : kFractions)
    if (interval % fraction.unit == 0) return fraction;
  return kFractions[3];
}

std::string iso_time(int64_t wall_ns, const Fraction &fraction) {
  std::time_t seconds = wall_ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text, size);
  if (fraction.digits) out += fmt::format(".{:0{}}", wall_ns % 1'000'000'000 / fraction.unit, fraction.digits);
  return out + "Z";
}

constexpr size_t kWidth = 53;  // with both borders

// The values that stand at the borders.
struct Scale {
  long double low = 0, high = 0;
  std::string low_text, high_text;

  [[nodiscard]] size_t column(long double number) const {
    return static_cast<size_t>((number - low) * (kWidth - 1) / (high - low));
  }
};

long double as_real(uint64_t number, bool is_signed) {
  return is_signed ? static_cast<long double>(static_cast<int64_t>(number)) : static_cast<long double>(number);
}

std::string number_text(uint64_t number, bool is_signed) {
  std::string out;
  append_number(out, number, is_signed);
  return out;
}

Scale scale_of(const std::vector<SeriesPoint> &points, bool is_signed) {
  const SeriesPoint *least = nullptr, *most = nullptr;
  for (const SeriesPoint &point : points) {
    if (!point.any) continue;
    long double number = as_real(point.value, is_signed);
    if (!least || number < as_real(least->value, is_signed)) least = &point;
    if (!most || number > as_real(most->value, is_signed)) most = &point;
  }
  uint64_t low = least ? least->value : 0, high = most ? most->value : 0;
  Scale scale;
  // A flat line runs in the middle.
  long double margin = low == high ? 1 : 0;
  scale.low = as_real(low, is_signed) - margin;
  scale.high = as_real(high, is_signed) + margin;
  scale.low_text = margin > 0 && low == 0 ? "-1" : number_text(margin > 0 ? low - 1 : low, is_signed);
  scale.high_text = number_text(margin > 0 ? high + 1 : high, is_signed);
  return scale;
}

void append_axis(std::string &out, size_t indent, const Scale &scale) {
  size_t used = scale.low_text.size() + scale.high_text.size();
  out.append(indent, ' ').append(scale.low_text).append(used < kWidth ? kWidth - used : 1, ' ');
  out.append(scale.high_text).append(1, '\n');
}

void append_border(std::string &out, char end) {
  out.append(1, end).append(kWidth - 2, '_').append(1, end).append(1, '\n');
}

}  // namespace

uint64_t series_end(const Value &value) {
  uint64_t end = 0;
  for (size_t i = 0; i < slots(value); i++) end = std::max(end, slot_of(value, i).epoch);
  return end;
}

std::vector<SeriesPoint> series_points(const Value &value, uint64_t end) {
  const Type &type = *value.type;
  const uint64_t first = end >= type.series_length ? end - type.series_length + 1 : 1;
  std::vector<Slot> used;
  for (size_t i = 0; i < slots(value); i++)
    if (Slot slot = slot_of(value, i); slot.extra != 0 && slot.epoch >= first && slot.epoch <= end)
      used.push_back(slot);
  std::ranges::sort(used, {}, &Slot::epoch);
  std::vector<SeriesPoint> points;
  if (used.empty()) return points;
  points.resize(end - used.front().epoch + 1);
  for (size_t i = 0; i < points.size(); i++)
    points[i].start_ns = static_cast<int64_t>(used.front().epoch + i) * type.series_interval;
  for (const Slot &slot : used) {
    SeriesPoint &point = points[slot.epoch - used.front().epoch];
    point.any = true;
    point.value = slot.value;
    if (type.series == SeriesKind::Avg) point.value = divide(slot.value, slot.extra, aggregate_is_signed(type));
  }
  return points;
}

void append_series(std::string &out, const Value &value, uint64_t end) {
  std::vector<SeriesPoint> points = series_points(value, end);
  if (points.empty()) {
    out += "<no data>\n";
    return;
  }
  bool is_signed = aggregate_is_signed(*value.type);
  const Fraction &fraction = fraction_of(value.type->series_interval);
  size_t indent = 8 + (fraction.digits ? 1 + static_cast<size_t>(fraction.digits) : 0) + 1;
  Scale scale = scale_of(points, is_signed);
  append_axis(out, indent, scale);
  fmt::format_to(std::back_inserter(out), "{:<{}}", fraction.heading, indent);
  append_border(out, '|');
  for (const SeriesPoint &point : points) {
    fmt::format_to(std::back_inserter(out), "{:<{}}", format_time(fraction.format, point.start_ns), indent);
    std::string line(kWidth, ' ');
    if (scale.low < 0 && scale.high > 0) line[scale.column(0)] = '.';
    line.front() = line.back() = '|';
    if (point.any) line[scale.column(as_real(point.value, is_signed))] = '*';
    out.append(line).append(1, ' ').append(point.any ? number_text(point.value, is_signed) : "-").append(1, '\n');
  }
  out.append(indent, ' ');
  append_border(out, 'v');
  append_axis(out, indent, scale);
}

void append_json_series(std::string &out, const Value &value, uint64_t end) {
  bool is_signed = aggregate_is_signed(*value.type);
  const Fraction &fraction = fraction_of(value.type->series_interval);
  bool first = true;
  out += '[';
  for (const SeriesPoint &point : series_points(value, end)) {
    if (!point.any) continue;
    out += first ? "" : ", ";
    first = false;
    out += R"({"interval_start": ")" + iso_time(point.start_ns, fraction) + R"(", "value": )";
    append_json_number(out, point.value, is_signed);
    out += '}';
  }
  out += ']';
}

}  // namespace awl
