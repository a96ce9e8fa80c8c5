// tracepoint: the kernel's static events, as tracefs lists them.
#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/diagnostic.h"
#include "base/strings.h"
#include "runtime/probes/attach_point.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/providers.h"
#include "runtime/types/tracefs.h"

namespace awl {

namespace {

struct Event {
  std::string category, name;
};

// ftrace's own records look like events, but nothing can be attached to them.
bool attachable(std::string_view category) { return category != "ftrace"; }

Result<std::string> events_folder(const ProbeEnvironment &env) {
  if (!env.roots.tracefs.empty()) return env.roots.tracefs + "/events";
  static const Result<std::string> root = tracefs_path();
  if (!root) return std::unexpected(root.error());
  return *root + "/events";
}

std::vector<std::string> subfolders(const std::string &path) {
  std::vector<std::string> names;
  DIR *folder = opendir(path.c_str());
  if (!folder) return names;
  while (dirent *entry = readdir(folder)) {
    std::string name = entry->d_name;
    if (name[0] == '.') continue;
    struct stat info{};
    if (entry->d_type == DT_DIR ||
        (entry->d_type == DT_UNKNOWN && stat((path + "/" + name).c_str(), &info) == 0 && S_ISDIR(info.st_mode)))
      names.push_back(std::move(name));
  }
  closedir(folder);
  std::ranges::sort(names);
  return names;
}

// Events matching both patterns, sorted. Directories rather than available_events: that file cannot be
// read everywhere.
std::vector<Event> matching_events(const std::string &folder, std::string_view category, std::string_view name) {
  std::vector<Event> out;
  std::vector<std::string> categories =
      has_wildcard(category) ? subfolders(folder) : std::vector{std::string(category)};
  for (const std::string &candidate : categories) {
    if (!attachable(candidate) || !glob_match(category, candidate)) continue;
    for (std::string &event : subfolders(folder + "/" + candidate))
      if (glob_match(name, event)) out.push_back({candidate, std::move(event)});
  }
  return out;
}

class TracepointProvider : public Provider {
 public:
  std::string_view name() const override { return "tracepoint"; }
  std::vector<std::string_view> aliases() const override { return {"t"}; }
  std::string_view syntax() const override { return "tracepoint:CATEGORY:EVENT"; }
  std::string_view doc() const override { return "static events of the kernel, with named arguments in `args`"; }
  bool listed_by_default() const override { return true; }

