// Sink: a file descriptor behind a buffer that survives interrupted, partial and would-block writes.
#pragma once

#include <string>
#include <string_view>

#include "runtime/output/output.h"

namespace awl {

class Sink {
 public:
  Sink(int fd, Buffering buffering);
  ~Sink() { flush(); }
  Sink(const Sink &) = delete;
  Sink &operator=(const Sink &) = delete;

  // Messages are appended here, each followed by commit().
  std::string &buffer() { return buffer_; }
  void commit() {
    if (buffer_.size() >= kFull || immediate_) commit_slowly();
  }
  // Within a long message: hands over what there is if that is much.
  void spill() {
    if (buffer_.size() >= kFull) flush();
  }
  void end_of_batch();
  void flush();
  [[nodiscard]] bool broken() const { return error_ != 0; }
  [[nodiscard]] int error() const { return error_; }

 private:
  static constexpr size_t kFull = 64 * 1024;
  void commit_slowly();

  int fd_;
  Buffering buffering_;
  bool terminal_;
  bool immediate_;  // commit has to look at each message
  int error_ = 0;
  std::string buffer_;
};

// Writes all of `text`; errno on failure, 0 on success.
int write_all(int fd, std::string_view text);

}  // namespace awl
