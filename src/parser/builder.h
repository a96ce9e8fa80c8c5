// Makes the tree: what the grammar's actions call. Also the few checks that need no more than syntax.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "base/diagnostic.h"
#include "parser/token.h"

namespace awl::syntax {

// --- What the grammar hands around -----------------------------------------------------------------

struct Name {
  Span span;
  std::string text;
};
struct RecordFields {
  std::vector<std::string> names;
  std::vector<ast::Expr *> values;
  void add(std::string name, ast::Expr *value) {
    names.push_back(std::move(name));
    values.push_back(value);
  }
};
// Statements of a block; the last one may stand without `;` and is its value where one is needed.
struct Body {
  std::vector<ast::Stmt *> statements;
  ast::Stmt *last = nullptr;
};
// `$v : first` or `$v : first..last`.
struct ForHead {
  Name variable;
  ast::Expr *first = nullptr;
  ast::Expr *last = nullptr;
};
// The type part of a C declaration, with the definition in place if there is one.
struct Specifier {
  ast::TypeName type;
  std::shared_ptr<ast::CType> inner;
  std::string attributes;  // as the classifier writes them: "packed", "aligned(8)"
};
// The name part: `*name[4]`, `(*name)(int)`, `name : 3`.
struct Declarator {
  Span span;
  std::string name;
  int pointers = 0;
  std::vector<uint64_t> array;
  uint32_t bits = 0;
  bool is_bitfield = false;
  std::string attributes;
  bool nested = false;  // a pointer in parentheses: what follows is of its target
  bool opaque = false;  // pointer to a function or array; told as `void *`
};

// Enumerators that are known already.
using Constants = std::map<std::string, int64_t, std::less<>>;

class Builder {
 public:
  // `constants` are those of the headers; what is defined here is added.
  Builder(ast::Program &program, bool stdlib, Diagnostics &diagnostics, Constants &constants)
      : program_(program),
        stdlib_(stdlib),
        diagnostics_(diagnostics),
        first_id_(program.node_count()),
        constants_(constants) {}

  // Types from elsewhere that sizeof() in a constant may name; must outlive the Builder.
  void know_types(const std::vector<ast::CType> &types) { known_types_ = &types; }

  // Makes an expression; poison if it is nested too deep.
  template <class T, class... Args>
  ast::Expr *make(Span span, Args &&...args) {
    T *node = program_.make<T>(span, std::forward<Args>(args)...);
    return too_deep(node) ? poison(span) : node;
  }
  template <class T, class... Args>
  ast::Stmt *statement(Span span, Args &&...args) {
    T *node = program_.make<T>(span, std::forward<Args>(args)...);
    return too_deep(node) ? empty_block(span) : node;
  }
  ast::Expr *poison(Span span);

  // Expressions.
  ast::Expr *integer(Span span, const Number &number);
  ast::Expr *field(Span span, ast::Expr *base, Name name, bool arrow);
  Name tuple_index(Span span, const Number &number);
  ast::Expr *multiply(Span span, Span sign, ast::Expr *left, ast::Expr *right);
  ast::Expr *tuple(Span span, ast::Expr *first, std::vector<ast::Expr *> rest);
  ast::Expr *record(Span span, RecordFields fields);
  ast::Expr *block_value(Span span, Body body);
  ast::Expr *value_of(ast::Block *block);
  ast::Expr *if_value(Span span, ast::Expr *condition, ast::Block *then, ast::Expr *otherwise);
  ast::Expr *condition(ast::Expr *expr);

  // Statements.
  ast::Block *block(Span span, Body body);
  void append(std::vector<ast::Stmt *> &statements, ast::Stmt *statement);
  ast::Stmt *assign(Span span, ast::Expr *target, std::optional<ast::BinaryOp> op, ast::Expr *value);
  ast::Stmt *let(Span span, Name name, std::optional<ast::TypeName> type, ast::Expr *value);
  ast::Stmt *for_loop(Span span, ForHead head, ast::Block *body);

