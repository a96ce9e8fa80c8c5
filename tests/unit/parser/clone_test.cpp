#include "ast/clone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ast/walk.h"
#include "unit/parser/helpers.h"

namespace awl {
namespace {

// One of every node.
constexpr const char *kAll = R"(BEGIN {
  let $v : typeof($w) = 1; $x = "s"; $y = true; _ = pid + $1 - $# * -@m[1, 2];
  f($x, comptime sizeof(struct y), struct x *, sizeof(uint8), sizeof($x), offsetof(struct a, b), offsetof(*$x, c));
  $z = $x.a->b[3] ? (uint8[4])$y : ($a ?: (1, (k=2, l=3,),));
  @m[1]++; --$x; $x <<= 2; $b = { let $c = 1; $c };
  if $x { 1 } else if $y { 2 } else { 3 }
  while $x { break; } unroll 3 { continue; } for $k : @m { return 1; } for $i : 0..$n { { $q = !~*&$p } }
})";

ast::Program copy_of(const ast::Program &program) {
  ast::Program copy;
  for (const ast::Probe &probe : program.probes) {
    ast::Probe out = probe;
    out.body = clone(copy, probe.body);
    out.predicate = clone(copy, static_cast<const ast::Expr *>(probe.predicate));
    copy.probes.push_back(out);
  }
  return copy;
}

TEST(Clone, HasTheSameDump) {
  Parsed parsed = parse_text(kAll);
  ASSERT_EQ(parsed.errors(), std::vector<std::string>());
  ast::Program first = copy_of(parsed.program);
  EXPECT_EQ(ast::dump(first), ast::dump(parsed.program));
  EXPECT_EQ(ast::dump(copy_of(first)), ast::dump(parsed.program));
}

TEST(Clone, SharesNothing) {
  Parsed parsed = parse_text(kAll);
  std::set<const ast::Node *> nodes;
  ast::for_each_node(static_cast<const ast::Node *>(parsed.program.probes[0].body),
                     [&](const ast::Node *node) { EXPECT_TRUE(nodes.insert(node).second); });
  std::set<ast::NodeId> ids;
  ast::Block *copy = ast::clone(parsed.program, parsed.program.probes[0].body);
  ast::for_each_node(static_cast<ast::Node *>(copy), [&](ast::Node *node) {
    EXPECT_FALSE(nodes.contains(node));
    EXPECT_TRUE(ids.insert(node->id).second);
  });
  EXPECT_EQ(ids.size(), nodes.size());
  for (const ast::Node *node : nodes) EXPECT_FALSE(ids.contains(node->id));
}

TEST(Clone, KeepsNull) {
  ast::Program program;
  EXPECT_EQ(clone(program, static_cast<const ast::Expr *>(nullptr)), nullptr);
}

TEST(Walk, GivesChildrenInTheOrderOfTheText) {
  Parsed parsed = parse_text(kAll);
  ast::for_each_node(static_cast<const ast::Node *>(parsed.program.probes[0].body), [](const ast::Node *node) {
    uint32_t last = 0;
    bool prefix = node->kind == ast::NodeKind::Let;  // its type stands between name and value
    ast::for_each_child(node, [&](const ast::Node *child) {
      EXPECT_GE(child->span.begin, prefix ? 0 : last);
      EXPECT_GE(child->span.begin, node->span.begin);
      EXPECT_LE(child->span.end, node->span.end);
      last = child->span.begin;
    });
  });
}

TEST(Walk, KnowsEveryKind) {
  Parsed parsed = parse_text(kAll);
  std::set<ast::NodeKind> seen{ast::NodeKind::Poison};
  ast::for_each_node(static_cast<const ast::Node *>(parsed.program.probes[0].body),
                     [&](const ast::Node *node) { seen.insert(node->kind); });
#define EXPR(name) EXPECT_TRUE(seen.contains(ast::NodeKind::name)) << #name;
#define STMT(name) EXPR(name)
#include "ast/nodes.def"
#undef EXPR
#undef STMT
}

}  // namespace
}  // namespace awl
