// The rules of types: one walk over all units. infer_types() repeats it until nothing changes any more.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "ast/passes/facts.h"

namespace awl::ast {

// A call of a function of the standard library, with or without parentheses.
struct CallSite {
  const Function *function = nullptr;
  const Expr *node = nullptr;  // the Call or Identifier
  std::vector<Expr *> args;
  Span name_span;
};

// The call an expression stands for, nullopt if it is none of a known function.
std::optional<CallSite> call_site(FunctionTable &functions, Expr *expr);

// argN as a number: arg0 is 0; nullopt for other names.
std::optional<uint32_t> argument_number(std::string_view name);

class Inference {
 public:
  // Guess: what is still unknown in a sum is a number. Unreached: and branches count that are never taken. Signs: types
  // are known, and where values of both signs are stored they become signed; before, they are unsigned. So what is
  // computed from a variable that a constant starts, `@t = 0`, never has a sign that the variable has not.
  enum class Mode { Known, Guess, Unreached, Signs };

  Inference(const CompileInput &input, Facts &facts, Diagnostics &diagnostics, Mode mode)
      : input_(input), facts_(facts), diagnostics_(diagnostics), mode_(mode) {}

  // One walk over everything. True if a map or local changed its type.
  bool run();

  // --- For the rules of intrinsics (src/ast/intrinsics) ---
  // Type of an expression; null while unknown, poison after an error. Found once in a walk, however often it is asked.
  const Type *infer(Expr *expr);
  // Type of the map a `map` argument names; reports anything else.
  MapFacts *map_argument(Expr *expr);
  // A function sets the variable, as an assignment would.
  void set_variable(Variable *variable, const Type *type) { assign_local(variable, type, nullptr, variable->span); }
  // Notes keys of a map access; false if they do not fit.
  bool use_keys(MapFacts &map, const std::vector<Expr *> &keys, Span span);
  std::optional<int64_t> constant(const Expr *expr) const;
  std::optional<std::string> literal(const Expr *expr) const;
  // For what is known from types alone.
  void set_constant(const Expr *expr, int64_t value) { facts_.constants.set(expr, value); }
  [[nodiscard]] const Unit &unit() const { return input_.units[unit_]; }
  TypeStore &store() { return input_.store; }
  [[nodiscard]] const CompileInput &input() const { return input_; }
  template <class... Args, class... Given>
  Diagnostic &error(const DiagKind<Args...> &kind, Span span, Given &&...given) {
    return diagnostics_.emit(kind, span, std::forward<Given>(given)...);
  }
  // Constant argument in a range; reports and gives `low` otherwise.
  int64_t constant_argument(const CallSite &call, size_t index, int64_t low, int64_t high, std::string_view what);
  const Type *poison() { return input_.store.poison(); }
  // Type named in the script; reports unknown names.
  const Type *resolve(const TypeName &name);

 private:
  const Type *rule(Expr *expr);
  const Type *infer_identifier(Identifier *expr);
  const Type *infer_param(PositionalParam *expr);
  const Type *infer_variable(Variable *expr);
  const Type *infer_map(MapAccess *expr);
  const Type *infer_call(const CallSite &call);
  const Type *infer_stdlib_call(const CallSite &call);
  const Type *infer_script_call(const CallSite &call);
  const Type *infer_c_call(const CallSite &call);
  bool check_arguments(const CallSite &call);
  void check_argument(const CallSite &call, size_t index, uint32_t unit);
  void visit_function();
  void visit_return(Jump *jump);
  const Type *infer_address(Unary *expr);
  const Type *infer_argn(uint32_t number, Span span);
  const Type *infer_field(FieldAccess *expr);
  const Type *infer_variable(FieldAccess *expr, const UserVariable &variable);
  const Type *infer_index(Index *expr);
  const Type *infer_unary(Unary *expr);
  const Type *infer_binary(Binary *expr);
  const Type *infer_arithmetic(Binary *expr, const Type *left, const Type *right);
  const Type *infer_comparison(Binary *expr, const Type *left, const Type *right);
  const Type *infer_conditional(Conditional *expr);
  const Type *infer_incdec(IncDec *expr);
  const Type *infer_cast(Cast *expr);
  const Type *infer_tuple(const std::vector<Expr *> &elements, const std::vector<std::string> *names);
  const Type *infer_offsetof(OffsetOf *expr);
  const Type *type_of(Expr *expr);
  bool is_type_name(const Identifier *word);
  const Type *infer_aggregate(const CallSite &call);
  const Type *infer_series(const CallSite &call, const Type *argument);

  bool check_signature(const CallSite &call);
  bool check_needs(const CallSite &call);