  Result<ProbeTarget> parse(const std::vector<std::string> &parts, const ProbeEnvironment &env) const override;
  Result<std::vector<ProbeTarget>> expand(const ProbeTarget &target, const ProbeEnvironment &env) const override;
  Result<ProbeContext> context(const ProbeTarget &target, bool needs_args, const ProbeEnvironment &env) const override;
  Result<Attachment> attach(const AttachPlace &place, const AttachOptions &options) const override;
  bool attaches_forward() const override { return true; }
  bool needs_tracefs() const override { return true; }
  ProbeCost cost() const override { return {200e3, 200e3, 170}; }
  Result<std::vector<ListEntry>> list(const ProbeTarget &pattern, bool verbose,
                                      const ProbeEnvironment &env) const override;
};

Result<ProbeTarget> TracepointProvider::parse(const std::vector<std::string> &parts, const ProbeEnvironment &) const {
  ProbeTarget target;
  target.provider = name();
  if (parts.size() == 1 && has_wildcard(parts[0])) {
    target.scope = "*";  // the name of the event is what people remember
    target.name = parts[0];
    return target;
  }
  if (parts.size() != 2) return wrong_parts(*this, parts.size());
  target.scope = parts[0];
  target.name = parts[1];
  if (target.scope.empty() || target.name.empty()) return wrong_parts(*this, parts.size());
  // A name is a part of a path below.
  if ((parts[0] + parts[1]).find('/') != std::string::npos)
    return fail(fmt::format("no tracepoint `{}:{}`", parts[0], parts[1]));
  return target;
}

std::unexpected<Error> no_such_event(const std::string &folder, const ProbeTarget &target) {
  if (access(folder.c_str(), R_OK | X_OK) != 0)
    return fail(fmt::format("cannot read `{}`: {}", folder, std::strerror(errno)),
                "tracepoints need root, or read access to tracefs");
  std::vector<std::string> categories = subfolders(folder);
  std::string shown = fmt::format("{}:{}", target.scope, target.name);
  std::vector<std::string> candidates;
  for (const Event &event : matching_events(folder, target.scope, "*")) candidates.push_back(event.name);
  std::string similar = nearest(target.name, candidates);
  if (!similar.empty())
    return fail("no tracepoint `" + shown + "`", fmt::format("did you mean `{}:{}`?", target.scope, similar));
  std::vector<Event> same = matching_events(folder, "*", target.name);
  if (!same.empty())
    return fail("no tracepoint `" + shown + "`", fmt::format("did you mean `{}:{}`?", same[0].category, same[0].name));
  if (candidates.empty()) {
    std::string category = nearest(target.scope, categories);
    return fail(fmt::format("no tracepoint `{}`: no category `{}`", shown, target.scope),
                category.empty() ? "the kernel lacks it, or has it in a module that is not loaded"
                                 : fmt::format("did you mean the category `{}`?", category));
  }
  return fail("no tracepoint `" + shown + "`", fmt::format("list them with `-l 'tracepoint:{}:*'`", target.scope));
}

Result<std::vector<ProbeTarget>> TracepointProvider::expand(const ProbeTarget &target,
                                                            const ProbeEnvironment &env) const {
  std::string folder = TRY(events_folder(env));
  if (!target.wildcard()) {
    std::string path = fmt::format("{}/{}/{}", folder, target.scope, target.name);
    struct stat info{};
    if (!attachable(target.scope) || stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
      return no_such_event(folder, target);
    return std::vector<ProbeTarget>{target};
  }
  std::vector<ProbeTarget> out;
  for (Event &event : matching_events(folder, target.scope, target.name)) {
    ProbeTarget one = target;
    one.scope = std::move(event.category);
    one.name = std::move(event.name);
    out.push_back(std::move(one));
  }
  if (out.empty()) {
    if (access(folder.c_str(), R_OK | X_OK) != 0) return no_such_event(folder, target);
    return fail(fmt::format("no tracepoint matches `{}:{}`", target.scope, target.name));
  }
  return out;
}

Result<ProbeContext> TracepointProvider::context(const ProbeTarget &target, bool needs_args,
                                                 const ProbeEnvironment &env) const {
  ProbeContext context;
  context.prog_type = ProgType::Tracepoint;
  context.filter_pid = true;
  // What a system call was given are the caller's pointers.
  if (target.scope == "syscalls" || target.scope == "raw_syscalls") context.arg_space = AddressSpace::User;
  if (needs_args && env.types) {
    auto found = TRY(env.types->find(fmt::format("tracepoint {}:{}", target.scope, target.name)));
    if (!found) return fail(fmt::format("the kernel does not describe the arguments of `{}`", target.text()));
    context.args = *found;
  }
  return context;
}

Result<Attachment> TracepointProvider::attach(const AttachPlace &place, const AttachOptions &options) const {
  std::string folder = TRY(events_folder({}));
  auto text = read_file(fmt::format("{}/{}/{}/id", folder, place.target.scope, place.target.name));
  if (!text) return std::unexpected(std::move(text).error());
  auto id = parse_unsigned(trim(*text));
  if (!id) return fail("the event has no id");
  perf_event_attr attr{};
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = *id;
  attr.sample_period = 1;
  // The program is called on all CPUs, whichever CPU the event itself is opened on.
  int event = TRY(open_perf_event(attr, -1, online_cpus().at(0)));
  auto attachment = attach_to_perf_event(event, options);
  if (!attachment && attachment.error().sys_errno == EACCES)
    attachment.error().hint = "the program reads behind the end of this event's record";
  return attachment;
}

// Lines "\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;" of a format file, common ones left out.
std::vector<std::string> format_fields(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string &line : split(text, '\n')) {
    std::string_view field = trim(line);
    if (!field.starts_with("field:")) continue;
    field.remove_prefix(6);
    field = field.substr(0, field.find(';'));
    size_t name = field.find_last_of(" *");
    if (name != std::string_view::npos && field.substr(name + 1).starts_with("common_")) continue;
    out.emplace_back(field);
  }
  return out;
}

Result<std::vector<ListEntry>> TracepointProvider::list(const ProbeTarget &pattern, bool verbose,
                                                        const ProbeEnvironment &env) const {
  std::string folder = TRY(events_folder(env));
  std::vector<ListEntry> out;
  for (const Event &event : matching_events(folder, pattern.scope, pattern.name)) {
    ListEntry entry{fmt::format("tracepoint:{}:{}", event.category, event.name), {}};
    if (verbose)
      if (auto text = read_file(fmt::format("{}/{}/{}/format", folder, event.category, event.name)))
        entry.params = format_fields(*text);
    out.push_back(std::move(entry));
  }
  if (out.empty() && access(folder.c_str(), R_OK | X_OK) != 0) return no_such_event(folder, pattern);
  return out;
}

}  // namespace

const Provider &tracepoint_provider() {
  static const TracepointProvider provider;
  return provider;
}

}  // namespace awl
