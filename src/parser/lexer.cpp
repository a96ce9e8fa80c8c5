#include "parser/lexer.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "base/strings.h"
#include "parser/attach_text.h"
#include "parser/grammar.h"
#include "parser/literals.h"
#include "parser/text_scan.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

constexpr int kMaxErrors = 100;

const std::unordered_map<std::string_view, int> kKeywords = {
    {"struct", G::T_STRUCT},
    {"union", G::T_UNION},
    {"enum", G::T_ENUM},
    {"let", G::T_LET},
    {"if", G::T_IF},
    {"else", G::T_ELSE},
    {"while", G::T_WHILE},
    {"for", G::T_FOR},
    {"unroll", G::T_UNROLL},
    {"break", G::T_BREAK},
    {"continue", G::T_CONTINUE},
    {"return", G::T_RETURN},
    {"sizeof", G::T_SIZEOF},
    {"offsetof", G::T_OFFSETOF},
    {"typeof", G::T_TYPEOF},
    {"comptime", G::T_COMPTIME},
    {"true", G::T_TRUE},
    {"false", G::T_FALSE},
    {"unsigned", G::T_INT_WORD},
    {"signed", G::T_INT_WORD},
    {"short", G::T_INT_WORD},
    {"long", G::T_INT_WORD},
    {"int", G::T_INT_WORD},
    {"char", G::T_INT_WORD},
    {"typedef", G::T_TYPEDEF},
    {"container_of", G::T_CONTAINER_OF},
    {"__signed__", G::T_INT_WORD},
    {"__signed", G::T_INT_WORD},
};

// Words that begin a top-level item other than a probe.
const std::unordered_map<std::string_view, int> kItemKeywords = {
    {"struct", G::T_STRUCT},   {"union", G::T_UNION},   {"enum", G::T_ENUM},
    {"typedef", G::T_TYPEDEF}, {"config", G::T_CONFIG}, {"let", G::T_LET},
    {"import", G::T_IMPORT},   {"macro", G::T_MACRO},   {"fn", G::T_FN},
};

bool is_name_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// A byte or UTF-8 sequence as a message shows it.
std::string printable(std::string_view text) {
  auto byte = static_cast<unsigned char>(text[0]);
  if (text.size() == 1 && (byte < 0x20 || byte >= 0x7f)) return fmt::format("\\x{:02x}", byte);
  return std::string(text);
}

}  // namespace

void Lexer::begin_token(const char *, size_t length) {
  begin_ = end_;
  end_ = begin_ + length;
}

Span Lexer::here() const { return {offset_ + static_cast<uint32_t>(begin_), offset_ + static_cast<uint32_t>(end_)}; }

std::string_view Lexer::rest() const { return text_.substr(std::min(end_, text_.size())); }

bool Lexer::at_line_start() const { return end_ == 0 || (end_ <= text_.size() && text_[end_ - 1] == '\n'); }

int Lexer::word() {
  token_.text = spelling();
  auto it = kKeywords.find(token_.text);
  return it == kKeywords.end() ? static_cast<int>(G::T_IDENT) : it->second;
}

int Lexer::number() {
  ParsedNumber number = parse_number(spelling());
  if (!number.error.empty()) diagnostics_->emit(diag::BadNumber, here(), std::string(spelling()), number.error);
  token_.text = spelling();
  token_.value = number.value;
  token_.is_unsigned = number.is_unsigned;
  return G::T_INTEGER;
}

int Lexer::positional() {
  auto number = parse_unsigned(spelling().substr(std::min<size_t>(spelling().find_first_not_of("$0"), end_ - begin_)));
  token_.value = number.value_or(0);
  if (token_.value == 0 || token_.value > 0xffff) {
    diagnostics_->emit(diag::BadNumber, here(), std::string(spelling()), "positional parameters begin with `$1`")
        .with_hint("the number of parameters is `$#`");
    token_.text = "0";  // a parameter would be reported again, as one that is not given
    token_.value = 0;
    return G::T_INTEGER;
  }
  return G::T_POSITIONAL;
}

void Lexer::decode_string(std::string_view content, size_t content_begin) {
  token_.text.clear();
  for (size_t i = 0; i < content.size();) {
    if (content[i] != '\\' || i + 1 == content.size()) {
      token_.text += content[i++];
      continue;
    }
    Escape escape = parse_escape(content.substr(i));
    if (!escape.known && !enough_errors()) {
      auto at = offset_ + static_cast<uint32_t>(content_begin + i);
      diagnostics_
          ->emit(diag::BadEscape, Span{at, at + static_cast<uint32_t>(escape.length)},
                 std::string(content.substr(i, escape.length)))
          .with_hint("known are \\n \\t \\r \\\" \\\\, an octal \\123 up to \\377 and a hexadecimal \\x7f");
    }
    token_.text += escape.value;
    i += escape.length;
  }
}

int Lexer::string() {
  decode_string(text_.substr(begin_ + 1, end_ - begin_ - 2), begin_ + 1);
  return G::T_STRING;
}

// Typographic quotes, as texts and web pages have them.
int Lexer::curly_quoted() {
  diagnostics_->emit(diag::BadCharacter, Span{here().begin, here().begin + 3}, std::string(spelling().substr(0, 3)))
      .with_hint("strings stand in plain double quotes: \"...\"");
  std::string_view content = spelling().substr(3);
  if (content.ends_with("\xe2\x80\x9c") || content.ends_with("\xe2\x80\x9d")) content.remove_suffix(3);
  if (content.ends_with('"')) content.remove_suffix(1);
  token_.text = content;
  return G::T_STRING;
}

