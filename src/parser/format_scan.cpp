#include "parser/format_scan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/strings.h"
#include "parser/attach_text.h"

namespace awl::syntax {

namespace {

// Longest first.
constexpr std::array<std::string_view, 24> kOperators = {"<<=", ">>=", "...", "->", "++", "--", "<<", ">>",
                                                         "<=",  ">=",  "==",  "!=", "&&", "||", "+=", "-=",
                                                         "*=",  "/=",  "%=",  "&=", "|=", "^=", "..", "?:"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  Result<std::vector<Piece>> run() {
    if (text_.starts_with("#!")) directive();
    while (skip_blanks()) {
      if (directive() || comment()) continue;
      if (open_.empty() && item_ == Item::None) begin_item();
      if (item_ == Item::Probe && open_.empty()) {
        TRY(probe_header());
        continue;
      }
      TRY(code());
    }
    if (!open_.empty()) return fail("a bracket is not closed");
    return std::move(pieces_);
  }

 private:
  enum class Item { None, Probe, Declaration, Code };  // what stands at the top level

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  void add(PieceKind kind, size_t length) {
    Piece piece{kind, rest().substr(0, length)};
    piece.newlines = newlines_;
    piece.blanks = blanks_;
    piece.declaration = item_ == Item::Declaration;
    piece.header = item_ == Item::Probe && open_.empty();
    pieces_.push_back(piece);
    at_ += length;
    newlines_ = blanks_ = 0;
  }

  bool skip_blanks() {
    while (at_ < text_.size()) {
      if (text_[at_] == '\n') {
        newlines_++;
        blanks_ = 0;
      } else if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
        blanks_++;
      } else if (rest().starts_with("\\\n")) {
        at_++;
        newlines_++;
      } else {
        return true;
      }
      at_++;
    }
    return false;
  }

  bool directive() {
    if (text_[at_] != '#' || (newlines_ == 0 && !pieces_.empty())) return false;
    size_t end = 0;
    while (end < rest().size() && (rest()[end] != '\n' || (end > 0 && rest()[end - 1] == '\\'))) end++;
    add(PieceKind::Directive, end);
    return true;
  }

  bool comment() {
    if (rest().starts_with("//")) {
      add(PieceKind::LineComment, std::min(rest().find('\n'), rest().size()));
      return true;
    }
    if (!rest().starts_with("/*")) return false;
    size_t end = rest().find("*/", 2);
    add(PieceKind::BlockComment, end == std::string_view::npos ? rest().size() : end + 2);
    return true;
  }

  [[nodiscard]] std::string_view word_here() const {
    size_t length = 0;
    while (length < rest().size() && is_word(rest()[length])) length++;
    return rest().substr(0, length);
  }

  void begin_item() {
    std::string_view word = word_here();
    std::string_view behind = rest().substr(word.size());
    const bool blank = !behind.empty() && std::isspace(static_cast<unsigned char>(behind[0]));
    if (word == "config") {
      item_ = trim(behind).starts_with('=') ? Item::Code : Item::Probe;
    } else if ((word == "struct" || word == "union" || word == "enum" || word == "typedef") && blank) {
      item_ = Item::Declaration;
    } else if ((word == "import" || word == "let" || word == "macro" || word == "fn") && (blank || word == "import")) {
      item_ = Item::Code;
    } else if (rest().starts_with("[[") || rest()[0] == ';') {
      item_ = Item::Code;
    } else {
      item_ = Item::Probe;
    }
    probe_named_ = false;
    ends_at_brace_ = word == "config" || word == "macro" || word == "fn" || item_ == Item::Probe;
  }

  // Attach points, commas, then the predicate and the brace.
  Result<> probe_header() {
    const char c = text_[at_];
    if (c == ',') {
      add(PieceKind::Comma, 1);
    } else if (c == '{') {
      push(PieceKind::OpenBrace);
    } else if (c == '/' && probe_named_) {
      return predicate();
    } else if (c == '}' || c == ';') {
      return fail("an action is missing");
    } else {
      size_t end = 0;
      bool quoted = false;
      for (; end < rest().size(); end++) {
        const char d = rest()[end];
        if (d == '"') quoted = !quoted;
        if (quoted && d == '\\') end++;
        if (!quoted && blank_beside_colon(rest(), end)) continue;
        if (!quoted && (std::isspace(static_cast<unsigned char>(d)) || d == ',' || d == '{' || d == ';' || d == '}'))
          break;
      }
      end = std::min(end, rest().size());
      end = std::max<size_t>(1, take_attach_point(rest().substr(0, end)).length);
      add(PieceKind::AttachPoint, end);
      probe_named_ = true;
    }
    return {};
  }

