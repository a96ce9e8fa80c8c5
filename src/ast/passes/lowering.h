// Lowering: the tree and its facts become typed IR and Manifest.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ast/passes/facts.h"
#include "ast/passes/inference.h"
#include "ast/passes/takes.h"
#include "ast/typed/typed.h"

namespace awl::ast {

struct Lowered {
  typed::Module module;
  Manifest manifest;
};

Lowered lower(const CompileInput &input, const Facts &facts, const Source &source, Diagnostics &diagnostics);

// Lowers one unit at a time into a shared Module and Manifest.
class Lowering {
 public:
  Lowering(const CompileInput &input, const Facts &facts, Lowered &out, Diagnostics &diagnostics);

  void lower_unit(uint32_t unit);
  void lower_function(uint32_t unit);

  // --- For intrinsics ---
  // A value; scalars are 64 bits wide in registers whatever their type's size.
  typed::ValuePtr value(Expr *expr);
  // The value brought to `type`: integers extended, shorter strings padded, tuples element by element.
  typed::ValuePtr value_as(Expr *expr, const Type *type);
  // A member, of an access that need not be part of the tree.
  typed::ValuePtr field(FieldAccess &access) { return lower_field(&access); }
  typed::ValuePtr coerce(typed::ValuePtr value, const Type *type);
  // Appends a step at the current place.
  void add(typed::StepPtr step) { steps_->push_back(std::move(step)); }
  // Runs `make` with steps collected apart.
  template <class F>
  typed::Steps collect(F make) {
    typed::Steps inner;
    typed::Steps *outer = steps_;
    steps_ = &inner;
    make();
    steps_ = outer;
    return inner;
  }
  // A fresh local; set it with set_local, read it with get_local.
  uint32_t new_local(const Type *type);
  void set_local(uint32_t local, typed::ValuePtr value, Span span);
  typed::ValuePtr get_local(uint32_t local, Span span);

  // Emits a record for `action`; args are laid out behind the header.
  void emit(Action action, typed::Values args, Span span);
  // Index of a map named by a `map` argument, and its key if it is an entry.
  struct MapRef {
    uint32_t map = 0;
    typed::ValuePtr key;
  };
  MapRef map_ref(MapAccess *access);
  // Whether a print and a clear of a map are one step.
  [[nodiscard]] MapTake take_of(const Expr *call) const { return takes_.of(call); }
  typed::ValuePtr map_key(uint32_t map, const std::vector<Expr *> &keys, Span span);
  uint32_t map_index(const std::string &name) const;
  uint32_t stack_map(uint32_t frames);
  uint32_t string_index(const std::string &text);
  uint32_t error_place(RunError error, Span span);
  // A number that is known when the program is loaded.
  typed::ValuePtr machine_fact(MachineFact fact, const std::string &name, Span span);
  // make_binary() for what the script divides, with a place that counts zero divisors.
  typed::ValuePtr operation(BinaryOp op, bool is_signed, typed::ValuePtr left, typed::ValuePtr right, const Type *type,
                            Span span);
  void need_core(const FieldRef &field);
  typed::ValuePtr current_task(Span span);
  // Address space that an expression's pointers are read in.
  typed::Space space_of(Expr *pointer);

  [[nodiscard]] const Unit &unit() const { return input_.units[unit_]; }
  [[nodiscard]] const Type *type(const Expr *expr) const { return facts_.types[expr]; }
  TypeStore &store() { return input_.store; }
  [[nodiscard]] const CompileInput &input() const { return input_; }
  Manifest &manifest() { return out_.manifest; }
  typed::Module &module() { return out_.module; }
  std::optional<int64_t> constant(const Expr *expr) const;
  std::optional<std::string> literal(const Expr *expr) const;
  // Address of what an expression denotes in memory (array, struct, pointer value), and how it is read.
  struct Place {
    typed::ValuePtr base;  // pointer value
    typed::Space space = typed::Space::Any;
    FieldRef field;              // owner null: the base itself
    const Type *type = nullptr;  // of what is there
  };
  std::optional<Place> place(Expr *expr);
  typed::ValuePtr address(Place place, Span span);
  typed::ValuePtr load(Place place, Span span);
  void error_not_supported(Span span, const std::string &what);
  void refuse_pinned(Span span);
  Diagnostics &diagnostics() { return diagnostics_; }

