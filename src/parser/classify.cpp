#include <set>
#include <string_view>

#include "parser/grammar.h"
#include "parser/preprocessor.h"
#include "parser/scan.h"
#include "runtime/types/type_store.h"

namespace awl::syntax {

namespace {

using G = Grammar::token;

// Names that are types wherever they stand. Others are types only where the shape leaves no choice.
const std::set<std::string_view> kTypeNames = {
    "bool",          "void",       "string", "buffer", "inet",  "timestamp", "macaddr_t",
    "cgroup_path_t", "username_t", "float",  "double", "_Bool", "uint",      "ulong",
    "ushort",        "uchar",      "pid_t",  "uid_t",  "gid_t", "size_t",    "ssize_t"};

bool is_sized_integer(std::string_view name) {
  while (name.starts_with('_')) name.remove_prefix(1);
  for (const char *prefix : {"int", "uint", "u", "s", "be", "le", "U", "S"}) {
    std::string_view p = prefix;
    if (!name.starts_with(p)) continue;
    std::string_view size = name.substr(p.size());
    if (size.ends_with("_t")) size.remove_suffix(2);
    if (size == "8" || size == "16" || size == "32" || size == "64" || size == "128") return true;
  }
  return false;
}

bool is_type_name(std::string_view name) {
  return kTypeNames.contains(name) || is_sized_integer(name) || (name.size() > 2 && name.ends_with("_t"));
}

bool is_tag_keyword(int kind) { return kind == G::T_STRUCT || kind == G::T_UNION || kind == G::T_ENUM; }

// The keywords are a range in the grammar's list.
bool is_keyword(int kind) {
  return (kind >= G::T_STRUCT && kind <= G::T_COMPTIME) || kind == G::T_TRUE || kind == G::T_FALSE ||
         kind == G::T_INT_WORD || kind == G::T_FN;
}

bool is_open(int kind) {
  return kind == G::T_LPAREN || kind == G::T_LBRACKET || kind == G::T_LBRACE || kind == G::T_CAST_OPEN ||
         kind == G::T_TYPE_OPEN || kind == G::T_BLOCK_OPEN;
}

bool is_close(int kind) { return kind == G::T_RPAREN || kind == G::T_RBRACKET || kind == G::T_RBRACE; }

// After these an operand must follow, so that `{` and `if` are values.
bool wants_operand(int kind) {
  switch (kind) {
    case G::T_LPAREN:
    case G::T_LBRACKET:
    case G::T_COMMA:
    case G::T_COLON:
    case G::T_QUESTION:
    case G::T_ELVIS:
    case G::T_DOTDOT:
    case G::T_ASSIGN:
    case G::T_ASSIGN_OP:
    case G::T_EQUALITY:
    case G::T_RELATION:
    case G::T_SHIFT:
    case G::T_PLUS:
    case G::T_MINUS:
    case G::T_STAR:
    case G::T_SLASH:
    case G::T_PERCENT:
    case G::T_AND:
    case G::T_OR:
    case G::T_XOR:
    case G::T_NOT:
    case G::T_TILDE:
    case G::T_LAND:
    case G::T_LOR:
    case G::T_RETURN:
    case G::T_COMPTIME: return true;
    default: return false;
  }
}

// What can follow a cast. The sure ones cannot follow an operand; the others are operators as well.
bool begins_operand(int kind, bool sure) {
  switch (kind) {
    case G::T_IDENT:
    case G::T_VARIABLE:
    case G::T_MAP:
    case G::T_KEYED_MAP:
    case G::T_STRING:
    case G::T_INTEGER:
    case G::T_POSITIONAL:
    case G::T_PARAM_COUNT:
    case G::T_TRUE:
    case G::T_FALSE:
    case G::T_SIZEOF:
    case G::T_OFFSETOF:
    case G::T_CONTAINER_OF:
    case G::T_LPAREN:
    case G::T_NOT:
    case G::T_TILDE:
    case G::T_COMPTIME: return true;
    case G::T_MINUS:
    case G::T_STAR:
    case G::T_AND:
    case G::T_INCREMENT:
    case G::T_DECREMENT: return !sure;
    default: return false;
  }
}

class Classifier {
 public:
  Classifier(std::vector<Token> &tokens, ItemKind item, Diagnostics &diagnostics)
      : tokens_(tokens), item_(item), diagnostics_(diagnostics) {}

