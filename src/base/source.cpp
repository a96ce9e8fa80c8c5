#include "base/source.h"

#include <algorithm>

namespace awl {

Source::Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  starts_.push_back(0);
  for (uint32_t i = 0; i < text_.size(); i++)
    if (text_[i] == '\n') starts_.push_back(i + 1);
}

std::string_view Source::text(Span span) const {
  auto size = static_cast<uint32_t>(text_.size());
  uint32_t begin = std::min(span.begin, size);
  uint32_t end = std::clamp(span.end, begin, size);
  return std::string_view(text_).substr(begin, end - begin);
}

LineColumn Source::line_column(uint32_t offset) const {
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
