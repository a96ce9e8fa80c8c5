#include "runtime/session/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace awl {
namespace {

// The protocol of sd_notify(3): a datagram to a socket whose path starts with '/', or '@' for an abstract name.
void tell_manager(std::string_view message) {
  const char *path = std::getenv("NOTIFY_SOCKET");
  if (!path) return;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  if (length < 2 || length >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr *>(&address), size);
  close(fd);
}

}  // namespace

void notify_attached(int output_fd) {
  tell_manager("READY=1");
  constexpr std::string_view kWord = "__BPFTRACE_NOTIFY_PROBES_ATTACHED";
  if (!std::getenv(kWord.data())) return;
  [[maybe_unused]] ssize_t n = write(output_fd, kWord.data(), kWord.size());
  n = write(output_fd, "\n", 1);
}

void notify_stopping() { tell_manager("STOPPING=1"); }

}  // namespace awl
