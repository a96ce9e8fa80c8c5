#include "parser/format.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "parser/format_scan.h"

namespace awl {

namespace {

using syntax::Piece;
using syntax::PieceKind;

constexpr size_t kWidth = 100;  // of a line with a block on it
constexpr size_t kIndent = 2, kContinuation = 4;

constexpr std::array<std::string_view, 10> kKeywords = {"if",     "else", "while", "for",      "unroll",
                                                        "return", "let",  "macro", "comptime", "fn"};

bool is_keyword(const Piece &piece) {
  return piece.kind == PieceKind::Word && std::ranges::find(kKeywords, piece.text) != kKeywords.end();
}

bool is_comment(const Piece &piece) {
  return piece.kind == PieceKind::LineComment || piece.kind == PieceKind::BlockComment;
}

bool is_text(const Piece &piece, std::string_view text) { return piece.text == text && piece.kind != PieceKind::Text; }

class Printer {
 public:
  explicit Printer(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}

  std::string run() {
    classify();
    for (size_t i = 0; i < pieces_.size(); i++) put(i);
    flush();
    return std::move(out_);
  }

 private:
  enum class Role : uint8_t { Plain, Unary, Postfix, TightColon, Ambiguous };

  // --- What each operator is ------------------------------------------------------------------------------

  [[nodiscard]] const Piece *before(size_t i) const {
    while (i > 0)
      if (!is_comment(pieces_[--i])) return &pieces_[i];
    return nullptr;
  }

  // `(uint64)`, `(struct task_struct *)`: what follows belongs to it.
  [[nodiscard]] bool is_cast(size_t close) const {
    const size_t open = pieces_[close].match;
    if (pieces_[close].text != ")" || open + 1 >= close) return false;
    if (open > 0 && (pieces_[open - 1].kind == PieceKind::Word && !is_keyword(pieces_[open - 1])))
      return false;  // a call
    for (size_t i = open + 1; i < close; i++)
      if (pieces_[i].kind != PieceKind::Word && pieces_[i].text != "*" && pieces_[i].text != "[" &&
          pieces_[i].text != "]")
        return false;
    const std::string_view first = pieces_[open + 1].text;
    static constexpr std::array<std::string_view, 19> kTypes = {
        "struct", "union", "enum", "int8",  "int16", "int32", "int64",  "uint8",    "uint16", "uint32",
        "uint64", "bool",  "char", "short", "int",   "long",  "string", "unsigned", "signed"};
    return std::ranges::find(kTypes, first) != kTypes.end() || pieces_[close - 1].text == "*";
  }

  [[nodiscard]] Role role_of(size_t i) {
    const Piece &piece = pieces_[i];
    const std::string_view op = piece.text;
    const Piece *previous = before(i);
    const bool starts = !previous || is_keyword(*previous) || previous->kind == PieceKind::Comma ||
                        previous->kind == PieceKind::Semicolon || previous->kind == PieceKind::Open ||
                        previous->kind == PieceKind::OpenBrace || previous->kind == PieceKind::CloseBrace ||
                        (previous->kind == PieceKind::Predicate && previous->opens) ||
                        (previous->kind == PieceKind::Operator &&
                         roles_[static_cast<size_t>(previous - pieces_.data())] != Role::Postfix);
    if (op == "!" || op == "~") return Role::Unary;
    if (op == "++" || op == "--") return starts ? Role::Unary : Role::Postfix;
    if (op != "-" && op != "*" && op != "&" && op != "+") return Role::Plain;
    if (starts) return Role::Unary;
    if (previous->kind == PieceKind::Close && previous->text == ")") {
      if (is_cast(static_cast<size_t>(previous - pieces_.data()))) return Role::Unary;
      return Role::Ambiguous;
    }
    return Role::Plain;
  }

  // A colon belongs to `?`, to a type, or to `for ($x : @m)`.
  void colon(size_t i, std::vector<int> &questions) {
    if (pieces_[i].text == "?") questions.back()++;
    if (pieces_[i].text != ":") return;
    if (questions.back() > 0)
      questions.back()--;
    else if (!in_for(i))
      roles_[i] = Role::TightColon;
  }

