#include "runtime/session/load_failure.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>

#include "base/strings.h"
#include "runtime/probes/privileges.h"
#include "runtime/probes/provider.h"
#include "runtime/session/file_limit.h"
#include "runtime/session/line_info.h"
#include "runtime/session/verifier_log.h"

namespace awl {
namespace {

constexpr size_t kOwnFiles = 16;  // about what a program needs besides the maps and probes of its script

// libbpf says "prog 'NAME': ..." about the program that it stopped at; "" if it was none.
std::string failed_program(const std::string &text) {
  constexpr std::string_view kPrefix = "prog '";
  const size_t at = text.rfind(kPrefix);
  if (at == text.npos) return {};
  const size_t begin = at + kPrefix.size();
  return text.substr(begin, text.find('\'', begin) - begin);
}

const ProbeInfo *find_probe(const Manifest &manifest, const std::string &program) {
  for (const ProbeInfo &probe : manifest.probes)
    if (probe.program == program) return &probe;
  return nullptr;
}

// From a column (0: the first that is not blank) to the end of a line.
Span line_span(const Source &source, uint32_t line, uint32_t column) {
  if (line == 0 || line > source.line_count()) return {};
  const std::string_view text = source.line(line);
  const auto start = static_cast<uint32_t>(text.data() - source.text().data());
  size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  if (column > 0 && column <= text.size()) first = column - 1;
  const size_t last = text.find_last_not_of(" \t\r;");
  return {start + static_cast<uint32_t>(first),
          start + static_cast<uint32_t>(last == text.npos || last < first ? first + 1 : last + 1)};
}

// Three ways to the line, the best first: the object's line table, the place that the log names (since 6.10), and the
// text that it quotes.
Span failing_span(const VerifierReport &report, const std::string &program, const Image &image, const Source &source) {
  if (report.insn) {
    const auto place = insn_place(image.object, program, *report.insn);
    if (place && *place && (*place)->line > 0) return line_span(source, (*place)->line, (*place)->column);
  }
  if (report.source_line) return line_span(source, *report.source_line, 0);
  if (!report.source_text.empty()) {
    for (uint32_t line = 1; line <= source.line_count(); line++)
      if (trim(source.line(line)) == report.source_text) return line_span(source, line, 0);
  }
  return {};
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Where in a C file that is linked in, "" if it is in the script: "lib.bpf.c:5: `return *p;`". Kernels before 6.10
// quote the text alone.
std::string place_in_c(const VerifierReport &report, const Manifest &manifest, const Source &source) {
  if (!manifest.has_c || report.source_text.empty()) return {};
  if (!report.source_file.empty() && report.source_line) {
    if (base_name(report.source_file) == base_name(source.name())) return {};
    return fmt::format("{}:{}: `{}`", report.source_file, *report.source_line, report.source_text);
  }
  for (uint32_t line = 1; line <= source.line_count(); line++)
    if (trim(source.line(line)) == report.source_text) return {};
  return "`" + report.source_text + "`";
}

void explain_rejection(const LoadFailure &failure, const VerifierReport &report, const Image &image,
                       const Source &source, Diagnostics &diagnostics) {
  const std::string program = failed_program(failure.libbpf);
  const ProbeInfo *probe = find_probe(image.manifest, program);
  const std::string in_c = place_in_c(report, image.manifest, source);
  Span span = in_c.empty() ? failing_span(report, program, image, source) : Span{};
  if (span.empty() && probe) span = probe->span;
  Diagnostic &diagnostic =
      diagnostics.emit(diag::VerifierRejected, span, probe ? probe->text : program, report.message);
  if (const VerifierHint *known = verifier_hint(report.message)) {
    diagnostic.with_label(std::string(known->explanation));
    if (!known->hint.empty()) diagnostic.with_hint(std::string(known->hint));
  }
  if (!in_c.empty()) diagnostic.note("in the C function at " + in_c);
  if (!failure.verbose) diagnostic.note("-v prints the verifier's whole log");
}

std::string refusal_hint(const ProbeInfo &probe) {
  const Result<ProbeTarget> target = parse_attach_point(probe.text, {});
  const Provider *provider = target ? find_provider(target->provider) : nullptr;
  return provider ? std::string(provider->refusal_hint(*target)) : "";
}

// Of what libbpf says about EPERM only the number is of use: it takes every one for a limit on locked memory.
void explain_refusal(const LoadFailure &failure, const ProbeInfo *probe, Diagnostics &diagnostics) {
  const std::string lockdown = kernel_lockdown();
  if (!lockdown.empty()) {
    diagnostics.emit(diag::LockedDown, Span{}, lockdown)
        .with_hint(
            "lockdown follows from Secure Boot on many systems; mode \"integrity\" lets programs load, "
            "\"confidentiality\" does not");
    return;
  }
  Diagnostic &diagnostic = diagnostics.emit(diag::Refused, probe ? probe->span : Span{}, std::strerror(failure.error));
  diagnostic.with_hint(probe ? refusal_hint(*probe) : "");
  diagnostic.note(
      "all capabilities that tracing needs are there: a container's seccomp filter, a security module or a BPF token "
      "policy may forbid it");
}

}  // namespace

void explain_load_failure(const LoadFailure &failure, const Image &image, const Source &source,
                          Diagnostics &diagnostics) {
  if (failure.verbose) {
    std::fputs(failure.libbpf.c_str(), stderr);
    std::fputs(failure.log.c_str(), stderr);
  }
  // libbpf tries features out, and takes one for missing when there was no file left for the trial.
  // Later libbpf finds out when the verifier meets the map that was not made.
  const auto said = [&](std::string_view text) {
    return failure.libbpf.find(text) != std::string::npos || failure.log.find(text) != std::string::npos;
  };
  const bool not_made = said("wasn't created") || said("is not pointing to valid bpf_map");
  if (out_of_files(failure.error) ||
      (not_made && !files_left(image.manifest.maps.size() + image.manifest.probes.size() + kOwnFiles))) {
    diagnostics.emit(diag::TooManyFiles, Span{}, file_limit()).with_hint("raise it: `ulimit -n`, as root with -H");
    return;
  }
  const std::string program = failed_program(failure.libbpf);
  if (const std::vector<std::string> missing = missing_capabilities(); failure.error == EPERM && !missing.empty()) {
    diagnostics.emit(diag::NoPrivileges, Span{}, fmt::format("{}", fmt::join(missing, " and ")))
        .with_hint("run as root");
    return;
  }
  if (!program.empty()) {
    const VerifierReport report = parse_verifier_log(failure.log);
    if (!report.message.empty()) return explain_rejection(failure, report, image, source, diagnostics);
  }
  const ProbeInfo *probe = find_probe(image.manifest, program);
  if (failure.error == EPERM) return explain_refusal(failure, probe, diagnostics);

  const std::string reason = failure.reason.empty() ? std::string(std::strerror(failure.error)) : failure.reason;
  Diagnostic &diagnostic = diagnostics.emit(diag::LoadFailed, probe ? probe->span : Span{}, reason);
  if (failure.error == ENOMEM || failure.error == E2BIG)
    diagnostic.with_hint("a map may be too large: see max_map_keys and perf_rb_pages");
}

}  // namespace awl
