// A file in memory, for those who want a path.
#pragma once

#include <string>

namespace awl {

class MemoryFile {
 public:
  explicit MemoryFile(const std::string &content = {});
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;
  ~MemoryFile();
  [[nodiscard]] int fd() const { return fd_; }
  // As long as this lives, and in this process only.
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  [[nodiscard]] std::string content() const;

 private:
  int fd_;
};

}  // namespace awl