// Where a string ends that is not closed on its line, by its text up to the next quote and what follows that: at that
// quote if the string was meant to go on over lines, else on its line, before the brackets at the end.
size_t Lexer::guessed_end(std::string_view text, std::string_view behind) {
  const std::string_view line = behind.substr(0, behind.find('\n'));
  const bool closes = text.size() > 1 && text.ends_with('"') && std::ranges::count(line, '"') % 2 == 0 &&
                      (line.empty() || std::string_view(" \t\r),;]}").find(line[0]) != std::string_view::npos);
  if (closes) return text.size();
  std::string_view first = text.substr(0, text.find('\n'));
  if (first.size() > 1 && first.ends_with('"')) first.remove_suffix(1);  // one of another string
  return std::max<size_t>(first.find_last_not_of(" \t\r();{}") + 1, 1);
}

// Returns how much of the match is the string.
size_t Lexer::unterminated_string() {
  const size_t length = guessed_end(spelling(), rest());
  end_ = begin_ + length;
  const bool over_lines = spelling().find('\n') != std::string_view::npos;
  const auto first_line = static_cast<uint32_t>(std::min(spelling().find('\n'), length));
  Diagnostic &d = diagnostics_->emit(diag::UnterminatedString, Span{here().begin, here().begin + first_line});
  if (over_lines) d.with_hint("a string stands on one line: a line break in it is written `\\n`");
  token_.text = spelling().substr(1);
  token_.unclosed = true;
  token_.kind = G::T_STRING;
  return length;
}

// `'x'` is C's character or another language's string; in a script it goes on as a string.
int Lexer::single_quoted() {
  if (in_c_ && spelling().size() > 2 && spelling().back() == '\'') {
    std::string_view content = spelling().substr(1, spelling().size() - 2);
    char value = content[0] == '\\' && content.size() > 1 ? parse_escape(content).value : content[0];
    token_.text = spelling();
    token_.value = static_cast<uint64_t>(int64_t{static_cast<signed char>(value)});
    return G::T_INTEGER;
  }
  diagnostics_->emit(diag::BadCharacter, Span{here().begin, here().begin + 1}, "'")
      .with_hint("strings stand in double quotes: \"...\"");
  size_t close = spelling().size() > 1 && spelling().back() == '\'' ? 1 : 0;
  token_.text = spelling().substr(1, spelling().size() - 1 - close);
  return G::T_STRING;
}

int Lexer::hash() {
  if (!in_c_) return 0;
  return spelling().size() == 2 ? static_cast<int>(G::T_PASTE) : static_cast<int>(G::T_HASH);
}

// Goes on as a variable without a name.
int Lexer::lone_dollar() {
  diagnostics_->emit(diag::BadCharacter, here(), "$")
      .with_hint("a variable is `$name`, a positional parameter `$1`, their number `$#`");
  return G::T_VARIABLE;
}

int Lexer::slash() {
  return in_predicate_ && skip_blanks(rest()).starts_with('{') ? static_cast<int>(G::T_PREDICATE_CLOSE)
                                                               : static_cast<int>(G::T_SLASH);
}

int Lexer::directive() {
  token_.text = spelling();
  return G::T_DIRECTIVE;
}

int Lexer::text_token(int kind, size_t skip_front, size_t skip_back) {
  token_.text = text_.substr(begin_ + skip_front, end_ - begin_ - skip_front - skip_back);
  return kind;
}

int Lexer::operator_token(int kind, ast::BinaryOp op) {
  token_.value = static_cast<uint64_t>(op);
  return kind;
}

// A keyword that begins an item, or an attach point; returns how much of the match it is.
size_t Lexer::top_level_word() {
  std::string_view match = spelling();
  size_t name = 0;
  while (name < match.size() && is_name_byte(match[name])) name++;
  auto it = item_start_ ? kItemKeywords.find(match.substr(0, name)) : kItemKeywords.end();
  bool keyword = it != kItemKeywords.end();
  if (keyword && name < match.size()) {
    char next = match[name];  // `fn:x` and `fn=kprobe:f` are attach points
    keyword = next == '"' || next == '@' || next == '(' || (next == '=' && it->second == G::T_CONFIG);
  }
  AttachText word = keyword ? AttachText{std::string(match.substr(0, name)), name} : take_attach_point(match);
  token_.kind = keyword ? it->second : static_cast<int>(G::T_ATTACH);
  token_.text = word.text;
  end_ = begin_ + word.length;
  return word.length;
}

void Lexer::doc_line() {
  std::string_view line = spelling().substr(3);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!continues_line(text_.substr(doc_end_, begin_ - doc_end_))) doc_.clear();
  if (!doc_.empty()) doc_ += '\n';
  doc_ += trim(line).empty() ? "" : line.substr(0, line.find_last_not_of(" \t\r") + 1);
  doc_end_ = end_;
}

std::string Lexer::take_doc() {
  bool above = begin_ >= doc_end_ && continues_line(text_.substr(doc_end_, begin_ - doc_end_));
  std::string doc = above ? std::move(doc_) : "";
  doc_.clear();
  return doc;
}

void Lexer::unterminated_comment() {
  diagnostics_->emit(diag::UnterminatedComment, Span{here().begin, here().begin + 2});
}

// A binary file given by mistake would have one for each byte.
bool Lexer::enough_errors() { return ++errors_ > kMaxErrors; }

void Lexer::bad_character() {
  if (enough_errors()) return;
  Diagnostic &d = diagnostics_->emit(diag::BadCharacter, here(), printable(spelling()));
  if (spelling() == "#") d.with_hint("comments begin with `//`; a preprocessor line begins with `#`");
  if (spelling() == "`") d.with_hint("strings stand in double quotes: \"...\"");
}

}  // namespace awl::syntax
