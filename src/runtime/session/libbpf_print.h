// What libbpf has to say, kept instead of printed: the user gets our own diagnostics.
#pragma once

#include <string>

namespace awl {

// Collects libbpf's warnings while it lives; with `show` everything goes to stderr as well. One at a time.
class LibbpfPrint {
 public:
  explicit LibbpfPrint(bool show = false);
  ~LibbpfPrint();
  LibbpfPrint(const LibbpfPrint &) = delete;
  LibbpfPrint &operator=(const LibbpfPrint &) = delete;

  [[nodiscard]] const std::string &text() const { return text_; }
  // The last warning that says what is wrong, without "libbpf: "; "" if there was none.
  [[nodiscard]] std::string reason() const;

  void add(const std::string &line) { text_ += line; }
  [[nodiscard]] bool show() const { return show_; }

 private:
  std::string text_;
  bool show_;
};

}  // namespace awl
