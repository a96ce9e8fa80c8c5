#include "runtime/types/tracefs.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "base/strings.h"

namespace awl {
namespace {

constexpr const char *kTracefs = "/sys/kernel/tracing";
constexpr const char *kDebugfs = "/sys/kernel/debug/tracing";

bool has_events(const std::string &root) {
  struct stat info = {};
  return stat((root + "/events").c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

class TracefsSource : public TypeSource {
 public:
  explicit TracefsSource(std::string root) : root_(std::move(root)) {}

  [[nodiscard]] std::string name() const override { return "tracefs"; }

  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override {
    constexpr std::string_view kKeyword = "tracepoint ";
    if (!name.starts_with(kKeyword)) return std::nullopt;
    std::string_view event = name.substr(kKeyword.size());
    size_t colon = event.find(':');
    if (colon == std::string_view::npos || event.find('/') != std::string_view::npos) return std::nullopt;
    std::string category(event.substr(0, colon)), leaf(event.substr(colon + 1));
    if (category.empty() || leaf.empty() || category[0] == '.' || leaf[0] == '.') return std::nullopt;
    if (root_.empty()) root_ = TRY(tracefs_path());
    std::string path = root_ + "/events/" + category + "/" + leaf + "/format";
    auto text = read_file(path);
    if (!text) {
      if (text.error().sys_errno == ENOENT || text.error().sys_errno == ENOTDIR) return std::nullopt;
      return std::unexpected(std::move(text).error());
    }
    auto type = parse_tracefs_format(store, event, *text);
    if (!type) return std::unexpected(std::move(type).error().context(path));
    return *type;
  }

  Result<std::vector<Field>> fields(TypeStore &, const Type *type) override { return type->fields; }

  std::vector<std::string> names() override {
    std::vector<std::string> out;
    if (root_.empty()) {
      auto found = tracefs_path();
      if (!found) return out;
      root_ = *found;
    }
    auto text = read_file(root_ + "/available_events");
    if (!text) return out;
    for (const std::string &line : split(*text, '\n')) {
      if (!line.empty()) out.push_back("tracepoint " + line);
    }
    return out;
  }

 private:
  std::string root_;
};

}  // namespace

Result<std::string> tracefs_path() {
  if (has_events(kTracefs)) return kTracefs;
  if (has_events(kDebugfs)) return kDebugfs;
  if (mount("tracefs", kTracefs, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0 && has_events(kTracefs)) {
    return kTracefs;
  }
  int err = errno;
  std::string hint = err == EPERM || err == EACCES
                         ? "run as root, or let root run `mount -t tracefs tracefs " + std::string(kTracefs) + "`"
                     : err == ENODEV || err == ENOENT ? "the kernel has to be built with CONFIG_FTRACE"
                                                      : "";
  Error error{std::string("mount tracefs at ") + kTracefs + ": " + std::strerror(err), hint, err};
  return std::unexpected(std::move(error));
}

std::unique_ptr<TypeSource> make_tracefs_source(std::string root) {
  return std::make_unique<TracefsSource>(std::move(root));
}

}  // namespace awl