  [[nodiscard]] bool in_for(size_t i) const {
    for (size_t j = i; j-- > 0 && pieces_[j].kind != PieceKind::Semicolon && pieces_[j].kind != PieceKind::OpenBrace;)
      if (is_text(pieces_[j], "for")) return true;
    return false;
  }

  void classify() {
    roles_.assign(pieces_.size(), Role::Plain);
    std::vector<int> questions = {0};  // open `?` in each bracket
    for (size_t i = 0; i < pieces_.size(); i++) {
      const PieceKind kind = pieces_[i].kind;
      if (kind == PieceKind::Operator) {
        roles_[i] = role_of(i);
        colon(i, questions);
      }
      if (kind == PieceKind::Open || kind == PieceKind::OpenBrace) questions.push_back(0);
      if ((kind == PieceKind::Close || kind == PieceKind::CloseBrace) && questions.size() > 1) questions.pop_back();
      if (kind == PieceKind::Semicolon) questions.back() = 0;
    }
  }

  // --- Blanks inside a line ---------------------------------------------------------------------------------

  [[nodiscard]] bool blank_between(size_t left, size_t right) const {
    const Piece &a = pieces_[left], &b = pieces_[right];
    if (b.kind == PieceKind::Comma || b.kind == PieceKind::Semicolon) return false;
    if (b.declaration) return b.blanks + b.newlines > 0;
    if (a.kind == PieceKind::Comma || a.kind == PieceKind::Semicolon) return b.kind != PieceKind::Close;
    if (a.kind == PieceKind::OpenBrace || b.kind == PieceKind::CloseBrace)
      return left + 1 != right || a.kind != PieceKind::OpenBrace || b.kind != PieceKind::CloseBrace;
    if (is_comment(a) || is_comment(b)) return true;
    if (a.kind == PieceKind::Open || b.kind == PieceKind::Close) return false;
    if (a.kind == PieceKind::Predicate && a.opens) return false;
    if (b.kind == PieceKind::Predicate) return b.opens;
    if (b.kind == PieceKind::OpenBrace) return true;
    if (b.kind == PieceKind::Open) return blank_before_bracket(a, left, b);
    if (a.kind == PieceKind::Operator || b.kind == PieceKind::Operator) return blank_at_operator(left, right);
    // What follows a closing parenthesis at once is what a cast is applied to.
    return a.kind != PieceKind::Close || is_keyword(b);
  }

  [[nodiscard]] bool blank_before_bracket(const Piece &a, size_t left, const Piece &b) const {
    if (b.text == "[")
      return a.kind == PieceKind::Operator ? blank_at_operator(left, left) : a.kind == PieceKind::Predicate;
    if (a.kind == PieceKind::Operator) return blank_at_operator(left, left);
    return is_keyword(a) || a.kind == PieceKind::CloseBrace || a.kind == PieceKind::Text;
  }

  // `left` == `right`: what stands behind the operator is a bracket.
  [[nodiscard]] bool blank_at_operator(size_t left, size_t right) const {
    const Piece &a = pieces_[left], &b = pieces_[right];
    if (a.text == "*" && b.text == "*" && left != right) return b.blanks > 0;  // `struct x **`
    if (a.kind == PieceKind::Operator) {
      if (a.text == "." || a.text == "->" || a.text == ".." || a.text == "...") return false;
      if (roles_[left] == Role::Unary)
        return left != right && a.text.find_first_of("-+&") != std::string_view::npos &&
               b.text.starts_with(a.text.back());  // `- -1`
      if (roles_[left] == Role::Ambiguous) return pieces_[left + 1].blanks > 0;
      if (roles_[left] == Role::Postfix) return b.kind != PieceKind::Operator || (b.text != "." && b.text != "->");
      if (left == right || b.kind != PieceKind::Operator) return true;
    }
    if (b.text == "." || b.text == "->" || b.text == ".." || (b.text == "..." && a.kind == PieceKind::Open))
      return false;
    if (roles_[right] == Role::Postfix || roles_[right] == Role::TightColon) return false;
    if (roles_[right] == Role::Ambiguous) return b.blanks > 0;
    if (roles_[right] == Role::Unary) return !(a.kind == PieceKind::Close && is_cast(left));
    return true;
  }

