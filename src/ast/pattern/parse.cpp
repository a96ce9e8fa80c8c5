// Text of regular expressions and globs to their tree.
#include <cctype>
#include <optional>

#include "ast/pattern/syntax.h"

namespace awl::pattern {

PartPtr make_part(PartKind kind) {
  auto part = std::make_unique<Part>();
  part->kind = kind;
  return part;
}

PartPtr make_bytes(ByteSet bytes) {
  PartPtr part = make_part(PartKind::Bytes);
  part->bytes = bytes;
  return part;
}

ByteSet all_bytes() {
  ByteSet set;
  set.set();
  return set.reset(0);
}

namespace {

struct NamedClass {
  std::string_view name;
  int (*holds)(int);
};
constexpr NamedClass kClasses[] = {{"alpha", std::isalpha}, {"digit", std::isdigit},   {"alnum", std::isalnum},
                                   {"upper", std::isupper}, {"lower", std::islower},   {"space", std::isspace},
                                   {"blank", std::isblank}, {"punct", std::ispunct},   {"print", std::isprint},
                                   {"graph", std::isgraph}, {"xdigit", std::isxdigit}, {"cntrl", std::iscntrl}};

ByteSet one_byte(char c) {
  ByteSet set;
  set.set(static_cast<uint8_t>(c));
  return set;
}

// A pattern being read. Errors are thrown within this file only: they end the reading from any depth.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

 protected:
  struct Failure {
    PatternError error;
  };
  [[noreturn]] static void fail_at(size_t offset, std::string message) { throw Failure{{std::move(message), offset}}; }
  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  // Behind `[`: the set up to the `]`. `escapes`: a backslash quotes, as in globs and in regular expressions of today.
  ByteSet bracket(size_t open, std::string_view negations) {
    ByteSet set;
    bool negated = !done() && negations.find(peek()) != std::string_view::npos;
    if (negated) at_++;
    for (bool first = true; first || peek() != ']'; first = false) {
      if (done()) fail_at(open, "`[` is not closed");
      if (take("[:")) {
        size_t end = text_.find(":]", at_);
        std::string_view name = text_.substr(at_, end == text_.npos ? 0 : end - at_);
        ByteSet named = named_class(name);
        if (named.none()) fail_at(at_ - 2, "unknown class `[:" + std::string(name) + ":]`");
        set |= named;
        at_ = end + 2;
        continue;
      }
      size_t begin = at_;
      std::optional<ByteSet> whole;
      char low = bracket_byte(whole);
      if (whole) {
        set |= *whole;
        continue;
      }
      char high = low;
      if (peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        at_++;
        high = bracket_byte(whole);
        if (whole || static_cast<uint8_t>(high) < static_cast<uint8_t>(low)) fail_at(begin, "the range is empty");
      }
      for (int c = static_cast<uint8_t>(low); c <= static_cast<uint8_t>(high); c++) set.set(static_cast<size_t>(c));
    }
    at_++;
    if (negated) set = ~set;
    return set.reset(0);
  }

  // One member of a bracket; `whole` is set for an escape that stands for a set.
  virtual char bracket_byte(std::optional<ByteSet> &whole) = 0;

  std::string_view text_;
  size_t at_ = 0;

  ~Reader() = default;
};

class GlobReader : Reader {
 public:
  using Reader::Reader;

  std::expected<PartPtr, PatternError> run() try {
    PartPtr out = make_part(PartKind::Sequence);
    out->parts.push_back(make_part(PartKind::Begin));
    while (!done()) out->parts.push_back(next());
    out->parts.push_back(make_part(PartKind::End));
    return out;
  } catch (Failure &failure) {
    return std::unexpected(std::move(failure.error));
  }

 private:
  PartPtr next() {
    size_t begin = at_;
    char c = text_[at_++];
    if (c == '?') return make_bytes(all_bytes());
    if (c == '[') return make_bytes(bracket(begin, "!^"));
    if (c == '*') {
      PartPtr any = make_part(PartKind::Repeat);
      any->parts.push_back(make_bytes(all_bytes()));
      return any;
    }
    if (c == '\\') {
      if (done()) fail_at(begin, "`\\` at the end");
      c = text_[at_++];
    }
    return make_bytes(one_byte(c));
  }

  char bracket_byte(std::optional<ByteSet> &) override {
    if (peek() == '\\' && at_ + 1 < text_.size()) at_++;
    return text_[at_++];
  }
};

class RegexReader : Reader {
 public:
  using Reader::Reader;

  std::expected<PartPtr, PatternError> run() try {
    ignore_case_ = take("(?i)");
    PartPtr out = choice(0);
    if (!done()) fail_at(at_, "`)` without `(`");
    return out;
  } catch (Failure &failure) {
    return std::unexpected(std::move(failure.error));
  }

 private:
  static constexpr int kMostRepeats = 255;
  static constexpr int kDeepest = 50;

  PartPtr choice(int depth) {
    PartPtr first = sequence(depth);
    if (peek() != '|') return first;
    PartPtr out = make_part(PartKind::Choice);
    out->parts.push_back(std::move(first));
    while (take("|")) out->parts.push_back(sequence(depth));
    return out;
  }

