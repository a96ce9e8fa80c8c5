// `awl fmt`: to standard output, in place (-i), to a file (-o), or only the names of files that would change (--check).
#include "cli/fmt.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "ast/dump.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "parser/format.h"
#include "parser/parser.h"

namespace awl {

namespace {

// The tree as text, once for each way that #ifdef BPFTRACE_HAVE_BTF can go.
std::string meaning(const Source &source, Diagnostics &diagnostics) {
  std::string out = ast::dump(parse(source, {.defines = {}, .stdlib = false, .file = 0}, diagnostics));
  Diagnostics again;
  return out + ast::dump(parse(source, {.defines = {"BPFTRACE_HAVE_BTF"}, .stdlib = false, .file = 0}, again));
}

// Writes beside the file, then takes its place: whoever reads it sees the old or the new one.
Result<void> replace_file(const std::string &path, const std::string &text) {
  char *resolved = realpath(path.c_str(), nullptr);
  const std::string target = resolved ? resolved : path;
  std::free(resolved);
  struct stat status{};
  const mode_t mode = stat(target.c_str(), &status) == 0 ? status.st_mode & 07777 : 0644;
  std::string temporary = target + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return fail_errno("write " + path);
  size_t done = 0;
  bool good = fchmod(fd, mode) == 0;
  while (good && done < text.size()) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    good = n > 0;
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
  good = good && fsync(fd) == 0;
  good = close(fd) == 0 && good;
  if (good && rename(temporary.c_str(), target.c_str()) == 0) return {};
  const int error = errno;
  unlink(temporary.c_str());
  return fail_errno("write " + path, error);
}

struct Outcome {
  bool failed = false, different = false;
};

Outcome format_one(const Source &source, const std::string &path, const Options &options) {
  Diagnostics diagnostics;
  const std::optional<std::string> text = format_checked(source, diagnostics);
  print(diagnostics, source, options);
  if (!text) return {true, false};
  const bool different = *text != source.text();
  if (options.check) {
    if (different) fmt::print("{}\n", source.name());
    return {false, different};
  }
  const std::string target = !options.output.empty() ? options.output : options.in_place ? path : "";
  if (target.empty()) {
    fmt::print("{}", *text);
  } else if (different || target != path) {
    if (Result<void> written = replace_file(target, *text); !written) return {complain(written.error()) != 0, true};
  }
  return {false, different};
}

}  // namespace

std::optional<std::string> format_checked(const Source &source, Diagnostics &diagnostics) {
  Diagnostics found;
  const std::string before = meaning(source, found);
  if (found.has_errors()) {
    diagnostics.append(std::move(found));
    return std::nullopt;
  }
  Result<std::string> text = format_script(source.text());
  if (text) {
    Diagnostics after;
    if (meaning(Source(source.name(), *text), after) == before && !after.has_errors()) return *std::move(text);
    text = fail("the result would mean something else");
  }
  diagnostics.emit(diag::CannotFormat, Span{}, text.error().message)
      .with_hint("brackets that #define or #if put in or leave out cannot be followed");
  return std::nullopt;
}

int format_files(Options options) {
  if (options.words.size() > 1 && !options.output.empty())
    return complain(Error{"-o takes the result of one file", "-i writes many", 0});
  if (options.program || options.words.empty()) options.words = {"-"};
  bool failed = false, different = false;
  for (const std::string &path : options.words) {
    Options one = options;
    one.words = {path};
    if (path != "-" && !is_file(path)) return complain(Error{"no such file: " + path, {}, 0});
    Result<Source> source = take_source(one);
    if (!source) return complain(source.error());
    if (path == "-" && options.in_place) return complain(Error{"-i needs a file", {}, 0});
    const Outcome outcome = format_one(*source, path, options);
    failed = failed || outcome.failed;
    different = different || outcome.different;
  }
  return failed || (options.check && different) ? 1 : 0;
}

}  // namespace awl
