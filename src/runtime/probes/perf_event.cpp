#include "runtime/probes/perf_event.h"

#include <bpf/bpf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"

namespace awl {

namespace {

// "config:0", "config:32-63": the first bit.
uint32_t first_bit(std::string_view format, uint32_t otherwise) {
  size_t colon = format.find(':');
  if (colon == std::string_view::npos) return otherwise;
  std::string_view bits = trim(format.substr(colon + 1));
  auto bit = parse_unsigned(bits.substr(0, bits.find('-')));
  return bit ? static_cast<uint32_t>(*bit) : otherwise;
}

}  // namespace

Result<std::optional<DynamicPmu>> find_pmu(std::string_view name, const std::string &sysfs) {
  std::string folder = sysfs + "/bus/event_source/devices/" + std::string(name);
  auto type = read_file(folder + "/type");
  if (!type) {
    if (type.error().sys_errno == ENOENT) return std::nullopt;
    return std::unexpected(std::move(type).error());
  }
  auto number = parse_unsigned(trim(*type));
  if (!number) return fail("unexpected content of " + folder + "/type");
  DynamicPmu pmu;
  pmu.type = static_cast<uint32_t>(*number);
  if (auto format = read_file(folder + "/format/retprobe")) pmu.return_bit = first_bit(*format, 0);
  if (auto format = read_file(folder + "/format/ref_ctr_offset")) pmu.semaphore_shift = first_bit(*format, 0);
  return pmu;
}

std::vector<int> online_cpus(const std::string &sysfs) {
  std::vector<int> cpus;
  auto text = read_file(sysfs + "/devices/system/cpu/online");
  for (const std::string &range : split(trim(text ? *text : "0"), ',')) {
    size_t dash = range.find('-');
    auto first = parse_unsigned(std::string_view(range).substr(0, dash));
    auto last = dash == std::string::npos ? first : parse_unsigned(std::string_view(range).substr(dash + 1));
    if (!first || !last) continue;
    for (uint64_t cpu = *first; cpu <= *last && cpu < 65536; cpu++) cpus.push_back(static_cast<int>(cpu));
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

Result<int> open_perf_event(perf_event_attr &attr, int pid, int cpu) {
  attr.size = sizeof(attr);
  long fd = syscall(__NR_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) {
    int err = errno;
    auto error = fail_errno("perf_event_open", err);
    if (err == EPERM || err == EACCES)
      error.error().hint =
          "this needs root, or CAP_BPF and CAP_PERFMON; in a container the seccomp filter may forbid it";
    if (err == EMFILE) error.error().hint = "raise the limit of open files: ulimit -n";
    return error;
  }
  return static_cast<int>(fd);
}

Result<Attachment> attach_to_perf_event(int event_fd, const AttachOptions &options) {
  bpf_link_create_opts link_options{};
  link_options.sz = sizeof(link_options);
  link_options.perf_event.bpf_cookie = options.cookie;
  int link = bpf_link_create(options.prog_fd, event_fd, BPF_PERF_EVENT, &link_options);
  if (link >= 0) {
    close(event_fd);  // the link holds the event
    return Attachment({link});
  }
  // Kernels before 5.15 know no links to perf events (nor cookies, so the program does not ask for one).
  if (link == -EINVAL && ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, options.prog_fd) == 0 &&
      ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
    return Attachment({event_fd});
  int err = -link;
  close(event_fd);
  return fail_errno("attach the program", err);
}

namespace {

struct Where {
  int pid, cpu;
};

Result<Attachment> attach_everywhere(const perf_event_attr &attr, const std::vector<Where> &places,
                                     const AttachOptions &options) {
  std::vector<Attachment> done;
  std::optional<Error> gone;
  for (const Where &where : places) {
    perf_event_attr own = attr;
    auto event = open_perf_event(own, where.pid, where.cpu);
    if (event) {
      done.push_back(TRY(attach_to_perf_event(*event, options)));
    } else if (event.error().sys_errno == ENODEV || event.error().sys_errno == ESRCH) {
      gone = std::move(event).error();
    } else {
      return std::unexpected(std::move(event).error());
    }
  }
  if (done.empty()) return std::unexpected(gone ? *std::move(gone) : Error{"there is nothing to attach to", {}, 0});
  std::vector<int> fds;
  for (Attachment &attachment : done) {
    std::vector<int> more = attachment.release();
    fds.insert(fds.end(), more.begin(), more.end());
  }
  return Attachment(std::move(fds));
}

}  // namespace

Result<Attachment> attach_on_cpus(const perf_event_attr &attr, const std::vector<int> &cpus,
                                  const AttachOptions &options) {
  std::vector<Where> places;
  for (int cpu : cpus) places.push_back({-1, cpu});
  return attach_everywhere(attr, places, options);
}

Result<Attachment> attach_to_tasks(const perf_event_attr &attr, const std::vector<int> &tasks,
                                   const AttachOptions &options) {
  std::vector<Where> places;
  for (int task : tasks) places.push_back({task, -1});
  return attach_everywhere(attr, places, options);
}

}  // namespace awl
