#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/fd.h"
#include "base/file_mapping.h"
#include "runtime/types/btf.h"

namespace awl {
namespace {

class MappedBlob : public BtfBlob {
 public:
  explicit MappedBlob(FileMapping file) : file_(std::move(file)) {}
  [[nodiscard]] std::string_view bytes() const override { return {file_.data(), file_.size()}; }

 private:
  FileMapping file_;
};

class OwnedBlob : public BtfBlob {
 public:
  explicit OwnedBlob(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::string_view bytes() const override { return bytes_; }

 private:
  std::string bytes_;
};

// sysfs hands out 4 KiB a call whatever is asked for, so that growing the buffer is all that can be saved.
Result<std::string> read_all(int fd, const std::string &path, size_t expected) {
  std::string bytes;
  bytes.resize(expected ? expected + 1 : 1 << 16);
  size_t used = 0;
  while (true) {
    if (used == bytes.size()) bytes.resize(bytes.size() * 2);
    ssize_t n = read(fd, bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read " + path);
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace

Result<std::shared_ptr<BtfBlob>> BtfBlob::open(const std::string &path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open " + path);
  struct stat info = {};
  size_t size = fstat(file.get(), &info) == 0 && info.st_size > 0 ? static_cast<size_t>(info.st_size) : 0;
  if (size > 0) {
    if (auto mapped = FileMapping::map(file.get(), size))  // sysfs can be mapped since Linux 6.16
      return std::make_shared<MappedBlob>(*std::move(mapped));
  }
  return from_bytes(TRY(read_all(file.get(), path, size)));
}

Result<std::shared_ptr<BtfBlob>> BtfBlob::from_bytes(std::string bytes) {
  return std::make_shared<OwnedBlob>(std::move(bytes));
}

}  // namespace awl