  void visit(Stmt *stmt);
  void visit_block(Block *block);
  void visit_assign(Assign *assign);
  // `value`: what is stored, null if it is computed from the target itself.
  void assign_local(Variable *target, const Type *type, const Expr *value, Span span);
  void assign_map(MapAccess *target, const Type *type, const Expr *value, Span span);
  const Type *join_stored(const Type *known, const Type *next, const Expr *value);
  const Type *with_sign(const Type *joined, const Type *known, const Type *next, const Expr *value);
  const Type *with_signs(const Type *joined, const Type *first, const Expr *first_value, const Type *second,
                         const Expr *second_value);
  [[nodiscard]] bool brings_sign(const Type *type, const Expr *value) const;
  void refuse_target(Assign *assign);
  void visit_let(Let *let);
  void visit_condition(Expr *condition);
  void visit_unroll(Unroll *loop);
  void visit_for_map(ForMap *loop);
  const Type *entry_type(ForMap *loop, MapFacts &facts);
  void visit_for_range(ForRange *loop);
  void visit_loop_body(Variable *variable, const Type *type, Block *body);
  void visit_expr_stmt(ExprStmt *stmt);

  // What is allowed and probably not meant (infer_warnings.cpp).
  void warn_mixed_signs(const Binary *expr, const Type *left, const Type *right);
  void warn_comparison(const Binary *expr, const Type *left, const Type *right);
  void warn_contradiction(const Binary *expr);
  [[nodiscard]] bool writes_elsewhere(const std::string &map) const;
  void warn_cut(const Expr *value, const Type *to, Span span);
  void warn_lost_updates(const Assign *assign);
  void warn_no_effect(const ExprStmt *stmt);
  void warn_unreachable(const Stmt *before, const Stmt *next);

  MapFacts &map(MapAccess *access);
  // Type in registers: aggregates and small integers as what arithmetic sees.
  const Type *operand(Expr *expr);
  const Type *unknown_name(Identifier *expr);
  bool has_arg(const std::string &name);
  std::string names_of_args();
  const Type *unknown_function(const Call *call);

  const CompileInput &input_;
  Facts &facts_;
  Diagnostics &diagnostics_;
  Mode mode_;
  uint32_t unit_ = 0;
  const Expr *assigned_aggregate_ = nullptr;   // the call that stands where aggregations are allowed: `@m = count()`
  const Variable *compared_alone_ = nullptr;   // in `$x == 1;`, where `=` was meant
  const Expr *text_param_ = nullptr;           // `$1` in `str($1)`: nothing is the empty string there
  std::set<std::string> misnamed_;             // `x` of `x = 1`: one message about it is enough
  std::unordered_set<const Expr *> inferred_;  // in this walk
  int loops_ = 0;
  bool changed_ = false;
};

// A bare name that stands for a number: enumerator of the script, constant of the kernel's headers, enumerator of the
// kernel's types.
std::optional<std::pair<const Type *, int64_t>> named_constant(const CompileInput &input, const std::string &name);
// A type by its name in a probe: in one of a user program that program's own types come before the kernel's.
Result<std::optional<const Type *>> find_type(const CompileInput &input, const Unit &unit, const std::string &name);
// Value of an integer expression that is known now.
std::optional<int64_t> fold_constant(const CompileInput &input, const Facts &facts, const Expr *expr);
// `$1`, or `$1 + 2`, which leaves out its first two characters.
bool is_param_text(const Expr *expr);
// Text of a string literal or positional parameter.
std::optional<std::string> fold_literal(const CompileInput &input, const Facts &facts, const Expr *expr);

// Type under which a value of `type` is kept in a variable, map or tuple: integers are 64 bits wide.
const Type *stored_type(TypeStore &store, const Type *type);
// Least type that holds both; null if there is none. Null arguments are "not known yet".
const Type *join_types(TypeStore &store, const Type *a, const Type *b);
// An element as scripts name it: by its number in tuples, by its name or number in records; null if there is none.
const Field *element(const Type *tuple, std::string_view name);
// The element of another tuple that goes with this one: by its place, in records by its name; null if there is none.
const Field *same_element(const Field &element, size_t index, const Type *in);
// What an aggregate gives when it is read in an expression; null if it cannot be.
const Type *aggregate_value(TypeStore &store, const Type *aggregate);
// Where the body of a loop over a map uses the value of an entry: any use of the variable but `.0`; null if it does
// not.
const Expr *value_use(const ForMap &loop, const Names &names);
// As a script sees a field: arrays of char are strings.
const Type *field_value_type(TypeStore &store, const Type *type);
// True for a field of a tracepoint that is a string of any length within the record (`__data_loc char[]`).
bool is_text_in_record(const FieldRef &field);
// What a call is called in messages: "exit()".
std::string name_of(const Expr *expr);
// "int", "string", "pointer", ...: the kind of a type as typeinfo() names it.
std::string base_name(const Type *type);
// "uint64", "a string[16]": for messages.
std::string describe(const Type *type);

// Whether it is `name` or `name(...)`.
bool is_call_of(const Expr *expr, std::string_view name);

}  // namespace awl::ast