  void run() {
    words();
    if (item_ == ItemKind::CType)
      c_declaration();
    else
      brackets();
  }

 private:
  [[nodiscard]] int kind(size_t i) const { return i < tokens_.size() ? tokens_[i].kind : -1; }

  // Keywords that are plain names where they stand; `elif`.
  void words() {
    for (size_t i = 0; i < tokens_.size(); i++) {
      int before = i == 0 ? -1 : tokens_[i - 1].kind;
      Token &token = tokens_[i];
      bool field = before == G::T_DOT || before == G::T_ARROW || is_tag_keyword(before);
      bool declared = item_ == ItemKind::CType && !is_tag_keyword(token.kind) && token.kind != G::T_INT_WORD &&
                      token.kind != G::T_SIZEOF && token.kind != G::T_TYPEDEF;
      if (i > 0 && is_keyword(token.kind) && (field || declared)) token.kind = G::T_IDENT;
      bool elif = token.kind == G::T_IDENT && (token.text == "elif" || token.text == "elsif" || token.text == "elseif");
      if (elif && before == G::T_RBRACE) {
        diagnostics_.emit(diag::SyntaxError, token.span, "`" + token.text + "`", "a statement")
            .with_hint("write `else if`");
        Token second = token;
        token.kind = G::T_ELSE;
        second.kind = G::T_IF;
        tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(i) + 1, second);
      }
    }
  }

  // Index of the bracket that closes the one at `open`, size if none.
  [[nodiscard]] size_t closing(size_t open) const {
    size_t depth = 0;
    for (size_t i = open; i < tokens_.size(); i++) {
      if (is_open(tokens_[i].kind)) depth++;
      if (is_close(tokens_[i].kind) && --depth == 0) return i;
    }
    return tokens_.size();
  }

  // Attributes and the parameters of function types become one token each.
  void c_declaration() {
    std::vector<Token> out;
    size_t brackets = 0;      // around an array's size
    bool expression = false;  // the value of an enumerator
    for (size_t i = 0; i < tokens_.size(); i++) {
      Token token = tokens_[i];
      bool attribute = token.kind == G::T_IDENT && is_attribute(token.text);
      int before = out.empty() ? -1 : out.back().kind;
      if (token.kind == G::T_IDENT && is_integer_word(token.text, before)) token.kind = G::T_INT_WORD;
      bool params = token.kind == G::T_LPAREN && !brackets && !expression &&
                    (before == G::T_RPAREN || (before == G::T_IDENT && kind(i + 1) != G::T_STAR));
      size_t end = i;
      if (attribute) {
        token.kind = G::T_C_ATTRIBUTE;
        if (kind(i + 1) == G::T_LPAREN) end = closing(i + 1);
        token.text = attribute_text(i, end);
      } else if (token.kind == G::T_LPAREN && before == G::T_SIZEOF) {
        token.kind = G::T_TYPE_OPEN;
      } else if (params) {
        token.kind = G::T_C_PARAMS;
        end = closing(i);
      } else if (token.kind == G::T_LPAREN && wants_operand(before) && (brackets || expression)) {
        token.kind = parenthesis(i, before);
      }
      brackets += token.kind == G::T_LBRACKET ? 1 : 0;
      brackets -= token.kind == G::T_RBRACKET && brackets > 0 ? 1 : 0;
      if (token.kind == G::T_ASSIGN) expression = true;
      if (token.kind == G::T_COMMA || token.kind == G::T_RBRACE) expression = false;
      for (size_t j = i + 1; j <= end && j < tokens_.size(); j++) {
        token.span = join(token.span, tokens_[j].span);
      }
      i = end;
      out.push_back(std::move(token));
    }
    tokens_ = std::move(out);
  }

