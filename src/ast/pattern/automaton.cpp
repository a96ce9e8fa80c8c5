// From the tree of a pattern to its table: Thompson's construction, then sets of its states, each of which becomes a
// row. A set that has reached the end of the pattern matches whatever follows, so there is one such row, and one for
// the empty set; nothing leaves these two.
#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include "ast/pattern/syntax.h"

namespace awl::pattern {

namespace {

constexpr size_t kMostNodes = 4000;

// A node of the nondeterministic automaton.
struct Node {
  enum Kind : uint8_t { Bytes, Split, Begin, End, Matched } kind = Matched;
  ByteSet bytes;
  uint32_t next = 0, other = 0;  // other: of Split
};

using Set = std::vector<uint32_t>;  // sorted nodes: Bytes, End and Matched

class Builder {
 public:
  explicit Builder(bool anywhere) : anywhere_(anywhere) {}

  std::expected<Automaton, PatternError> run(const Part &pattern) {
    uint32_t end = add({});
    first_ = compile(pattern, end);
    if (nodes_.size() > kMostNodes) return too_large();
    make_classes();
    if (anywhere_) restart_ = close({first_}, false, false);
    out_.stride = std::bit_ceil(static_cast<uint32_t>(members_.size()));
    rows_ = 2;
    grow();
    std::fill_n(out_.next.begin() + out_.stride, out_.stride, static_cast<uint16_t>(out_.stride));
    std::optional<uint32_t> start = row_of(close({first_}, true, false));
    if (start) out_.start = *start;
    for (size_t i = 0; start && i < pending_.size(); i++)
      if (!fill(pending_[i].first, Set(pending_[i].second))) start.reset();
    if (!start) return too_large();
    return std::move(out_);
  }

 private:
  static std::unexpected<PatternError> too_large() {
    return std::unexpected(PatternError{"it needs too large a table; make it simpler", 0});
  }

  uint32_t add(Node node) {
    if (nodes_.size() <= kMostNodes) nodes_.push_back(node);
    return static_cast<uint32_t>(nodes_.size() - 1);
  }

  // Nodes for `part`, going on to `next`; gives the first.
  uint32_t compile(const Part &part, uint32_t next) {
    if (nodes_.size() > kMostNodes) return next;
    switch (part.kind) {
      case PartKind::Empty: return next;
      case PartKind::Bytes: return add({.kind = Node::Bytes, .bytes = part.bytes, .next = next});
      case PartKind::Begin: return add({.kind = Node::Begin, .bytes = {}, .next = next});
      case PartKind::End: return add({.kind = Node::End, .bytes = {}, .next = next});
      case PartKind::Sequence:
        for (auto it = part.parts.rbegin(); it != part.parts.rend(); ++it) next = compile(**it, next);
        return next;
      case PartKind::Choice: {
        uint32_t first = compile(*part.parts[0], next);
        for (size_t i = 1; i < part.parts.size(); i++)
          first = add({.kind = Node::Split, .bytes = {}, .next = first, .other = compile(*part.parts[i], next)});
        return first;
      }
      case PartKind::Repeat: return compile_repeat(part, next);
    }
    return next;
  }

  uint32_t compile_repeat(const Part &part, uint32_t next) {
    const Part &inner = *part.parts[0];
    if (part.most < 0) {
      uint32_t loop = add({.kind = Node::Split, .bytes = {}, .next = next, .other = next});
      uint32_t body = compile(inner, loop);
      nodes_[loop].next = body;
      next = loop;
    } else {
      uint32_t end = next;
      for (int i = part.least; i < part.most; i++)
        next = add({.kind = Node::Split, .bytes = {}, .next = compile(inner, next), .other = end});
    }
    for (int i = 0; i < part.least; i++) next = compile(inner, next);
    return next;
  }

  // Bytes that no set of the pattern tells apart are one class. Class 0 is the end of the string.
  void make_classes() {
    std::vector<ByteSet> sets;
    for (const Node &node : nodes_)
      if (node.kind == Node::Bytes && std::ranges::find(sets, node.bytes) == sets.end()) sets.push_back(node.bytes);
    std::map<std::vector<bool>, uint8_t> known;
    members_ = {0};
    for (uint32_t byte = 1; byte < 256; byte++) {
      std::vector<bool> in;
      for (const ByteSet &set : sets) in.push_back(set[byte]);
      auto [it, fresh] = known.emplace(std::move(in), static_cast<uint8_t>(members_.size()));
      if (fresh) members_.push_back(static_cast<uint8_t>(byte));
      out_.classes[byte] = it->second;
    }
  }

