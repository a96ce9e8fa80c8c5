#include "ast/passes/counted_loops.h"

#include <cstdlib>

#include "ast/passes/inference.h"
#include "ast/walk.h"

namespace awl::ast {

namespace {

// Turns times the length of the body must stay below the million instructions that the verifier looks at.
constexpr int64_t kLargestBound = 4096;

class Counting {
 public:
  Counting(const While &loop, const Stmt *around, uint32_t local, const CompileInput &input, const Facts &facts)
      : loop_(loop), around_(around), local_(local), input_(input), facts_(facts) {}

  bool holds(const Unit &unit) {
    visit(unit.predicate);
    visit(unit.body);
    return good_ && changes_;
  }

 private:
  bool is_it(const Node *node) const { return as<Variable>(node) && input_.names.local_of[node] == local_; }

  void visit(const Node *node) {
    if (!node || !good_) return;
    const bool is_loop = node == &loop_;
    const bool callback = node->kind == NodeKind::ForMap || node->kind == NodeKind::ForRange;
    const bool nested = node->kind == NodeKind::While && inside_ > 0 && !is_loop;
    if (is_loop) inside_++;
    if (nested) nested_++;
    if (callback) callbacks_.push_back(node);
    look(node);
    for_each_child(node, [&](const Node *child) { visit(child); });
    if (callback) callbacks_.pop_back();
    if (nested) nested_--;
    if (is_loop) inside_--;
  }

  void look(const Node *node) {
    const Node *here = callbacks_.empty() ? nullptr : callbacks_.back();
    if (is_it(node) && here != around_ && around_) good_ = false;  // used in two functions, changed in a body
    if (const auto *count = as<IncDec>(node); count && is_it(count->target)) change(here, inside_ > 0);
    if (const auto *assign = as<Assign>(node); assign && is_it(assign->target)) {
      bool constant = fold_constant(input_, facts_, assign->value).has_value();
      bool steps = assign->op == BinaryOp::Add || assign->op == BinaryOp::Sub;
      if (assign->op)
        change(here, constant && steps && inside_ > 0);
      else
        start(here, constant && inside_ == 0);
    }
    if (const auto *let = as<Let>(node); let && is_it(let->variable))
      start(here, inside_ == 0 && (!let->value || fold_constant(input_, facts_, let->value)));
    if (const auto *loop = as<ForMap>(node); loop && is_it(loop->variable)) good_ = false;
    if (const auto *loop = as<ForRange>(node); loop && is_it(loop->variable)) good_ = false;
  }

  // A `while` inside may become a function as well, so nothing is changed there.
  void start(const Node *here, bool allowed) { good_ = good_ && allowed && here == around_; }
  void change(const Node *here, bool allowed) {
    good_ = good_ && allowed && here == around_ && nested_ == 0;
    changes_ = true;
  }

  const While &loop_;
  const Stmt *around_;
  const uint32_t local_;
  const CompileInput &input_;
  const Facts &facts_;
  std::vector<const Node *> callbacks_;
  int inside_ = 0, nested_ = 0;
  bool good_ = true, changes_ = false;
};

}  // namespace

bool is_counted(const While &loop, const Unit &unit, const Stmt *around, const CompileInput &input,
                const Facts &facts) {
  // A loop that is not counted is a function as well; what is in it is not looked at closely.
  if (around && around->kind == NodeKind::While) return false;
  auto counts = [&](const Expr *side, const Expr *other) {
    if (const auto *count = as<IncDec>(side)) side = count->target;
    const auto *variable = as<Variable>(side);
    std::optional<int64_t> bound = variable ? fold_constant(input, facts, other) : std::nullopt;
    return bound && *bound >= -kLargestBound && *bound <= kLargestBound &&
           Counting(loop, around, input.names.local_of[variable], input, facts).holds(unit);
  };
  auto ends = [&](auto &&self, const Expr *condition) -> bool {
    const auto *binary = as<Binary>(condition);
    if (!binary) return false;
    switch (binary->op) {
      case BinaryOp::LogicalAnd: return self(self, binary->left) || self(self, binary->right);
      case BinaryOp::NotEqual:
      case BinaryOp::Less:
      case BinaryOp::LessEqual:
      case BinaryOp::Greater:
      case BinaryOp::GreaterEqual: return counts(binary->left, binary->right) || counts(binary->right, binary->left);
      default: return false;
    }
  };
  return ends(ends, loop.condition);
}

}  // namespace awl::ast
