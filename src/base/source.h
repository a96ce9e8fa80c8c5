// Source text and places in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace awl {

// Half-open range of bytes [begin, end) in the Source. The empty Span {0, 0} means "no place".
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;

  [[nodiscard]] bool empty() const { return begin == end; }
  friend bool operator==(const Span &, const Span &) = default;
};

inline Span join(Span a, Span b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

struct LineColumn {
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // in bytes, from 1
};

// One script: a name for messages (a path, "-e", "stdin") and its text.
class Source {
 public:
  Source() : Source("", "") {}
  Source(std::string name, std::string text);

  [[nodiscard]] const std::string &name() const { return name_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view text(Span span) const;
  [[nodiscard]] LineColumn line_column(uint32_t offset) const;
  // Text of a line (from 1) without its newline; empty beyond the end.
  [[nodiscard]] std::string_view line(uint32_t number) const;
  [[nodiscard]] uint32_t line_count() const { return static_cast<uint32_t>(starts_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> starts_;  // offset of each line
};

}  // namespace awl
