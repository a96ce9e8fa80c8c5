#include "runtime/session/file_limit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

namespace awl {
namespace {

std::optional<rlimit> first_limit;

}  // namespace

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (!first_limit) first_limit = limit;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

uint64_t file_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

bool out_of_files(int error) { return error == EMFILE || error == ENFILE; }

bool files_left(size_t wanted) {
  std::vector<int> files;
  while (files.size() < wanted) {
    const int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 && errno == EMFILE) break;
    if (fd < 0) return true;  // nothing can be said
    files.push_back(fd);
  }
  for (const int fd : files) close(fd);
  return files.size() == wanted;
}

void restore_file_limit() {
  if (first_limit) setrlimit(RLIMIT_NOFILE, &*first_limit);
}

}  // namespace awl
