#include "runtime/session/iterators.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace awl {
namespace {

// A program adds a word to the iterator's text for each object, and read(2) comes back when it has as much as was
// asked for.
Result<> walk(int fd, size_t at_once, const std::function<bool()> &between) {
  std::vector<char> text(at_once * 8);
  while (true) {
    const ssize_t n = read(fd, text.data(), text.size());
    const int error = errno;
    if (!between() || n == 0) return {};
    // EAGAIN: a million objects without text.
    if (n < 0 && error != EAGAIN && error != EINTR) return fail_errno("read the iterator", error);
  }
}

}  // namespace

Result<> run_iterators(const std::vector<int> &links, size_t at_once, const std::function<bool()> &between) {
  for (const int link : links) {
    const Fd iterator(bpf_iter_create(link));
    if (!iterator) return fail_errno("start the iterator", -iterator.get());
    TRY(walk(iterator.get(), at_once, between));
  }
  return {};
}

Result<> pin_link(int link, const std::string &path) {
  const int error = -bpf_obj_pin(link, path.c_str());
  if (error == 0) return {};
  Error out = fail_errno(fmt::format("pin it to `{}`", path), error).error();
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  struct statfs where{};
  if (error == EEXIST)
    out.hint = fmt::format("`rm {}` removes the one that is there", path);
  else if (statfs(folder.c_str(), &where) == 0 && where.f_type != BPF_FS_MAGIC)
    out.hint = fmt::format("`{}` is not in the BPF file system; `mount -t bpf bpf /sys/fs/bpf`", folder);
  else if (error == EPERM)
    out.hint = "names in the BPF file system have no dots";
  return std::unexpected(std::move(out));
}

}  // namespace awl