  static bool is_attribute(std::string_view word) {
    return word == "__attribute__" || word == "__attribute" || word == "__packed" || word == "__aligned" ||
           word == "_Alignas" || word == "____cacheline_aligned" || word == "____cacheline_aligned_in_smp";
  }

  // `double` of `long double`, `__int128` with a sign or alone.
  static bool is_integer_word(std::string_view word, int before) {
    return word == "__int128" || (word == "double" && before == G::T_INT_WORD);
  }

  // What the attributes in tokens [begin, end] say about a layout: "packed", "aligned(8)", "mode(4)".
  [[nodiscard]] std::string attribute_text(size_t begin, size_t end) const {
    std::string out;
    for (size_t i = begin; i <= end && i < tokens_.size(); i++) {
      std::string_view word = tokens_[i].text;
      while (word.starts_with('_')) word.remove_prefix(1);
      while (word.ends_with('_')) word.remove_suffix(1);
      if (tokens_[i].kind != G::T_IDENT) continue;
      if (word == "packed") out += " packed";
      if (word == "cacheline_aligned" || word == "cacheline_aligned_in_smp") out += " aligned(64)";
      if (word == "aligned" || word == "Alignas") out += " aligned(" + alignment(i + 1) + ")";
      if (word == "mode" && kind(i + 1) == G::T_LPAREN && i + 2 < tokens_.size()) out += " mode(" + mode(i + 2) + ")";
      if (word == "vector_size") out += " aligned(?)";
      if (word == "aligned" || word == "Alignas" || word == "mode")
        if (kind(i + 1) == G::T_LPAREN) i = closing(i + 1);
    }
    return out;
  }

  // The number in parentheses at `open`; without them the largest alignment that there is. "?" if it is none.
  [[nodiscard]] std::string alignment(size_t open) const {
    if (kind(open) != G::T_LPAREN) return "16";
    std::vector<Token> inside;
    for (size_t i = open + 1, end = closing(open); i < end; i++) {
      if (kind(i) != G::T_SIZEOF) {
        inside.push_back(tokens_[i]);
        continue;
      }
      size_t close = closing(i + 1);
      bool pointer = close > i + 2 && kind(close - 1) == G::T_STAR;
      std::string name;
      for (size_t j = i + 2; j < close; j++) name += (name.empty() ? "" : " ") + tokens_[j].text;
      TypeStore store;
      auto type = store.find(name);
      bool known = pointer || (type && *type);
      inside.push_back({G::T_INTEGER, {}, "", pointer ? 8 : known ? (**type)->size : 0});
      i = close;
    }
    std::string error;
    int64_t value = evaluate_condition(inside, error);
    return error.empty() && value > 0 ? std::to_string(value) : "?";
  }

  [[nodiscard]] std::string mode(size_t i) const {
    std::string_view word = tokens_[i].text;
    while (word.starts_with('_')) word.remove_prefix(1);
    while (word.ends_with('_')) word.remove_suffix(1);
    return word == "QI"                                          ? "1"
           : word == "HI"                                        ? "2"
           : word == "SI"                                        ? "4"
           : word == "DI" || word == "word" || word == "pointer" ? "8"
                                                                 : "?";
  }

  void brackets() {
    bool body = item_ == ItemKind::Macro && kind(0) != G::T_MACRO;  // an expression of its own
    for (size_t i = 0; i < tokens_.size(); i++) {
      int before = i == 0 ? -1 : tokens_[i - 1].kind;
      Token &token = tokens_[i];
      bool operand = i > 0 && wants_operand(before);
      if (token.kind == G::T_MAP && kind(i + 1) == G::T_LBRACKET) token.kind = G::T_KEYED_MAP;
      if (token.kind == G::T_IF && operand) token.kind = G::T_IF_VALUE;
      if (token.kind == G::T_LPAREN) token.kind = parenthesis(i, before);
      if (token.kind == G::T_LBRACE && (operand || i == 0) && body) token.kind = G::T_BLOCK_OPEN;
      body = body || token.kind == G::T_LBRACE || token.kind == G::T_PREDICATE_OPEN;
    }
    type_arguments();
  }

