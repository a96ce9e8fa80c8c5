// JSON lines for programs: one message a line, described in docs/json.md.
#pragma once

#include "runtime/output/output.h"
#include "runtime/output/sink.h"

namespace awl {

class JsonOutput : public Output {
 public:
  JsonOutput(int fd, const OutputOptions &options, const FormatContext &context);

  void record(RecordKind kind, std::string_view text) override;
  void line(std::string_view text) override;
  void value(const Value &value) override;
  void map(const MapView &view) override;
  void map_entry(const MapView &view) override;
  void percentiles(const MapView &view, std::span<const double> percents) override;
  void attached(uint64_t probes) override;
  void pinned(std::string_view path) override;
  void lost_events(uint64_t count) override;
  void message(const Diagnostic &diagnostic, const Source &source) override;
  void helper_error(const Diagnostic &diagnostic, const Source &source, std::string_view helper,
                    int64_t result) override;
  void end_of_records() override;
  void end_of_batch() override;
  void flush() override;
  [[nodiscard]] bool broken() const override;
  [[nodiscard]] int error() const override;

 private:
  // Without its end.
  void append_message(std::string_view type, const Diagnostic &diagnostic, const Source &source);
  void text_message(std::string_view type, std::string_view text);

  Sink sink_;
  bool quiet_;
  const FormatContext &context_;
};

}  // namespace awl
