// A directory with the files of a small kernel, removed at the end of the test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/probes/provider.h"

namespace awl::testing {

class FakeRoots {
 public:
  FakeRoots() {
    std::string pattern = (std::filesystem::temp_directory_path() / "awl_probes_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    env.roots = {path_ + "/tracing", path_ + "/proc", path_ + "/sys", path_ + "/no_btf", ""};
    std::filesystem::create_directories(env.roots.tracefs + "/events");
  }
  ~FakeRoots() { std::filesystem::remove_all(path_); }
  FakeRoots(const FakeRoots &) = delete;
  FakeRoots &operator=(const FakeRoots &) = delete;

  // `path` is relative to the fake root: "proc/kallsyms".
  std::string write(const std::string &path, const std::string &content) {
    std::filesystem::path full = path_ + "/" + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << content;
    return full;
  }
  void event(const std::string &category, const std::string &name, const std::string &fields = "") {
    std::string folder = "tracing/events/" + category + "/" + name;
    write(folder + "/id", "7\n");
    write(folder + "/format", "name: " + name + "\nID: 7\nformat:\n" +
                                  "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n" + fields +
                                  "\nprint fmt: \"\"\n");
  }

  ProbeEnvironment env;

 private:
  std::string path_;
};

// What a test looks at: the texts of targets and entries, or "error: message | hint".
inline std::string shown(const Result<std::vector<ProbeTarget>> &targets) {
  if (!targets)
    return "error: " + targets.error().message + (targets.error().hint.empty() ? "" : " | " + targets.error().hint);
  std::string out;
  for (const ProbeTarget &target : *targets) out.append(out.empty() ? "" : " ").append(target.text());
  return out;
}

inline std::string shown(const Result<std::vector<ListEntry>> &entries) {
  if (!entries) return "error: " + entries.error().message;
  std::string out;
  for (const ListEntry &entry : *entries) {
    out.append(out.empty() ? "" : " ").append(entry.text);
    for (const std::string &param : entry.params) out.append("\n    ").append(param);
  }
  return out;
}

inline std::string parsed(const std::string &text, const ProbeEnvironment &env = {}) {
  auto target = parse_attach_point(text, env);
  return target ? target->text()
                : "error: " + target.error().message + (target.error().hint.empty() ? "" : " | " + target.error().hint);
}

inline std::string expanded(const std::string &text, const ProbeEnvironment &env = {}) {
  auto target = parse_attach_point(text, env);
  if (!target) return "error: " + target.error().message;
  return shown(find_provider(target->provider)->expand(*target, env));
}

}  // namespace awl::testing
