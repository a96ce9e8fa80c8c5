#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "runtime/output/aggregate.h"
#include "runtime/output/value_parts.h"

namespace awl {

Result<std::vector<double>> parse_percents(std::string_view text) {
  std::vector<double> percents;
  while (true) {
    size_t begin = text.find_first_not_of(" ,p%");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    double percent = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
    size_t length = std::min(text.find_first_of(" ,%"), text.size());
    if (error != std::errc() || static_cast<size_t>(end - text.data()) != length || !(percent > 0 && percent <= 100))
      return fail(fmt::format("`{}` is no percentile", text.substr(0, length)),
                  "numbers above 0 and at most 100: `\"50 99 99.9\"`");
    percents.push_back(percent);
    text.remove_prefix(length);
  }
  if (percents.empty()) return fail("no percentile given", "write `\"50 99 99.9\"`");
  return percents;
}

namespace {

// Within the bucket, for the `rank`th of its `count` values, from 1.
int64_t spread_evenly(const HistogramRow &row, uint64_t rank) {
  if (row.open_low) return row.max;
  if (row.open_high) return row.min;
  auto width = static_cast<double>(row.max - row.min);
  auto share = (static_cast<double>(rank) - 0.5) / static_cast<double>(row.count);
  return row.min + static_cast<int64_t>(width * share);
}

std::string name_of(double percent) { return fmt::format("p{}", percent); }

}  // namespace

std::vector<Percentile> percentiles_of(const Value &value, std::span<const double> percents) {
  std::vector<HistogramRow> rows = histogram_rows(value, 0);
  uint64_t total = aggregate_number(value);
  std::vector<Percentile> result;
  if (total == 0) return result;
  for (double percent : percents) {
    auto wanted = static_cast<uint64_t>(std::ceil(percent / 100 * static_cast<double>(total) - 1e-9));
    wanted = std::clamp<uint64_t>(wanted, 1, total);
    uint64_t before = 0;
    for (const HistogramRow &row : rows) {
      if (before + row.count >= wanted) {
        result.push_back({percent, spread_evenly(row, wanted - before), row});
        break;
      }
      before += row.count;
    }
  }
  return result;
}

// p50             12  [8, 16)
void append_percentiles(std::string &out, const Value &value, std::span<const double> percents) {
  for (const Percentile &each : percentiles_of(value, percents))
    fmt::format_to(std::back_inserter(out), "{:<8}{:>16}  {}\n", name_of(each.percent), each.estimate, each.row.label);
}

void append_json_percentiles(std::string &out, const Value &value, std::span<const double> percents) {
  out += "{\"count\": ";
  append_json_number(out, aggregate_number(value), false);
  out += ", \"sum\": ";
  append_json_number(out, static_cast<uint64_t>(histogram_sum(value)), true);
  out += ", \"percentiles\": [";
  bool first = true;
  for (const Percentile &each : percentiles_of(value, percents)) {
    fmt::format_to(std::back_inserter(out), "{}{{\"percent\": {}, \"estimate\": ", first ? "" : ", ", each.percent);
    first = false;
    append_json_number(out, static_cast<uint64_t>(each.estimate), true);
    append_json_bounds(out, each.row, ", ", "");
    out += '}';
  }
  out += "]}";
}

}  // namespace awl
