#include "runtime/output/sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace awl {

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // A descriptor shared with somebody who made it non-blocking.
      pollfd wait{fd, POLLOUT, 0};
      if (poll(&wait, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Sink::Sink(int fd, Buffering buffering)
    : fd_(fd),
      buffering_(buffering),
      terminal_(isatty(fd) == 1),
      immediate_(buffering == Buffering::None || (buffering == Buffering::Line && terminal_)) {
  buffer_.reserve(kFull * 2);
}

void Sink::commit_slowly() {
  bool complete = !buffer_.empty() && buffer_.back() == '\n';
  if (buffer_.size() >= kFull || buffering_ == Buffering::None || (terminal_ && complete)) flush();
}

void Sink::end_of_batch() {
  if (buffering_ != Buffering::Full) flush();
}

void Sink::flush() {
  if (buffer_.empty()) return;
  if (!error_) error_ = write_all(fd_, buffer_);
  buffer_.clear();
}

}  // namespace awl
