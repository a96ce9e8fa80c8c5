// Output: where the script's results go, and in which form. Text for people, JSON lines for programs.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/output/value.h"

namespace awl {

// One entry of a map as read: bytes of key and merged value. An empty value is one that was never set.
struct MapEntry {
  std::vector<std::byte> key;
  std::vector<std::byte> value;
};

// A map to print: entries in printing order. A scalar map has one entry without key, or none if it was never
// set: it is then shown as 0 where that makes sense, so maps printed at exit leave it out before.
struct MapView {
  const MapInfo *info = nullptr;
  std::vector<MapEntry> entries;
  uint64_t div = 0;
};

// Of what a script prints as text: the function that it comes from. Text of Join gets a newline, all other is as it is.
enum class RecordKind : uint8_t { Printf, Time, Cat, Join, Command };

enum class Buffering : uint8_t { Line, Full, None };

// Nothing is lost silently: what was accepted is written by flush() or the destructor, and broken() tells when
// it could not be.
class Output {
 public:
  virtual ~Output() = default;
  virtual void record(RecordKind kind, std::string_view text) = 0;
  virtual void line(std::string_view text) = 0;     // as it is, newline added: results of tests, made by the caller
  virtual void value(const Value &value) = 0;       // print(value), newline included
  virtual void map(const MapView &view) = 0;        // scalar, keyed, hist, lhist, stats
  virtual void map_entry(const MapView &view) = 0;  // print(@m[key])
  virtual void percentiles(const MapView &view, std::span<const double> percents) = 0;  // of histograms
  virtual void pinned(std::string_view path) = 0;  // an iterator, to a file; to stderr in text
  virtual void attached(uint64_t probes) = 0;      // "Attached N probes", to stderr in text
  virtual void lost_events(uint64_t count) = 0;    // to stderr in text
  virtual void message(const Diagnostic &diagnostic, const Source &source) = 0;  // run-time errors and warnings, stderr
  // A helper that failed unseen, with -k: a message, in JSON with the helper and what it gave.
  virtual void helper_error(const Diagnostic &diagnostic, const Source &source, std::string_view helper,
                            int64_t result) = 0;
  virtual void end_of_records() = 0;  // blank lines before the maps printed at exit
  // After each batch of records: writes what is there, unless buffering is Full.
  virtual void end_of_batch() = 0;
  virtual void flush() = 0;
  // True when the destination is gone (EPIPE, with SIGPIPE ignored) or full: the session then ends cleanly.
  [[nodiscard]] virtual bool broken() const = 0;
  [[nodiscard]] virtual int error() const = 0;  // errno behind broken()
};

struct OutputOptions {
  bool json = false;
  bool folded = false;  // maps by stacks: a line for each, frames joined by `;`, as flame graphs are made from
  bool quiet = false;
  bool colour = false;
  Buffering buffering = Buffering::Line;
  int error_fd = 2;  // for what goes to stderr
};

// Writes to `fd` (not closed). `context` must outlive the output.
std::unique_ptr<Output> make_output(int fd, const OutputOptions &options, const FormatContext &context);

}  // namespace awl
