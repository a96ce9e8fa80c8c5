#include "ast/nodes.h"

#include <iterator>

namespace awl::ast {

const char *to_string(UnaryOp op) {
  switch (op) {
    case UnaryOp::Negate: return "-";
    case UnaryOp::Not: return "!";
    case UnaryOp::BitNot: return "~";
    case UnaryOp::Deref: return "*";
    case UnaryOp::AddressOf: return "&";
  }
  return "?";
}

const char *to_string(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add: return "+";
    case BinaryOp::Sub: return "-";
    case BinaryOp::Mul: return "*";
    case BinaryOp::Div: return "/";
    case BinaryOp::Mod: return "%";
    case BinaryOp::BitAnd: return "&";
    case BinaryOp::BitOr: return "|";
    case BinaryOp::BitXor: return "^";
    case BinaryOp::ShiftLeft: return "<<";
    case BinaryOp::ShiftRight: return ">>";
    case BinaryOp::Equal: return "==";
    case BinaryOp::NotEqual: return "!=";
    case BinaryOp::Less: return "<";
    case BinaryOp::LessEqual: return "<=";
    case BinaryOp::Greater: return ">";
    case BinaryOp::GreaterEqual: return ">=";
    case BinaryOp::LogicalAnd: return "&&";
    case BinaryOp::LogicalOr: return "||";
  }
  return "?";
}

namespace {

template <class T>
void move_behind(std::vector<T> &to, std::vector<T> &from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Program::append(Program &&other) {
  auto first = static_cast<NodeId>(nodes_.size());
  for (const std::unique_ptr<Node> &node : other.nodes_) node->id += first;
  move_behind(nodes_, other.nodes_);
  move_behind(includes, other.includes);
  move_behind(imports, other.imports);
  move_behind(c_sources, other.c_sources);
  move_behind(macros, other.macros);
  move_behind(types, other.types);
  move_behind(unread_types, other.unread_types);
  unread_names.merge(other.unread_names);
  move_behind(config, other.config);
  move_behind(maps, other.maps);
  move_behind(functions, other.functions);
  move_behind(probes, other.probes);
}

}  // namespace awl::ast
