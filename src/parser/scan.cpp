#include "parser/scan.h"

#include <deque>
#include <iterator>
#include <set>

#include "parser/grammar.h"
#include "parser/imports.h"
#include "parser/lexer.h"
#include "parser/preprocessor.h"
#include "parser/text_scan.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

constexpr size_t kMaxNesting = 200;
constexpr size_t kMaxErrors = 100;

ItemKind item_of(int kind) {
  switch (kind) {
    case G::T_STRUCT:
    case G::T_UNION:
    case G::T_ENUM:
    case G::T_TYPEDEF: return ItemKind::CType;
    case G::T_CONFIG: return ItemKind::Config;
    case G::T_LET: return ItemKind::Map;
    case G::T_IMPORT: return ItemKind::Import;
    case G::T_MACRO: return ItemKind::Macro;
    case G::T_FN:
    case G::T_ATTRIBUTES: return ItemKind::Function;
    default: return ItemKind::Probe;
  }
}

class Scan {
 public:
  Scan(const Source &source, const ParseOptions &options, Diagnostics &diagnostics)
      : end_(source.files()[options.file].end),
        diagnostics_(diagnostics),
        most_errors_(diagnostics.error_count() + kMaxErrors),
        lexer_(source.text_of(source.files()[options.file]), source.files()[options.file].begin, diagnostics),
        preprocessor_(options, source.files()[options.file].begin, diagnostics),
        headers_(options.headers, preprocessor_, diagnostics) {
    last_ = {source.files()[options.file].begin, source.files()[options.file].begin};
  }

  Scanned run() {
    headers_.read_included();
    while (true) {
      if (Span probe = lost_brace(); !probe.empty()) close_braces(probe);
      Token token = raw();
      if (token.kind == G::T_END_OF_FILE) break;
      if (in_code()) {
        expand(token);
      } else {
        accept(std::move(token));
      }
    }
    close_braces({});
    preprocessor_.finish();
    out_.push_back({G::T_END_OF_FILE, {place(), place()}, ""});
    return {std::move(out_), headers_.take(), std::move(preprocessor_.includes)};
  }

 private:
  [[nodiscard]] uint32_t place() const { return last_.end; }
  [[nodiscard]] bool in_code() const {
    if (item_kind_ == ItemKind::None || after_attributes()) return false;
    return item_kind_ != ItemKind::Probe || predicate_ || !braces_.empty();
  }
  [[nodiscard]] bool after_attributes() const { return !item_.empty() && item_.back().kind == G::T_ATTRIBUTES; }

  // The next token that is not a directive; leaves out what #if leaves out.
  Token raw() {
    if (!waiting_.empty()) {
      Token token = std::move(waiting_.front());
      waiting_.pop_front();
      return token;
    }
    while (diagnostics_.error_count() < most_errors_) {
      lexer_.at_item_start(item_kind_ == ItemKind::None || after_attributes());
      lexer_.in_predicate(predicate_);
      lexer_.in_c(item_kind_ == ItemKind::CType);
      Token token = lexer_.next(!preprocessor_.active() ? Lexer::Mode::Skip
                                : in_code()             ? Lexer::Mode::Code
                                                        : Lexer::Mode::Top);
      if (token.kind != G::T_DIRECTIVE) return token;
      size_t includes = preprocessor_.includes.size();
      preprocessor_.directive(token);
      if (preprocessor_.includes.size() > includes) headers_.read(includes);
    }
    return {G::T_END_OF_FILE, last_, ""};
  }

  void expand(Token token) {
    for (Token &result : preprocessor_.expand_in_text(std::move(token), [&] { return raw(); }, waiting_))
      accept(std::move(result));
  }

