// A file in memory, that may change while it is read.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace awl {

struct MappedRange;

// Whoever maps a file that others can shorten gets SIGBUS for what is gone: programs are replaced while they are
// traced. Here it reads as zeros instead; other causes of SIGBUS end the process as before.
class FileMapping {
 public:
  FileMapping() = default;
  // Maps `size` bytes, not none, from the start of the file, for reading; changes stay in this process. `fd` is not
  // needed afterwards.
  static Result<FileMapping> map(int fd, size_t size);
  FileMapping(FileMapping &&other) noexcept { *this = std::move(other); }
  FileMapping &operator=(FileMapping &&other) noexcept;
  ~FileMapping();

  [[nodiscard]] char *data() const { return data_; }  // null: nothing is mapped
  [[nodiscard]] size_t size() const { return size_; }

 private:
  char *data_ = nullptr;
  size_t size_ = 0;
  MappedRange *range_ = nullptr;
};

}  // namespace awl
