#include "runtime/probes/privileges.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"

namespace awl {

std::vector<std::string> missing_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return {};  // cannot be told: the kernel will say
  return missing_capabilities(data[0].effective | uint64_t{data[1].effective} << 32);
}

std::vector<std::string> missing_capabilities(uint64_t effective) {
  const auto has = [effective](int capability) { return (effective >> capability & 1) != 0; };
  std::vector<std::string> missing;
  if (has(CAP_SYS_ADMIN)) return missing;  // stands for both
  if (!has(CAP_BPF)) missing.emplace_back("CAP_BPF");
  if (!has(CAP_PERFMON)) missing.emplace_back("CAP_PERFMON");
  return missing;
}

std::string kernel_lockdown() {
  const Result<std::string> text = read_file("/sys/kernel/security/lockdown");
  return text ? parse_lockdown(*text) : std::string();
}

// "none [integrity] confidentiality": the mode in brackets is in force.
std::string parse_lockdown(const std::string &text) {
  const size_t begin = text.find('[');
  const size_t end = text.find(']', begin);
  if (begin == text.npos || end == text.npos) return {};
  const std::string mode = text.substr(begin + 1, end - begin - 1);
  return mode == "none" ? std::string() : mode;
}

}  // namespace awl