  void accept(Token token) {
    if (token.kind == G::T_END_OF_FILE) return;
    last_ = token.span;
    if (item_kind_ == ItemKind::None && !begin_item(token)) return;
    if (is_qualifier(token, item_kind_) && !after_dot()) return;
    if (token.kind == G::T_ATTRIBUTES) doc_ += lexer_.take_doc();
    if (token.kind == G::T_FN) token.text = doc_ + lexer_.take_doc();
    int kind = token.kind;
    unclosed_ = unclosed_ || token.unclosed;
    item_.push_back(std::move(token));
    pack(item_, item_kind_ == ItemKind::CType ? preprocessor_.packing() : 0);
    switch (kind) {
      case G::T_LBRACE:
        braces_.push_back(last_);
        predicate_ = false;
        break;
      case G::T_PREDICATE_OPEN: predicate_ = true; break;
      case G::T_PREDICATE_CLOSE: predicate_ = false; break;
      case G::T_RBRACE:
        // The rest of `print(1) } else { ... }`, where a probe is missing, is no probe.
        if (!braces_.empty() || !skip_blanks(lexer_.rest()).starts_with("else")) close_brace();
        break;
      case G::T_SEMICOLON:
        if (braces_.empty()) end_item(item_kind_ == ItemKind::Probe);
        break;
      case G::T_RPAREN:
      case G::T_STRING:
        // The `;` of these may be forgotten; what follows is top level again.
        if ((item_kind_ == ItemKind::Map && kind == G::T_RPAREN) || item_kind_ == ItemKind::Import)
          if (!skip_blanks(lexer_.rest()).starts_with(';')) end_item(false);
        break;
      default: break;
    }
  }

  [[nodiscard]] bool after_dot() const {
    return !item_.empty() && (item_.back().kind == G::T_DOT || item_.back().kind == G::T_ARROW);
  }

  // False if the token is none of an item.
  bool begin_item(const Token &token) {
    if (token.kind == G::T_SEMICOLON) return false;
    if (token.kind == G::T_RBRACE) {
      if (!unclosed_)
        diagnostics_.emit(diag::SyntaxError, token.span, "`}`", "a probe").with_hint("no `{` is open here");
      return false;
    }
    item_kind_ = item_of(token.kind);
    unclosed_ = false;
    doc_.clear();
    return true;
  }

  void close_brace() {
    if (!braces_.empty()) braces_.pop_back();
    if (!braces_.empty()) return;
    if (item_kind_ == ItemKind::CType) {  // `;`, attributes or declared names may follow
      if (item_[0].kind == G::T_TYPEDEF) return;
      std::string_view rest = skip_blanks(lexer_.rest());
      if (rest.starts_with(';') || rest.starts_with("__attribute__") || rest.starts_with("__packed") ||
          rest.starts_with("__aligned"))
        return;
    }
    end_item(false);
  }

  // `replace`: the last token (a `;` in the head of a probe) is the end itself.
  void end_item(bool replace) {
    if (replace) item_.pop_back();
    if (import_header()) return clear_item();
    size_t deepest = nesting_error();
    if (deepest < item_.size()) {
      diagnostics_.emit(diag::TooDeep, item_[deepest].span, "brackets", static_cast<int>(kMaxNesting));
    } else {
      classify(item_, item_kind_, diagnostics_);
      item_.push_back({G::T_END, last_, replace ? ";" : ""});
      out_.insert(out_.end(), std::make_move_iterator(item_.begin()), std::make_move_iterator(item_.end()));
    }
    clear_item();
  }

  // `import "x.h";` is an #include.
  bool import_header() {
    if (item_kind_ != ItemKind::Import || item_.size() < 2 || !item_[1].text.ends_with(".h")) return false;
    preprocessor_.includes.push_back({item_[1].span, item_[1].text, true, ""});
    headers_.read(preprocessor_.includes.size() - 1);
    const std::string &file = preprocessor_.includes.back().file;
    const std::string folder = file.substr(0, file.rfind('/') == file.npos ? 0 : file.rfind('/') + 1);
    if (!file.empty() && everybody_may_write(folder))
      diagnostics_.emit(diag::ImportFailed, item_[1].span, item_[1].text,
                        fmt::format("everybody may write into `{}`", folder.empty() ? "." : folder));
    return true;
  }

  void clear_item() {
    item_.clear();
    item_kind_ = ItemKind::None;
    predicate_ = false;
    braces_.clear();
  }