 private:
  typed::ValuePtr lower_value(Expr *expr);
  typed::ValuePtr lower_identifier(Identifier *expr);
  typed::ValuePtr lower_param(PositionalParam *expr);
  typed::ValuePtr lower_map_read(MapAccess *expr);
  typed::ValuePtr lower_call(const CallSite &call);
  typed::ValuePtr lower_script_call(const CallSite &call);
  bool emits(uint32_t function);
  typed::ValuePtr lower_c_call(const CallSite &call);
  typed::ValuePtr lower_address(Unary *expr);
  void make_locals();
  typed::ValuePtr lower_argn(uint32_t number, const Expr *expr);
  typed::ValuePtr lower_field(FieldAccess *expr);
  typed::ValuePtr lower_index(Index *expr);
  typed::ValuePtr lower_element(Index *expr);
  typed::ValuePtr lower_unary(Unary *expr);
  typed::ValuePtr lower_binary(Binary *expr);
  typed::ValuePtr lower_equality(Binary *expr, const Type *left, const Type *right);
  typed::ValuePtr lower_logical(Binary *expr);
  typed::ValuePtr lower_pointer_arithmetic(Binary *expr);
  typed::ValuePtr lower_conditional(Conditional *expr);
  typed::ValuePtr lower_incdec(IncDec *expr);
  typed::ValuePtr lower_cast(Cast *expr);
  typed::ValuePtr lower_offsetof(OffsetOf *expr);
  typed::ValuePtr lower_tuple(const std::vector<Expr *> &elements, const Type *type, Span span);
  typed::ValuePtr lower_block_value(BlockExpr *expr);
  typed::ValuePtr truth(Expr *expr);
  typed::ValuePtr sequence(Expr *expr, const Type *type);
  std::optional<Place> field_place(FieldAccess *expr);
  // The variable of the program that `expr` names as a member of `args`, null if it is none.
  const UserVariable *user_variable(const FieldAccess *expr) const;
  typed::ValuePtr follow(const std::vector<PlaceStep> &steps, Span span);
  typed::ValuePtr gather(const UserVariable &variable, Span span);
  std::optional<Place> index_place(Index *expr);
  bool is_args(const Expr *expr) const;
  bool trusted(Expr *expr);

  void complete(const Type *type);
  void add_parts();
  void lower_stmt(Stmt *stmt);
  void lower_block(Block *block);
  void lower_assign(Assign *assign);
  typed::ValuePtr steps_of(const Type *type, typed::ValuePtr count);
  void lower_map_assign(Assign *assign, MapAccess *target);
  void lower_aggregate(MapAccess *target, const CallSite &call, Span span);
  void lower_if(If *stmt);
  void lower_return(Jump *jump);
  void fail_test(typed::ValuePtr result, Span span);
  void lower_while(While *loop);
  void lower_callback_body(Stmt *loop, Block *body);
  void lower_unroll(Unroll *loop);
  void lower_for_map(ForMap *loop);
  void lower_for_range(ForRange *loop);

  const CompileInput &input_;
  const Facts &facts_;
  Lowered &out_;
  Diagnostics &diagnostics_;
  uint32_t unit_ = 0;
  typed::Routine *routine_ = nullptr;
  std::map<const Function *, uint32_t> functions_;  // index in Module::functions
  uint32_t result_local_ = 0;                       // of the function at hand
  typed::Steps *steps_ = nullptr;
  Takes takes_;
  std::map<std::string, uint32_t> map_index_;
  std::vector<const Stmt *> callbacks_;  // loops whose bodies are functions of their own, around the place at hand
  std::vector<bool> trusted_locals_;
};

// Makes typed nodes shorter to write.
template <class T>
std::unique_ptr<T> make_value(const Type *type, Span span) {
  return std::make_unique<T>(type, span);
}
template <class T>
std::unique_ptr<T> make_step(Span span) {
  return std::make_unique<T>(span);
}
typed::ValuePtr make_const(const Type *type, uint64_t value, Span span);
// The first bytes of a value in memory as a buffer.
typed::ValuePtr buffer_of(TypeStore &store, typed::ValuePtr bytes, const Type *type, Span span);
typed::ValuePtr make_binary(typed::Op op, bool is_signed, typed::ValuePtr left, typed::ValuePtr right,
                            const Type *type);

// The typed operator of an arithmetic or comparing one, and whether it works on signed numbers.
typed::Op typed_op(BinaryOp op);
bool is_signed_operation(BinaryOp op, const Type *left, const Type *right);

}  // namespace awl::ast
