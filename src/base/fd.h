// The owner of a file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace awl {

// Closes it. A negative number stands for none: what a call that failed has returned.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd &&other) noexcept : fd_(other.release()) {}
  Fd &operator=(Fd &&other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }
  // The caller closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void close() { *this = Fd(); }

 private:
  int fd_ = -1;
};

}  // namespace awl
