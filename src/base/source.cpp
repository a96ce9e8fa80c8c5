#include "base/source.h"

#include <algorithm>

namespace awl {

namespace {
// What some editors write in front of a text in UTF-8.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
}  // namespace

Source::Source(std::string name, std::string text) : text_(std::move(text)) {
  if (text_.starts_with(kByteOrderMark)) text_.erase(0, kByteOrderMark.size());
  files_.push_back({std::move(name), 0, static_cast<uint32_t>(text_.size())});
  starts_.push_back(0);
  find_lines(0);
}

Source::Source(std::vector<SourceFile> files, std::vector<Expansion> expansions, std::string text)
    : files_(std::move(files)), expansions_(std::move(expansions)), text_(std::move(text)) {
  if (files_.empty()) files_.push_back({"", 0, static_cast<uint32_t>(text_.size())});
  starts_.push_back(0);
  find_lines(0);
}

void Source::find_lines(size_t from) {
  for (size_t i = from; i < text_.size(); i++)
    if (text_[i] == '\n') starts_.push_back(static_cast<uint32_t>(i) + 1);
}

size_t Source::add_file(std::string name, std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  size_t before = text_.size();
  text_ += '\n';  // the end of one file is not the beginning of the next
  auto begin = static_cast<uint32_t>(text_.size());
  text_ += text;
  files_.push_back({std::move(name), begin, static_cast<uint32_t>(text_.size())});
  find_lines(before);
  return files_.size() - 1;
}

uint32_t Source::add_expansion(std::string macro, Span call) {
  expansions_.push_back({std::move(macro), call});
  return static_cast<uint32_t>(expansions_.size());
}

const SourceFile &Source::file_at(uint32_t offset) const {
  auto it = std::upper_bound(files_.begin(), files_.end(), offset,
                             [](uint32_t at, const SourceFile &file) { return at < file.begin; });
  return it == files_.begin() ? files_.front() : *(it - 1);
}

const Expansion *Source::expansion(Span span) const {
  return span.expansion == 0 || span.expansion > expansions_.size() ? nullptr : &expansions_[span.expansion - 1];
}

std::string_view Source::text(Span span) const {
  auto size = static_cast<uint32_t>(text_.size());
  uint32_t begin = std::min(span.begin, size);
  uint32_t end = std::clamp(span.end, begin, size);
  return std::string_view(text_).substr(begin, end - begin);
}

std::string_view Source::text_of(const SourceFile &file) const { return text(Span{file.begin, file.end}); }

LineColumn Source::line_column(uint32_t offset) const {
  LineColumn at = total_line_column(offset);
  at.line -= total_line_column(file_at(offset).begin).line - 1;
  return at;
}

LineColumn Source::total_line_column(uint32_t offset) const {
  auto it = std::upper_bound(starts_.begin(), starts_.end(), offset);
  auto line = static_cast<uint32_t>(it - starts_.begin());
  return {line, offset - starts_[line - 1] + 1};
}

std::string_view Source::line(uint32_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  uint32_t begin = starts_[number - 1];
  uint32_t end = number < starts_.size() ? starts_[number] - 1 : static_cast<uint32_t>(text_.size());
  return std::string_view(text_).substr(begin, end - begin);
}

}  // namespace awl
