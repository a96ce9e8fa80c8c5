// Source text and places in it.
//
// A script and what it imports are one Source: the files stand one behind the other in one text, so that a Span, two
// offsets into it, names its file as well. What a macro expands to keeps the place of the macro's text and carries the
// number of the expansion, from which the place of the call follows.
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
  uint32_t expansion = 0;  // of a macro, see Source::expansion(); 0: written where it stands

  [[nodiscard]] bool empty() const { return begin == end; }
  friend bool operator==(const Span &, const Span &) = default;
};

inline Span join(Span a, Span b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end, a.expansion};
}

struct LineColumn {
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // in bytes, from 1
};

struct SourceFile {
  std::string name;    // for messages: a path, "-e", "stdin"
  uint32_t begin = 0;  // offset of its text
  uint32_t end = 0;
};

// One use of a macro.
struct Expansion {
  std::string macro;
  Span call;  // its own expansion is that of the macro around it
};

class Source {
 public:
  Source() : Source("", "") {}
  Source(std::string name, std::string text);
  // As it was stored: the text of all files, and what else is known of it.
  Source(std::vector<SourceFile> files, std::vector<Expansion> expansions, std::string text);

  // A further file, whose place is its number in files(). Text views taken before are no longer valid.
  size_t add_file(std::string name, std::string_view text);
  uint32_t add_expansion(std::string macro, Span call);

  [[nodiscard]] const std::vector<SourceFile> &files() const { return files_; }
  [[nodiscard]] const SourceFile &file_at(uint32_t offset) const;
  [[nodiscard]] const std::vector<Expansion> &expansions() const { return expansions_; }
  // The use of a macro that made what stands at a place; null if it is written there.
  [[nodiscard]] const Expansion *expansion(Span span) const;

  // Name of the script itself.
  [[nodiscard]] const std::string &name() const { return files_.front().name; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view text(Span span) const;
  [[nodiscard]] std::string_view text_of(const SourceFile &file) const;

  // Line and column within the file, for people.
  [[nodiscard]] LineColumn line_column(uint32_t offset) const;
  // Lines are counted over all files for what only holds a number, such as line information of a program.
  [[nodiscard]] LineColumn total_line_column(uint32_t offset) const;
  // Text of a line of that count (from 1) without its newline; empty beyond the end.
  [[nodiscard]] std::string_view line(uint32_t number) const;
  [[nodiscard]] uint32_t line_count() const { return static_cast<uint32_t>(starts_.size()); }

 private:
  void find_lines(size_t from);

  std::vector<SourceFile> files_;
  std::vector<Expansion> expansions_;
  std::string text_;
  std::vector<uint32_t> starts_;  // offset of each line
};

}  // namespace awl
