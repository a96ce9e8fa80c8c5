// A file in memory, for those who want a path.
#pragma once

#include <string>

#include "base/fd.h"

namespace awl {

class MemoryFile {
 public:
  explicit MemoryFile(const std::string &content = {});
  [[nodiscard]] int fd() const { return fd_.get(); }
  // As long as this lives, and in this process only.
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd()); }
  [[nodiscard]] std::string content() const;

 private:
  Fd fd_;
};

}  // namespace awl
