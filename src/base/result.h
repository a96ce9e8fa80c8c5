// Result<T>: what the machine answers. An Error gains context on its way up and
// becomes a Diagnostic only at the top.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace awl {

struct Error {
  std::string message;  // what failed, lower case, no full stop
  std::string hint;     // what the user can do about it, may be empty
  int sys_errno = 0;    // errno behind it, 0 if none

  // Prefixes what was being done: "attach kprobe:x: permission denied".
  [[nodiscard]] Error context(const std::string &what) && {
    message = what + ": " + message;
    return std::move(*this);
  }
  [[nodiscard]] Error with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string message, std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(hint), 0});
}

// An error from the system: `what: strerror(err)`.
[[nodiscard]] inline std::unexpected<Error> fail_errno(const std::string &what, int err = errno) {
  return std::unexpected(Error{what + ": " + std::strerror(err), {}, err});
}

// Unwraps a Result or returns its error from the enclosing function.
#define TRY(expr)                                                             \
  __extension__({                                                             \
    auto try_result_ = (expr);                                                \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    *std::move(try_result_);                                                  \
  })

}  // namespace awl