  // --- Lines ---------------------------------------------------------------------------------------------------

  void flush() {
    while (line_.ends_with(' ')) line_.pop_back();
    if (!line_.empty()) out_ += line_ + "\n";
    line_.clear();
  }

  // Begins a line with piece `i`.
  void begin_line(size_t i, size_t indent) {
    flush();
    if (pieces_[i].newlines > 1 && !out_.empty() && !out_.ends_with("{\n") && !out_.ends_with("\n\n") &&
        pieces_[i].kind != PieceKind::CloseBrace)
      out_ += '\n';
    line_.assign(indent, ' ');
    fresh_ = true;
  }

  [[nodiscard]] size_t indent() const { return level_ * kIndent; }

  void append(size_t i) {
    if (!fresh_ && i > 0 && blank_between(i - 1, i)) line_ += ' ';
    line_ += pieces_[i].text;
    fresh_ = false;
  }

  // A block that stands on one line and has room there.
  [[nodiscard]] bool fits_on_line(size_t open) const {
    const size_t close = pieces_[open].match;
    size_t length = line_.size() + 2;
    for (size_t i = open + 1; i <= close; i++) {
      const Piece &piece = pieces_[i];
      if (piece.newlines > 0 || piece.kind == PieceKind::LineComment || piece.kind == PieceKind::Directive)
        return false;
      length += piece.text.size() + (blank_between(i - 1, i) ? 1 : 0);
    }
    return length <= kWidth;
  }

  void put(size_t i) {
    const Piece &piece = pieces_[i];
    if (piece.kind == PieceKind::Directive) return put_directive(i);
    if (is_comment(piece)) return put_comment(i);
    if (piece.kind == PieceKind::CloseBrace && i == inline_until_) {
      append(i);
      inline_until_ = 0;
      return after_brace(i);
    }
    if (inline_until_ > 0) return append(i);
    if (piece.kind == PieceKind::CloseBrace) {
      level_ -= level_ > 0 ? 1 : 0;
      begin_line(i, indent());
      append(i);
      return after_brace(i);
    }
    if (line_.empty()) {
      begin_line(i, indent() + (in_statement_ ? continuation(i) : 0));
    } else if (piece.newlines > 0 && breaks_here(i)) {
      begin_line(i, indent() + continuation(i));
    }
    in_statement_ = true;
    append(i);
    if (piece.kind == PieceKind::OpenBrace) return open_block(i);
    if (piece.kind == PieceKind::Open) brackets_++;
    if (piece.kind == PieceKind::Close) brackets_ -= brackets_ > 0 ? 1 : 0;
    if (piece.kind == PieceKind::Semicolon && brackets_ == 0) end_statement(i);
  }

  // What is left of the author's line breaks: not before what belongs to the piece before.
  [[nodiscard]] bool breaks_here(size_t i) const {
    const Piece &piece = pieces_[i];
    if (piece.kind == PieceKind::Comma || piece.kind == PieceKind::Semicolon || piece.kind == PieceKind::Close)
      return false;
    if (piece.kind == PieceKind::OpenBrace) return piece.header && header_lines_ > 1;
    if (piece.kind == PieceKind::Predicate) return piece.opens;
    return true;
  }

  [[nodiscard]] size_t continuation(size_t i) {
    if (!pieces_[i].header) return kContinuation;
    header_lines_++;
    return pieces_[i].kind == PieceKind::AttachPoint || pieces_[i].kind == PieceKind::Predicate ||
                   pieces_[i].kind == PieceKind::OpenBrace
               ? 0
               : kContinuation;
  }