  // `/ ... /`: the second one stands right before the brace that opens the action.
  Result<> predicate() {
    add(PieceKind::Predicate, 1);
    pieces_.back().opens = true;
    std::optional<size_t> last;
    while (skip_blanks()) {
      if (comment()) continue;
      if (text_[at_] == '{' && open_.empty()) break;
      const size_t before = pieces_.size();
      // `/{` is two pieces, and so is everything else that starts with the slash at the end.
      if (text_[at_] == '/' && open_.empty())
        add(PieceKind::Operator, 1);
      else
        TRY(code());
      last = before;
    }
    if (!last || pieces_[*last].text != "/") return fail("a predicate does not end");
    pieces_[*last].kind = PieceKind::Predicate;
    return {};
  }

  void push(PieceKind kind) {
    add(kind, 1);
    open_.push_back(pieces_.size() - 1);
  }

  Result<> close(PieceKind kind, char wanted) {
    if (open_.empty() || pieces_[open_.back()].text[0] != wanted) return fail("brackets do not match");
    const size_t opened = open_.back();
    open_.pop_back();
    add(kind, 1);
    pieces_.back().match = opened;
    pieces_.back().header = false;
    pieces_[opened].match = pieces_.size() - 1;
    if (open_.empty() && kind == PieceKind::CloseBrace && ends_at_brace_) item_ = Item::None;
    return {};
  }

  Result<> code() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') {
      size_t end = 1;
      while (end < rest().size() && rest()[end] != c && rest()[end] != '\n') end += rest()[end] == '\\' ? 2 : 1;
      add(PieceKind::Text, std::min(end + 1, rest().size()));
    } else if (is_word(c)) {
      add(PieceKind::Word, word_here().size());
    } else if (c == '@' || c == '$') {
      size_t end = 1;
      while (end < rest().size() && is_word(rest()[end])) end++;
      if (c == '$' && rest().starts_with("$#")) end = 2;
      add(PieceKind::Word, end);
    } else if (c == '(' || c == '[') {
      push(PieceKind::Open);
    } else if (c == '{') {
      push(PieceKind::OpenBrace);
    } else if (c == ')' || c == ']') {
      return close(PieceKind::Close, c == ')' ? '(' : '[');
    } else if (c == '}') {
      return close(PieceKind::CloseBrace, '{');
    } else if (c == ',') {
      add(PieceKind::Comma, 1);
    } else if (c == ';') {
      add(PieceKind::Semicolon, 1);
      if (open_.empty()) item_ = Item::None;
    } else {
      auto longest = std::ranges::find_if(kOperators, [&](std::string_view op) { return rest().starts_with(op); });
      add(PieceKind::Operator, is_match() ? 2 : longest == kOperators.end() ? 1 : longest->size());
    }
    return {};
  }

  // `=~` and `!~` are one operator before a string, else two.
  [[nodiscard]] bool is_match() const {
    if (!rest().starts_with("=~") && !rest().starts_with("!~")) return false;
    size_t behind = rest().find_first_not_of(" \t\r\n", 2);
    return behind != std::string_view::npos && rest()[behind] == '"';
  }

  std::string_view text_;
  size_t at_ = 0;
  uint32_t newlines_ = 0, blanks_ = 0;
  std::vector<Piece> pieces_;
  std::vector<size_t> open_;
  Item item_ = Item::None;
  bool probe_named_ = false;
  bool ends_at_brace_ = false;  // the item ends with its `}`, not with a `;`
};

}  // namespace

Result<std::vector<Piece>> cut(std::string_view text) { return Cutter(text).run(); }

}  // namespace awl::syntax