  // Index of the first bracket that is nested too deep, size if none.
  [[nodiscard]] size_t nesting_error() const {
    size_t depth = 0;
    for (size_t i = 0; i < item_.size(); i++) {
      int kind = item_[i].kind;
      if (kind == G::T_LBRACE || kind == G::T_LPAREN || kind == G::T_LBRACKET) depth++;
      if ((kind == G::T_RBRACE || kind == G::T_RPAREN || kind == G::T_RBRACKET) && depth > 0) depth--;
      if (depth > kMaxNesting) return i;
    }
    return item_.size();
  }

  // A probe at the start of a line where a statement should begin: a `}` above it was forgotten. Its place.
  [[nodiscard]] Span lost_brace() const {
    if (braces_.empty() || !waiting_.empty() || item_.empty()) return {};
    int last = item_.back().kind;
    if (last != G::T_SEMICOLON && last != G::T_RBRACE && last != G::T_LBRACE) return {};
    std::string_view rest = skip_blanks(lexer_.rest());
    size_t skipped = lexer_.rest().size() - rest.size();
    if (skipped == 0 || lexer_.rest()[skipped - 1] != '\n' || !looks_like_probe(rest)) return {};
    auto begin = static_cast<uint32_t>(end_ - rest.size());
    return {begin, begin + static_cast<uint32_t>(rest.find_first_of(" \t\r\n{/,"))};
  }

  // Reports open braces and closes them, at the end or before a probe.
  void close_braces(Span before) {
    if (!braces_.empty()) {
      if (!unclosed_) {
        Diagnostic &d = diagnostics_.emit(diag::UnclosedBracket, braces_.back(), "{");
        if (!before.empty()) d.at(before, "a `}` is missing before this");
      }
      size_t open = braces_.size();
      for (size_t i = 0; i < open; i++) {
        Token close{G::T_RBRACE, {last_.end, last_.end}, ""};
        close.synthetic = true;
        item_.push_back(close);
      }
    }
    if (item_kind_ == ItemKind::None) return;
    last_ = {last_.end, last_.end};
    end_item(false);
  }

  uint32_t end_;  // of the text
  Diagnostics &diagnostics_;
  size_t most_errors_;
  Lexer lexer_;
  Preprocessor preprocessor_;
  Headers headers_;
  std::deque<Token> waiting_;  // raw tokens looked at and put back
  std::vector<Token> out_;
  std::vector<Token> item_;  // of the item being read
  ItemKind item_kind_ = ItemKind::None;
  std::vector<Span> braces_;  // open ones
  bool predicate_ = false;
  bool unclosed_ = false;  // there was a string in the item, now or last, of which nobody knows where it ends
  std::string doc_;
  Span last_;
};

}  // namespace

bool is_qualifier(const Token &token, ItemKind item) {
  static const std::set<std::string_view> kOfC = {
      "__user",     "__rcu",      "__percpu",      "__iomem", "__kernel",     "restrict",    "__const",
      "__restrict", "__volatile", "__extension__", "__force", "__restrict__", "__volatile__"};
  if (token.kind != G::T_IDENT) return false;
  return token.text == "const" || token.text == "volatile" || (item == ItemKind::CType && kOfC.contains(token.text));
}

void pack(std::vector<Token> &item, uint32_t packing) {
  if (packing == 0 || (item.back().kind != G::T_STRUCT && item.back().kind != G::T_UNION)) return;
  item.push_back({G::T_C_ATTRIBUTE, item.back().span, " pack(" + std::to_string(packing) + ")"});
}

Scanned scan(const Source &source, const ParseOptions &options, Diagnostics &diagnostics) {
  return Scan(source, options, diagnostics).run();
}

std::vector<Token> scan_expression(const std::string &text, Diagnostics &diagnostics) {
  std::vector<Token> tokens = tokens_of(text, 0, diagnostics);
  std::erase_if(tokens, [](const Token &token) { return is_qualifier(token, ItemKind::None); });
  classify(tokens, ItemKind::Macro, diagnostics);
  tokens.push_back({G::T_END_OF_FILE, {}, ""});
  for (Token &token : tokens) token.span = {};  // its text is no part of the script
  return tokens;
}

}  // namespace awl::syntax
