#include "ast/dump.h"

#include <fmt/format.h>

#include "ast/walk.h"
#include "base/strings.h"

namespace awl::ast {

namespace {

std::string type_text(const TypeName &type) {
  std::string out = type.typeof_expr ? "typeof" : type.name;
  out.append(static_cast<size_t>(type.pointers), '*');
  for (uint64_t size : type.array) out += fmt::format("[{}]", size);
  return out;
}

std::string type_text(const std::optional<TypeName> &type) { return type ? " " + type_text(*type) : ""; }

// What a node's own line says after its name.
std::string facts(const IntegerLiteral &n) { return fmt::format(" {}{}", n.value, n.is_unsigned ? " unsigned" : ""); }
std::string facts(const StringLiteral &n) { return " " + json_quote(n.value); }
std::string facts(const BoolLiteral &n) { return n.value ? " true" : " false"; }
std::string facts(const Identifier &n) { return " " + n.name; }
std::string facts(const PositionalParam &n) { return fmt::format(" ${}", n.number); }
std::string facts(const ParamCount &) { return ""; }
std::string facts(const Variable &n) { return " $" + n.name; }
std::string facts(const MapAccess &n) { return " @" + n.name; }
std::string facts(const Call &n) { return " " + n.name; }
std::string facts(const FieldAccess &n) { return (n.arrow ? " ->" : " .") + n.name; }
std::string facts(const Index &) { return ""; }
std::string facts(const Unary &n) { return std::string(" ") + to_string(n.op); }
std::string facts(const Binary &n) { return std::string(" ") + to_string(n.op); }
std::string facts(const Conditional &n) { return n.then ? "" : " ?:"; }
std::string facts(const IncDec &n) {
  return std::string(n.prefix ? " prefix" : " postfix") + (n.increment ? " ++" : " --");
}
std::string facts(const Cast &n) { return " " + type_text(n.type); }
std::string facts(const TupleExpr &) { return ""; }
std::string facts(const RecordExpr &n) {
  std::string out;
  for (const std::string &name : n.names) out += " " + name;
  return out;
}
std::string facts(const SizeOf &n) { return type_text(n.type); }
std::string facts(const OffsetOf &n) { return type_text(n.type) + " ." + fmt::format("{}", fmt::join(n.path, ".")); }
std::string facts(const TypeExpr &n) { return " " + type_text(n.type); }
std::string facts(const Comptime &) { return ""; }
std::string facts(const BlockExpr &) { return ""; }
std::string facts(const Poison &) { return ""; }
std::string facts(const ExprStmt &) { return ""; }
std::string facts(const Assign &n) { return std::string(" ") + (n.op ? to_string(*n.op) : "") + "="; }
std::string facts(const Let &n) { return type_text(n.type); }
std::string facts(const If &n) { return n.otherwise ? " else" : ""; }
std::string facts(const While &) { return ""; }
std::string facts(const Unroll &) { return ""; }
std::string facts(const ForMap &) { return ""; }
std::string facts(const ForRange &) { return ""; }
std::string facts(const Jump &n) {
  return n.jump == JumpKind::Break ? " break" : n.jump == JumpKind::Continue ? " continue" : " return";
}
std::string facts(const Block &) { return ""; }

std::string head(const Node *node) {
  switch (node->kind) {
#define EXPR(name) \
  case NodeKind::name: return #name + facts(static_cast<const name &>(*node));
#define STMT(name) EXPR(name)
#include "ast/nodes.def"
#undef EXPR
#undef STMT
  }
  return "?";
}

class Dumper {
 public:
  void open(const std::string &text) {
    if (!out_.empty()) out_ += '\n';
    out_.append(depth_++ * 2, ' ');
    out_ += "(" + text;
  }
  void close() {
    depth_--;
    out_ += ")";
  }
  void line(const std::string &text) {
    open(text);
    close();
  }

  void node(const Node *n) {
    if (!n) return;
    open(head(n));
    for_each_child(n, [&](const Node *child) { node(child); });
    close();
  }

  static std::string attributes(const CAttributes &a) {
    return std::string(a.packed ? " packed" : "") + (a.aligned ? fmt::format(" aligned {}", a.aligned) : "") +
           (a.max_alignment ? fmt::format(" pack {}", a.max_alignment) : "") +
           (a.mode_size ? fmt::format(" mode {}", a.mode_size) : "");
  }

  void ctype(const CType &type) {
    constexpr const char *kKeywords[] = {"struct", "union", "enum", "typedef"};
    open(std::string(kKeywords[static_cast<size_t>(type.kind)]) + (type.name.empty() ? "" : " " + type.name) +
         attributes(type.attributes));
    for (const CField &field : type.fields) {
      open("field " + type_text(field.type) + (field.name.empty() ? "" : " " + field.name) +
           (field.bits || field.ends_unit ? fmt::format(" : {}", field.bits) : "") + attributes(field.attributes));
      if (field.inner) ctype(*field.inner);
      close();
    }
    for (const CEnumerator &e : type.enumerators)
      line("enumerator " + e.name + (e.value ? fmt::format(" = {}", *e.value) : ""));
    close();
  }

  void function(const Function &f) {
    open("function " + f.name + " -> " + type_text(f.result));
    if (!f.doc.empty()) line("doc " + json_quote(f.doc));
    for (const Attribute &a : f.attributes)
      line("attribute " + a.name + (a.argument.empty() ? "" : " (" + a.argument + ")"));
    for (const FunctionParam &p : f.params) {
      open("param " + p.name + " " + type_text(p.type) + (p.variadic ? " ..." : ""));
      node(p.type.typeof_expr);
      node(p.default_value);
      close();
    }
    if (f.result.typeof_expr) {
      open("result");
      node(f.result.typeof_expr);
      close();
    }
    node(f.body);
    close();
  }

  void macro(const Macro &m) {
    constexpr const char *kSigils[] = {"", "$", "@"};
    open("macro " + m.name);
    for (const MacroParam &p : m.params) line("param " + (kSigils[static_cast<size_t>(p.kind)] + p.name));
    node(m.body);
    close();
  }

  void probe(const Probe &p) {
    open("probe" + (p.name.empty() ? "" : " " + p.name));
    for (const AttachPoint &point : p.attach_points) line("attach " + json_quote(point.text));
    if (p.predicate) {
      open("predicate");
      node(p.predicate);
      close();
    }
    node(p.body);
    close();
  }

  void program(const Program &p) {
    open("program");
    for (const Include &include : p.includes) line("include " + json_quote(include.path));
    for (const Import &import : p.imports) line("import " + json_quote(import.path));
    for (const CType &type : p.types)
      if (type.header.empty()) ctype(type);
    for (const ConfigEntry &entry : p.config) {
      open("config " + entry.name);
      node(entry.value);
      close();
    }
    for (const MapDecl &map : p.maps) line(fmt::format("map @{} {} {}", map.name, map.kind, map.max_entries));
    for (const Macro &m : p.macros) macro(m);
    for (const Function &f : p.functions) function(f);
    for (const Probe &entry : p.probes) probe(entry);
    close();
  }

  std::string take() { return std::move(out_) + "\n"; }

 private:
  std::string out_;
  size_t depth_ = 0;
};

}  // namespace

std::string dump(const Program &program) {
  Dumper dumper;
  dumper.program(program);
  return dumper.take();
}

std::string dump(const Expr *expr) {
  Dumper dumper;
  dumper.node(expr);
  return dumper.take();
}

}  // namespace awl::ast