  // What is reached without reading a byte.
  Set close(Set work, bool at_begin, bool at_end) const {
    std::vector<bool> seen(nodes_.size());
    Set out;
    while (!work.empty()) {
      uint32_t index = work.back();
      work.pop_back();
      if (seen[index]) continue;
      seen[index] = true;
      const Node &node = nodes_[index];
      if (node.kind == Node::Split) work.push_back(node.other);
      if (node.kind == Node::Split || (node.kind == Node::Begin && at_begin) || (node.kind == Node::End && at_end))
        work.push_back(node.next);
      else if (node.kind != Node::Begin)
        out.push_back(index);
    }
    std::ranges::sort(out);
    return out;
  }

  [[nodiscard]] bool has_matched(const Set &set) const {
    return std::ranges::any_of(set, [&](uint32_t i) { return nodes_[i].kind == Node::Matched; });
  }

  void grow() { out_.next.resize(size_t{rows_} * out_.stride, static_cast<uint16_t>(Automaton::kFails)); }

  // The row of a set; nullopt if the table is full.
  std::optional<uint32_t> row_of(const Set &set) {
    if (set.empty()) return Automaton::kFails;
    if (has_matched(set)) return out_.stride;
    auto known = row_of_.find(set);
    if (known != row_of_.end()) return known->second;
    uint32_t row = rows_ * out_.stride;
    if (row + out_.stride > Automaton::kMostEntries) return std::nullopt;
    rows_++;
    grow();
    row_of_.emplace(set, row);
    pending_.emplace_back(row, set);
    return row;
  }

  // The entries of a row; false if the table is full.
  bool fill(uint32_t row, const Set &given) {
    out_.next[row] = static_cast<uint16_t>(has_matched(close(given, false, true)) ? out_.stride : Automaton::kFails);
    for (size_t i = 1; i < members_.size(); i++) {
      Set reached = restart_;
      for (uint32_t index : given)
        if (const Node &node = nodes_[index]; node.kind == Node::Bytes && node.bytes[members_[i]])
          reached.push_back(node.next);
      std::optional<uint32_t> next = row_of(close(std::move(reached), false, false));
      if (!next) return false;
      out_.next[row + i] = static_cast<uint16_t>(*next);
    }
    return true;
  }

  bool anywhere_;
  std::vector<Node> nodes_;
  uint32_t first_ = 0;
  Set restart_;                   // where a match may begin behind the first byte
  std::vector<uint8_t> members_;  // a byte of each class
  std::map<Set, uint32_t> row_of_;
  std::vector<std::pair<uint32_t, Set>> pending_;
  uint32_t rows_ = 0;
  Automaton out_;
};

}  // namespace

std::expected<Automaton, PatternError> build_automaton(const Part &pattern, bool anywhere) {
  return Builder(anywhere).run(pattern);
}

std::expected<Automaton, PatternError> compile_regex(std::string_view pattern) {
  std::expected<PartPtr, PatternError> parsed = parse_regex(pattern);
  if (!parsed) return std::unexpected(parsed.error());
  return build_automaton(**parsed, true);
}

std::expected<Automaton, PatternError> compile_glob(std::string_view pattern) {
  std::expected<PartPtr, PatternError> parsed = parse_glob(pattern);
  if (!parsed) return std::unexpected(parsed.error());
  return build_automaton(**parsed, false);
}

std::expected<Automaton, PatternError> compile_contains(std::string_view text) {
  PartPtr sequence = make_part(PartKind::Sequence);
  for (char c : text) {
    ByteSet set;
    sequence->parts.push_back(make_bytes(set.set(static_cast<uint8_t>(c))));
  }
  return build_automaton(*sequence, true);
}

bool matches(const Automaton &automaton, std::string_view text, size_t *end) {
  uint32_t row = automaton.start;
  size_t at = 0;
  while (row != Automaton::kFails && row != automaton.matched() && at <= text.size())
    row = automaton.next[row + automaton.classes[at < text.size() ? static_cast<uint8_t>(text[at]) : 0]], at++;
  if (end) *end = at;
  return row == automaton.matched();
}

}  // namespace awl::pattern
