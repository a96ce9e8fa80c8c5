// Text for people, as bpftrace prints it.
#pragma once

#include "runtime/output/output.h"
#include "runtime/output/sink.h"

namespace awl {

class TextOutput : public Output {
 public:
  TextOutput(int fd, const OutputOptions &options, const FormatContext &context);

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
  // A map by stacks as lines of frames; false if it is none.
  bool folded(const MapView &view);
  void append_name(const MapInfo &info, const MapEntry &entry);
  void entry(const MapView &view, const MapEntry &entry, uint64_t end);
  void to_stderr(std::string_view text);

  Sink sink_;
  OutputOptions options_;
  const FormatContext &context_;
};

}  // namespace awl
