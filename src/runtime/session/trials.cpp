#include "runtime/session/trials.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/fd.h"
#include "base/strings.h"
#include "runtime/session/empty_program.h"
#include "runtime/session/libbpf_options.h"
#include "runtime/session/signals.h"

// The kernel counts runs and nanoseconds of every program while somebody holds its statistics open (Linux 5.8). It
// reads a clock before and after the program, which costs about as much as a small program does; what an empty program
// is counted with is therefore taken off.

namespace awl {
namespace {

constexpr uint64_t kEnoughNs = 1'000'000;
constexpr int64_t kLongestNs = 5'000'000'000;  // of the clock on the wall
constexpr uint64_t kFirstBatch = 64, kLargestBatch = 4096;

struct Counts {
  uint64_t runs = 0, ns = 0;
};

Result<Counts> counts_of(int program) {
  bpf_prog_info info = {};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) return fail_errno("read the program's statistics");
  return Counts{info.run_cnt, info.run_time_ns};
}

}  // namespace

void Trials::print(std::string_view text, const std::string &json) { output_.line(json_ ? json : std::string(text)); }

Result<size_t> Trials::run_tests(const std::vector<const ProbeInfo *> &tests) {
  size_t failed = 0;
  for (const ProbeInfo *test : tests) {
    if (Signals::stop_requested()) return fail("interrupted");
    const uint64_t errors = actions_.errors();
    (void)TRY(run_once(object_.program(test->program)));
    loop_.drain();
    const int status = actions_.exit_status().value_or(0);
    actions_.forget_exit();
    const uint64_t told = actions_.errors() - errors;
    const bool passed = told == 0 && status == 0;
    failed += passed ? 0 : 1;
    const std::string why = told > 0      ? " (" + counted(told, "error") + ")"
                            : status != 0 ? fmt::format(" (exit status {})", status)
                                          : "";
    print(fmt::format("{:<6} {}{}", passed ? "ok" : "FAILED", test->text, why),
          fmt::format(R"({{"type": "test_result", "data": {{"name": {}, "passed": {}, "errors": {}, "exit": {}}}}})",
                      json_quote(test->text), passed, told, status));
  }
  print(fmt::format("{} passed, {} failed", tests.size() - failed, failed),
        fmt::format(R"({{"type": "test_summary", "data": {{"passed": {}, "failed": {}}}}})", tests.size() - failed,
                    failed));
  return failed;
}

Result<Trials::Timing> Trials::time(int program) {
  const Counts before = TRY(counts_of(program));
  const int64_t end = clock_ns(CLOCK_MONOTONIC) + kLongestNs;
  Counts now = before;
  for (uint64_t batch = kFirstBatch; now.ns - before.ns < kEnoughNs && clock_ns(CLOCK_MONOTONIC) < end;
       batch = std::min(batch * 2, kLargestBatch)) {
    for (uint64_t i = 0; i < batch; i++) {
      (void)TRY(run_once(program));
      if (i % kFirstBatch == 0) loop_.drain();  // before what it prints fills the ring buffer
    }
    loop_.drain();
    if (Signals::stop_requested()) return fail("interrupted");
    if (actions_.exiting()) break;
    now = TRY(counts_of(program));
  }
  now = TRY(counts_of(program));
  actions_.forget_exit();
  const uint64_t runs = now.runs - before.runs;
  if (runs == 0) return fail("the kernel counts no runs of programs");
  return Timing{runs, static_cast<double>(now.ns - before.ns) / static_cast<double>(runs)};
}

Result<size_t> Trials::run_benchmarks(const std::vector<const ProbeInfo *> &benchmarks) {
  const Fd statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (statistics.get() < 0) return fail_errno("switch the statistics of programs on", -statistics.get());
  const Fd empty = load_empty_program(BPF_PROG_TYPE_RAW_TRACEPOINT);
  if (empty.get() < 0) return fail_errno("load a program", -empty.get());
  const Timing nothing = TRY(time(empty.get()));
  size_t width = 9;
  for (const ProbeInfo *benchmark : benchmarks) width = std::max(width, benchmark->text.size());
  if (!json_) output_.line(fmt::format("{:<{}}  {:>10}  {:>12}", "benchmark", width, "runs", "ns per run"));
  for (const ProbeInfo *benchmark : benchmarks) {
    const Timing timing = TRY(time(object_.program(benchmark->program)));
    const double ns = std::max(0.0, timing.ns - nothing.ns);
    print(fmt::format("{:<{}}  {:>10}  {:>12.1f}", benchmark->text, width, timing.runs, ns),
          fmt::format(R"({{"type": "benchmark_result", "data": {{"name": {}, "runs": {}, "ns": {:.1f}}}}})",
                      json_quote(benchmark->text), timing.runs, ns));
  }
  return 0U;
}

}  // namespace awl
