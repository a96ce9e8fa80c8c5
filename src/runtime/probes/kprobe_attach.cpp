#include "runtime/probes/kprobe_attach.h"

#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/probes/kernel_functions.h"
#include "runtime/probes/perf_event.h"
#include "runtime/probes/privileges.h"

namespace awl {

namespace {

Error explain(Error error, const ProbeTarget &target) {
  std::string shown = target.has_address ? fmt::format("0x{:x}", target.address) : target.name;
  switch (error.sys_errno) {
    case ENOENT:
    case ESRCH:
      error.message = fmt::format("no kernel function `{}`", shown);
      error.hint = "it may have been inlined everywhere";
      break;
    case EADDRNOTAVAIL:
      error.message = fmt::format("several kernel functions are named `{}`", shown);
      error.hint = "name the module, or the address with --unsafe";
      break;
    case EINVAL:
      error.message = fmt::format("the kernel refuses to probe `{}`", shown);
      error.hint =
          "functions that probing itself needs are blacklisted (/sys/kernel/debug/kprobes/blacklist), and functions "
          "marked notrace";
      break;
    case EILSEQ: error.message = fmt::format("`{}+{}` is not the start of an instruction", shown, target.offset); break;
    case EPERM:
    case EACCES:
      error.message = fmt::format("not allowed to probe `{}`", shown);
      if (kernel_lockdown() == "confidentiality") error.hint = "the kernel is locked down (confidentiality)";
      break;
    default: break;
  }
  return error;
}

// The part of union bpf_attr that BPF_LINK_CREATE reads; libbpf 1.1 refuses the attach type of sessions.
struct KprobeMultiAttr {
  uint32_t prog_fd, target_fd, attach_type, flags;
  uint32_t multi_flags, count;
  uint64_t symbols, addresses, cookies;
};

// Addresses of functions whose module was named: the kernel looks bare names up in all of it. Needs root, or all are 0.
Result<std::vector<unsigned long>> addresses_of(std::span<const AttachPlace> places, const ProbeRoots &roots) {
  std::unordered_map<std::string_view, std::vector<size_t>> wanted;
  for (size_t i = 0; i < places.size(); i++) wanted[places[i].target.name].push_back(i);
  std::vector<unsigned long> out(places.size(), 0);
  TRY(each_kernel_function_address(roots, [&](std::string_view module, std::string_view name, uint64_t address) {
    auto found = wanted.find(name);
    if (found == wanted.end()) return;
    for (size_t i : found->second)
      if (places[i].target.scope == (module.empty() ? "vmlinux" : module)) out[i] = address;
  }));
  return out;
}

}  // namespace

Result<Attachment> attach_kprobe(const AttachPlace &place, const AttachOptions &options, bool at_return) {
  auto pmu = TRY(find_pmu("kprobe"));
  if (!pmu)
    return fail(fmt::format("this kernel has no {}s: it was built without CONFIG_KPROBE_EVENTS",
                            at_return ? "kretprobe" : "kprobe"),
                "use a tracepoint (-l 'tracepoint:*'), or another kernel");
  const ProbeTarget &target = place.target;
  bool in_module = !target.scope.empty() && target.scope != "vmlinux";
  std::string function = in_module ? target.scope + ":" + target.name : target.name;
  perf_event_attr attr{};
  attr.type = pmu->type;
  if (at_return) attr.config |= uint64_t{1} << pmu->return_bit;
  if (target.has_address) {
    attr.kprobe_addr = target.address;
  } else {
    attr.kprobe_func = reinterpret_cast<uint64_t>(function.c_str());
    attr.probe_offset = target.offset;
  }
  int cpu = online_cpus().at(0);
  auto event = open_perf_event(attr, -1, cpu);
  if (!event && event.error().sys_errno == ENOENT && in_module) {
    // Some kernels around 6.6 count the bearers of "MODULE:FUNCTION" and find none.
    attr.kprobe_func = reinterpret_cast<uint64_t>(target.name.c_str());
    event = open_perf_event(attr, -1, cpu);
  }
  if (!event) return std::unexpected(explain(std::move(event).error(), target));
  return attach_to_perf_event(*event, options);
}

Result<Attachment> attach_kprobe_multi(std::span<const AttachPlace> places, std::span<const uint64_t> cookies,
                                       const AttachOptions &options, bool at_return) {
  std::vector<const char *> names;
  bool named_module = false;
  for (const AttachPlace &place : places) {
    names.push_back(place.target.name.c_str());
    named_module |= !place.target.scope.empty();
  }
  std::vector<unsigned long> addresses;
  if (named_module) addresses = TRY(addresses_of(places, {}));
  KprobeMultiAttr link{};
  link.prog_fd = static_cast<uint32_t>(options.prog_fd);
  link.attach_type = options.session ? kKprobeSessionAttachType : kKprobeMultiAttachType;
  link.multi_flags = at_return ? BPF_F_KPROBE_MULTI_RETURN : 0;
  link.count = static_cast<uint32_t>(places.size());
  link.cookies = reinterpret_cast<uint64_t>(cookies.data());
  if (named_module)
    link.addresses = reinterpret_cast<uint64_t>(addresses.data());
  else
    link.symbols = reinterpret_cast<uint64_t>(names.data());
  const long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &link, sizeof(link));
  if (fd >= 0) return Attachment({static_cast<int>(fd)});
  Error error = fail_errno(fmt::format("attach to {} kernel functions", places.size())).error();
  return std::unexpected(places.size() == 1 ? explain(std::move(error), places.front().target) : std::move(error));
}

}  // namespace awl
