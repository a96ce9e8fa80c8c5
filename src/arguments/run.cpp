#include "arguments/run.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "runtime/image/image_file.h"
#include "runtime/probes/kernel_types.h"
#include "runtime/session/features.h"

namespace awl {

ProbeRoots probe_roots(const Options &options) {
  ProbeRoots roots;
  if (const char *path = std::getenv("BPFTRACE_BTF")) roots.btf = path;
  roots.traceable = options.traceable_functions;
  return roots;
}

RunOptions run_options(const Options &options) {
  RunOptions out;
  out.processes = {options.pids, options.follow, options.comms, options.cgroups, options.containers};
  out.command = options.child;
  out.json = options.format == "json";
  out.folded = options.format == "folded";
  out.json_frames = options.json_stacks == "frames";
  out.quiet = options.quiet;
  out.verbose = options.verbose;
  out.dry_run = options.dry_run;
  out.unsafe = options.unsafe;
  out.buffering = options.buffering == "full"   ? Buffering::Full
                  : options.buffering == "none" ? Buffering::None
                                                : Buffering::Line;
  out.output_file = options.output;
  out.debug_folders = options.debuginfo_dirs;
  out.roots = probe_roots(options);
  if (options.mode == "test") out.selection.mode = RunMode::Test;
  if (options.mode == "bench") out.selection.mode = RunMode::Bench;
  if (!options.probe_filter.empty()) out.selection.filter.emplace(options.probe_filter);
  for (const std::string &step : options.debug) {
    out.show_libbpf = out.show_libbpf || step == "libbpf" || step == "all";
    out.show_verifier = out.show_verifier || step == "verifier" || step == "all";
  }
  return out;
}

Result<void> disable_features(const Options &options) {
  for (const std::string &name : options.without_features) {
    if (disable_feature(name)) continue;
    std::string known;
    for (const FeatureReport &feature : all_features()) known += (known.empty() ? "" : ", ") + feature.name;
    return fail(fmt::format("--no-feature {}: there is no such feature", name), "the features are " + known);
  }
  return {};
}

int run_written_image(const Options &options, std::string_view program) {
  if (Result<void> good = disable_features(options); !good) return complain(good.error(), program);
  if (options.words.empty())
    return complain(Error{"no image is given", program == "awl" ? "awl run FILE" : "awl-run FILE", 0}, program);
  TypeStore store;
  add_kernel_types(store, probe_roots(options));
  Result<Image> image = read_image(options.words[0], store);
  if (!image) return complain(image.error(), program);
  RunOptions run = run_options(options);
  run.params.assign(options.words.begin() + 1, options.words.end());
  run.script_options = options.script_options;
  return run_image(*image, store, run);
}

int complain(const Error &error, std::string_view program) {
  fmt::print(stderr, "{}: {}\n", program, error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  hint: {}\n", error.hint);
  return 1;
}

int run_main(std::string_view program, const std::function<int()> &command) {
  try {
    const int status = command();
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  } catch (const std::system_error &error) {  // of fmt::print
    errno = error.code().value();
  }
  const std::string why = errno != 0 ? std::string(": ") + std::strerror(errno) : "";
  return complain(Error{"cannot write the output" + why, {}, 0}, program);
}

}  // namespace awl
