#include "ast/passes/takes.h"

#include <algorithm>
#include <vector>

#include "ast/walk.h"

namespace awl::ast {

namespace {

// The map that a statement hands over as a whole to one of `functions`, empty if it is no such call.
std::string map_of_call(const Stmt *stmt, std::initializer_list<std::string_view> functions) {
  const auto *statement = as<ExprStmt>(stmt);
  const auto *call = statement ? as<Call>(statement->expr) : nullptr;
  if (!call || call->args.empty() || std::ranges::find(functions, call->name) == functions.end()) return {};
  const auto *access = as<MapAccess>(call->args[0]);
  return access && access->keys.empty() ? "@" + access->name : std::string();
}

// True if what stands between print and clear has nothing to do with the map and goes on to the next statement.
bool stands_apart(const Stmt *stmt, const std::string &map) {
  bool apart = true;
  for_each_node(stmt, [&](const Node *node) {
    if (const auto *access = as<MapAccess>(node); access && "@" + access->name == map) apart = false;
    if (const auto *call = as<Call>(node); call && (call->name == "exit" || call->name == "assert")) apart = false;
    if (const auto *word = as<Identifier>(node); word && word->name == "exit") apart = false;
    if (node->kind == NodeKind::Jump) apart = false;
  });
  return apart;
}

class Finder {
 public:
  Finder(const Facts &facts, Takes &takes) : facts_(facts), takes_(takes) {}

  void look_at(const std::vector<Stmt *> &block) {
    for (size_t i = 0; i < block.size(); i++) {
      std::string map = map_of_call(block[i], {"print", "percentiles"});
      if (!map.empty() && takes_.of(call_of(block[i])) == MapTake::No) take(block, i, map);
    }
  }

 private:
  static const Node *call_of(const Stmt *stmt) { return as<ExprStmt>(stmt)->expr; }

  void take(const std::vector<Stmt *> &block, size_t first, const std::string &map) {
    std::vector<const Node *> prints{call_of(block[first])};
    for (size_t i = first + 1; i < block.size(); i++) {
      if (map_of_call(block[i], {"print", "percentiles"}) == map) {
        prints.push_back(call_of(block[i]));
        continue;
      }
      bool zero = map_of_call(block[i], {"zero"}) == map;
      if (!zero && map_of_call(block[i], {"clear"}) != map) {
        if (stands_apart(block[i], map)) continue;
        return;
      }
      if (zero && !can_be_zeroed(map)) return;
      for (const Node *print : prints) takes_.calls[print] = print == prints.front() ? MapTake::First : MapTake::More;
      takes_.calls[call_of(block[i])] = MapTake::More;
      takes_.maps.insert(map);
      return;
    }
  }

  // zero() of a value without key leaves it set, which cannot be done beside programs that set it.
  [[nodiscard]] bool can_be_zeroed(const std::string &map) const {
    auto it = facts_.maps.find(map);
    return it != facts_.maps.end() && it->second.value &&
           (!it->second.keys.empty() || it->second.value->kind == TypeKind::Aggregate);
  }

  const Facts &facts_;
  Takes &takes_;
};

}  // namespace

Takes find_takes(const CompileInput &input, const Facts &facts) {
  Takes takes;
  Finder finder(facts, takes);
  for (const Unit &unit : input.units) {
    if (!unit.body || unit.is_run_by_session()) continue;
    for_each_node(unit.body, [&](const Node *node) {
      if (const auto *block = as<Block>(node)) finder.look_at(block->body);
    });
  }
  return takes;
}

}  // namespace awl::ast