  // A type as an argument of a call: `f(struct X, uint8 *)`. A bare name could be either and stays one.
  void type_arguments() {
    std::vector<size_t> places;
    std::vector<bool> calls;  // of the open brackets
    for (size_t i = 0; i < tokens_.size(); i++) {
      int kind_here = tokens_[i].kind;
      bool first = kind_here == G::T_LPAREN && i > 0 && tokens_[i - 1].kind == G::T_IDENT;
      if (is_open(kind_here)) calls.push_back(first);
      if (is_close(kind_here) && !calls.empty()) calls.pop_back();
      if (!first && !(kind_here == G::T_COMMA && !calls.empty() && calls.back())) continue;
      Shape shape = type_shape(i + 1);
      bool ends = kind(shape.end) == G::T_RPAREN || kind(shape.end) == G::T_COMMA;
      bool name = kind(i + 1) == G::T_IDENT && shape.end == i + 2;
      if (ends && shape.sure && !name) places.push_back(i + 1);
    }
    for (auto it = places.rbegin(); it != places.rend(); ++it) {
      Token mark{G::T_TYPE_ARG, {tokens_[*it].span.begin, tokens_[*it].span.begin}, ""};
      tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(*it), mark);
    }
  }

  [[nodiscard]] int parenthesis(size_t i, int before) const {
    if (before == G::T_SIZEOF || before == G::T_OFFSETOF || before == G::T_TYPEOF) {
      Shape shape = type_shape(i + 1);
      bool ends = kind(shape.end) == G::T_RPAREN || kind(shape.end) == G::T_COMMA;
      return ends && shape.sure ? G::T_TYPE_OPEN : G::T_LPAREN;
    }
    if (before == G::T_IDENT || before == G::T_FOR || before == G::T_CONTAINER_OF) return G::T_LPAREN;  // a call
    Shape shape = type_shape(i + 1);
    if (kind(shape.end) != G::T_RPAREN) return G::T_LPAREN;
    if (shape.tagged) return G::T_CAST_OPEN;
    bool condition = before == G::T_IF || before == G::T_WHILE || before == G::T_UNROLL;
    if (condition && !shape.sure) return G::T_LPAREN;
    return begins_operand(kind(shape.end + 1), !shape.sure) ? G::T_CAST_OPEN : G::T_LPAREN;
  }

  struct Shape {
    size_t end = static_cast<size_t>(-1);  // the token behind it; -1: not like a type at all
    bool sure = false;                     // can be nothing but a type
    bool tagged = false;                   // struct X, typeof(x), unsigned int: no expression begins so
  };

  // Whether the tokens from `i` on look like a type.
  [[nodiscard]] Shape type_shape(size_t i) const {
    Shape shape;
    if (is_tag_keyword(kind(i))) {
      shape.tagged = true;
      i += 2;
    } else if (kind(i) == G::T_TYPEOF) {
      shape.tagged = true;
      i = closing(i + 1) + 1;
    } else if (kind(i) == G::T_INT_WORD) {
      shape.tagged = true;
      while (kind(i) == G::T_INT_WORD) i++;
    } else if (kind(i) == G::T_IDENT) {
      shape.sure = is_type_name(tokens_[i].text);
      i++;
    } else {
      return shape;
    }
    for (; kind(i) == G::T_STAR || kind(i) == G::T_LBRACKET; i++) {
      if (kind(i) == G::T_LBRACKET)
        i = closing(i);
      else if (kind(i + 1) == G::T_RPAREN || kind(i + 1) == G::T_STAR || kind(i + 1) == G::T_LBRACKET)
        shape.sure = true;  // a star with no operand behind it
    }
    shape.sure = shape.sure || shape.tagged;
    shape.end = i;
    return shape;
  }

  std::vector<Token> &tokens_;
  ItemKind item_;
  Diagnostics &diagnostics_;
};

}  // namespace

void classify(std::vector<Token> &tokens, ItemKind item, Diagnostics &diagnostics) {
  Classifier(tokens, item, diagnostics).run();
}

}  // namespace awl::syntax
