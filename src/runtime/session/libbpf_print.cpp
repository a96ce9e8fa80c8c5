#include "runtime/session/libbpf_print.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "base/strings.h"

namespace awl {
namespace {

LibbpfPrint *current = nullptr;  // libbpf knows one print function for the whole process

__attribute__((format(printf, 2, 0))) int collect(libbpf_print_level level, const char *format, va_list args) {
  if (!current || (level != LIBBPF_WARN && !current->show())) return 0;
  char *line = nullptr;
  const int size = vasprintf(&line, format, args);
  if (size < 0) return 0;
  if (level == LIBBPF_WARN) current->add(line);
  if (current->show()) std::fputs(line, stderr);
  std::free(line);
  return size;
}

}  // namespace

LibbpfPrint::LibbpfPrint(bool show) : show_(show) {
  current = this;
  libbpf_set_print(collect);
}

LibbpfPrint::~LibbpfPrint() { current = nullptr; }

std::string LibbpfPrint::reason() const {
  std::string best;
  for (const std::string &line : split(text_, '\n')) {
    std::string_view rest = trim(line);
    if (rest.starts_with("libbpf: ")) rest.remove_prefix(8);
    // The lines that only pass a failure on upwards.
    const bool passes_on = rest.starts_with("failed to load object") || rest.starts_with("failed to perform CO-RE") ||
                           rest.find("failed to load: -") != rest.npos;
    if (rest.empty() || passes_on) continue;
    best = rest;
  }
  return best;
}

}  // namespace awl