  void open_block(size_t i) {
    header_lines_ = 1;
    if (fits_on_line(i)) {
      inline_until_ = pieces_[i].match;
      return;
    }
    level_++;
    saved_brackets_.push_back(brackets_);
    brackets_ = 0;
    in_statement_ = false;
    end_line(i);
  }

  // Behind a `}` the line goes on only with what belongs to the same statement.
  void after_brace(size_t i) {
    if (inline_until_ == 0 && line_.find_first_not_of(' ') == line_.size() - 1 && !saved_brackets_.empty()) {
      brackets_ = saved_brackets_.back();
      saved_brackets_.pop_back();
    }
    if (i + 1 < pieces_.size() && goes_on(i + 1)) {
      in_statement_ = true;
      return;
    }
    end_statement(i);
  }

  [[nodiscard]] bool goes_on(size_t i) const {
    const Piece &piece = pieces_[i];
    if (is_comment(piece)) return false;
    if (is_text(piece, "else")) return true;
    if (piece.declaration) return true;  // `} name;`, `};`
    if (brackets_ > 0) return true;
    switch (piece.kind) {
      case PieceKind::Semicolon:
      case PieceKind::Comma:
      case PieceKind::Close: return true;
      case PieceKind::Operator: return roles_[i] != Role::Unary && roles_[i] != Role::Postfix;
      default: return false;
    }
  }

  void end_statement(size_t i) {
    in_statement_ = false;
    end_line(i);
  }

  // A comment behind stays on the line.
  void end_line(size_t i) {
    if (i + 1 < pieces_.size() && is_comment(pieces_[i + 1]) && pieces_[i + 1].newlines == 0) return;
    flush();
  }

  void put_directive(size_t i) {
    const size_t kept = inline_until_;
    begin_line(i, 0);
    line_ += trim(pieces_[i].text);
    flush();
    inline_until_ = kept;
  }

  void put_comment(size_t i) {
    const Piece &piece = pieces_[i];
    if (inline_until_ > 0) return append(i);
    const bool behind = i > 0 && piece.newlines == 0 && !line_.empty();
    if (behind && piece.kind == PieceKind::LineComment) {
      line_.append(std::max<size_t>(2, piece.blanks), ' ');
      line_ += trim(piece.text);
      return flush();
    }
    if (behind) {
      append(i);
    } else {
      begin_line(i, indent() + (in_statement_ && !piece.header ? kContinuation : 0));
      put_lines(piece.text);
      fresh_ = false;
    }
    const bool alone = i + 1 >= pieces_.size() || pieces_[i + 1].newlines > 0;
    if (alone || piece.kind == PieceKind::LineComment) flush();
  }

  // The lines of a block comment: a column of `*` moves with its first line, other text stays where it is.
  void put_lines(std::string_view text) {
    const size_t column = line_.size();
    bool first = true;
    for (const std::string &one : split(text, '\n')) {
      std::string_view whole = one;
      while (!whole.empty() && (whole.back() == ' ' || whole.back() == '\t' || whole.back() == '\r'))
        whole.remove_suffix(1);
      if (first) {
        line_ += whole;
      } else {
        line_ += '\n';
        if (trim(whole).starts_with('*'))
          line_ += std::string(column + 1, ' ') + std::string(trim(whole));
        else
          line_ += whole;
      }
      first = false;
    }
  }

  std::vector<Piece> pieces_;
  std::vector<Role> roles_;
  std::string out_, line_;
  size_t level_ = 0;
  size_t brackets_ = 0;                 // ( and [ that are open in this block
  std::vector<size_t> saved_brackets_;  // of the blocks around
  size_t inline_until_ = 0;             // the brace that ends a block on this line
  size_t header_lines_ = 1;
  bool in_statement_ = false;  // pieces of it have been printed
  bool fresh_ = true;          // nothing but the indent stands on the line
};

}  // namespace

Result<std::string> format_script(std::string_view text) { return Printer(TRY(syntax::cut(text))).run(); }

}  // namespace awl