  PartPtr sequence(int depth) {
    PartPtr out = make_part(PartKind::Sequence);
    while (!done() && peek() != '|' && peek() != ')') out->parts.push_back(repeated(depth));
    return out;
  }

  PartPtr repeated(int depth) {
    PartPtr part = atom(depth);
    for (;;) {
      size_t begin = at_;
      int least = 0, most = -1;
      if (take("*")) {
      } else if (take("+")) {
        least = 1;
      } else if (take("?")) {
        most = 1;
      } else if (!braces(least, most)) {
        return part;
      }
      if (part->kind == PartKind::Begin || part->kind == PartKind::End)
        fail_at(begin, "there is nothing to repeat before `" + std::string(1, text_[begin]) + "`");
      PartPtr out = make_part(PartKind::Repeat);
      out->least = least;
      out->most = most;
      out->parts.push_back(std::move(part));
      part = std::move(out);
    }
  }

  // {2} {2,} {2,5}; a brace without a number is itself.
  bool braces(int &least, int &most) {
    if (peek() != '{' || at_ + 1 >= text_.size() || !std::isdigit(static_cast<uint8_t>(text_[at_ + 1]))) return false;
    size_t begin = at_++;
    least = most = number(begin);
    if (take(",")) most = std::isdigit(static_cast<uint8_t>(peek())) ? number(begin) : -1;
    if (!take("}")) fail_at(begin, "`{` is not closed");
    if (most >= 0 && most < least) fail_at(begin, "the range is empty");
    return true;
  }

  int number(size_t begin) {
    int value = 0;
    while (std::isdigit(static_cast<uint8_t>(peek())) && value <= kMostRepeats)
      value = value * 10 + (text_[at_++] - '0');
    if (value > kMostRepeats) fail_at(begin, "repeats more than " + std::to_string(kMostRepeats) + " times");
    return value;
  }

  PartPtr atom(int depth) {
    size_t begin = at_;
    char c = text_[at_++];
    switch (c) {
      case '.': return make_bytes(all_bytes());
      case '^': return make_part(PartKind::Begin);
      case '$': return make_part(PartKind::End);
      case '[': return make_bytes(folded(bracket(begin, "^")));
      case '*':
      case '+':
      case '?': fail_at(begin, std::string("there is nothing to repeat before `") + c + "`");
      case '\\': {
        std::optional<ByteSet> whole;
        char byte = escape(begin, whole);
        return make_bytes(whole ? *whole : folded(one_byte(byte)));
      }
      case '(': {
        if (peek() == '?' && !take("?:"))
          fail_at(begin, "`(?" + std::string(text_.substr(at_ + 1, 1)) + "` is not known");
        if (depth == kDeepest) fail_at(begin, "nested too deeply");
        PartPtr inner = choice(depth + 1);
        if (!take(")")) fail_at(begin, "`(` is not closed");
        return inner;
      }
      default: return make_bytes(folded(one_byte(c)));
    }
  }

  // Behind a backslash.
  char escape(size_t begin, std::optional<ByteSet> &whole) {
    if (done()) fail_at(begin, "`\\` at the end");
    char c = text_[at_++];
    auto set = [&](ByteSet bytes, char opposite) { whole = c == opposite ? (~bytes).reset(0) : bytes; };
    switch (c) {
      case 'd':
      case 'D': set(named_class("digit"), 'D'); return c;
      case 's':
      case 'S': set(named_class("space"), 'S'); return c;
      case 'w':
      case 'W': set(named_class("alnum") | one_byte('_'), 'W'); return c;
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case 'x': {
        std::string digits(text_.substr(at_, 2));
        bool good = digits.size() == 2 && std::isxdigit(static_cast<uint8_t>(digits[0])) &&
                    std::isxdigit(static_cast<uint8_t>(digits[1]));
        if (!good || digits == "00") fail_at(begin, "`\\x` needs two hexadecimal digits, not 00");
        at_ += 2;
        return static_cast<char>(std::stoi(digits, nullptr, 16));
      }
      default:
        if (std::isalnum(static_cast<uint8_t>(c))) fail_at(begin, "unknown escape `\\" + std::string(1, c) + "`");
        return c;
    }
  }

  char bracket_byte(std::optional<ByteSet> &whole) override {
    size_t begin = at_;
    char c = text_[at_++];
    return c == '\\' ? escape(begin, whole) : c;
  }

  [[nodiscard]] ByteSet folded(ByteSet set) const {
    if (!ignore_case_) return set;
    for (char lower = 'a'; lower <= 'z'; lower++) {
      auto a = static_cast<size_t>(lower), b = static_cast<size_t>(std::toupper(lower));
      if (set[a] || set[b]) set.set(a).set(b);
    }
    return set;
  }

  bool ignore_case_ = false;
};

}  // namespace

ByteSet named_class(std::string_view name) {
  ByteSet set;
  for (const NamedClass &one : kClasses)
    if (one.name == name)
      for (int c = 1; c < 128; c++) set.set(static_cast<size_t>(c), one.holds(c) != 0);
  return set;
}

std::expected<PartPtr, PatternError> parse_regex(std::string_view pattern) { return RegexReader(pattern).run(); }
std::expected<PartPtr, PatternError> parse_glob(std::string_view pattern) { return GlobReader(pattern).run(); }

}  // namespace awl::pattern