  // Types.
  ast::TypeName named_type(Span span, std::string name);
  ast::TypeName c_integer_type(Span span, const std::vector<std::string> &words);
  // `text =~ "pattern"`: a call of regmatch().
  ast::Expr *match(Span span, ast::Expr *text, Span op, Span pattern_span, std::string pattern);
  // container_of(pointer, type, member): the pointer, moved back by the member's offset.
  ast::Expr *container_of(Span span, ast::Expr *pointer, ast::TypeName type, std::vector<std::string> path);
  ast::TypeName pointer_to(Span span, ast::TypeName type);
  ast::TypeName array_of(Span span, ast::TypeName type, ast::Expr *size);
  ast::TypeName typeof_type(Span span, ast::Expr *expr);
  ast::TypeName type_or(Span span, ast::TypeName first, const ast::TypeName &second);

  // C declarations.
  Specifier specifier(ast::TypeName type);
  Specifier specifier(ast::CType type);
  Declarator c_array(Span span, Declarator declarator, ast::Expr *size);
  Declarator bitfield(Span span, Declarator declarator, ast::Expr *bits, const std::string &attributes);
  // The type or declarator with attributes behind it.
  template <class T>
  T attributed(T declared, const std::string &attributes) {
    declared.attributes += " " + attributes;
    return declared;
  }
  void add_members(std::vector<ast::CField> &members, Span span, const Specifier &specifier,
                   std::vector<Declarator> declarators);
  ast::CType record_type(Span span, const std::string &keyword, std::string name, std::vector<ast::CField> members,
                         const std::string &attributes);
  ast::CType with_attributes(ast::CType type, const std::string &attributes);
  ast::CType enum_type(Span span, std::string name, std::vector<ast::CEnumerator> enumerators);
  ast::CEnumerator enumerator(Span span, std::string name, ast::Expr *value);
  void add_type(ast::CType type);
  void add_typedefs(Span span, const Specifier &specifier, std::vector<Declarator> declarators);

  // Top level.
  void add_probe(Span span, std::vector<ast::AttachPoint> points, ast::Expr *predicate, ast::Block *body);
  void add_config(Span span, std::string name, ast::Expr *value);
  void add_map(Span span, std::string name, std::string kind, ast::Expr *entries);
  void add_import(Span span, std::string path);
  void add_macro(Span span, Name name, std::vector<ast::MacroParam> params, ast::Block *body);
  void not_supported(Span span, const std::string &what);
  std::vector<ast::Attribute> attributes(std::vector<ast::Attribute> before, Span span, const std::string &text);
  void add_function(Span span, std::vector<ast::Attribute> attributes, std::string doc, Name name,
                    std::vector<ast::FunctionParam> params, ast::TypeName result, ast::Block *body, Span end = {});
  void set_result(ast::Expr *expr) { result_ = expr; }
  [[nodiscard]] ast::Expr *result() const { return result_; }

 private:
  bool too_deep(const ast::Node *node);
  ast::Stmt *empty_block(Span span);
  // Value of a constant expression: numbers, enumerators of the script, operators.
  std::optional<int64_t> constant(const ast::Expr *expr) const;
  std::optional<int64_t> constant_binary(const ast::Binary &binary) const;
  // Bytes and sign of a type in a constant expression.
  struct Measure {
    int64_t size = 0;
    bool is_signed = false;
  };
  // Whether a constant below 0 is one above INT64_MAX.
  bool is_unsigned(const ast::Expr *expr) const;
  std::optional<Measure> measure(const ast::TypeName &type) const;
  ast::CAttributes c_attributes(Span span, const std::string &text);
  uint64_t array_size(ast::Expr *size);
  ast::CField field_of(Span span, const Specifier &specifier, Declarator declarator);

  ast::Program &program_;
  bool stdlib_;
  Diagnostics &diagnostics_;
  ast::Expr *result_ = nullptr;
  size_t first_id_;              // of the nodes made here
  std::vector<uint16_t> depth_;  // of the tree under each of them
  bool reported_depth_ = false;
  Constants &constants_;
  const std::vector<ast::CType> *known_types_ = nullptr;
  int64_t next_enumerator_ = 0;
};

}  // namespace awl::syntax
