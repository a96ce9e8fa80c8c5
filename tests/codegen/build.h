// Shorthand to write typed programs by hand.
#pragma once

#include <linux/bpf.h>

#include <memory>
#include <string>
#include <utility>

#include "ast/typed/typed.h"
#include "runtime/types/type_store.h"

namespace awl::testing {

using namespace awl::typed;

constexpr Span kPlace{0, 1};

// A module with its manifest. Programs are raw tracepoints that always run, so that test_run can start them.
struct Script {
  TypeStore types;
  Manifest manifest;
  Module module;
  std::string text = "begin { } // script under test\n";

  const Type *i64() { return types.int64(); }
  const Type *u64() { return types.uint64(); }

  Program &program(const std::string &name = "prog");

  uint32_t map(const std::string &name, uint32_t bpf_type, const Type *key, const Type *value, uint32_t value_size,
               uint32_t max_entries);
  // Plain map: a hash, or with a null key an array of {value, set}.
  uint32_t plain_map(const std::string &name, const Type *key, const Type *value, uint32_t max_entries = 64);
  uint32_t aggregate_map(const std::string &name, const Type *key, const Type *value, uint32_t max_entries = 64);
  // An action whose arguments stand one behind the other.
  uint32_t action(ActionKind kind, const std::vector<const Type *> &args);

  ValuePtr number(int64_t value, const Type *type = nullptr);
  ValuePtr bytes(const std::string &data, const Type *type);
  ValuePtr local(uint32_t index, const Type *type);
  ValuePtr arg(uint32_t index, const Type *type = nullptr);  // of the raw tracepoint
  ValuePtr helper(int id, const Type *type = nullptr);
  ValuePtr binary(Op op, ValuePtr left, ValuePtr right, bool is_signed = true);
  ValuePtr unary(Unary op, ValuePtr operand);
  ValuePtr convert(const Type *type, ValuePtr operand);
  ValuePtr compare(ValuePtr left, ValuePtr right, uint32_t count, bool stop_at_nul);
  ValuePtr read_string(Space space, ValuePtr address, uint32_t size, ValuePtr limit = nullptr);
  ValuePtr map_get(uint32_t map, ValuePtr key);

  StepPtr set_local(uint32_t index, ValuePtr value);
  StepPtr map_set(uint32_t map, ValuePtr key, ValuePtr value);
  StepPtr update(uint32_t map, ValuePtr key, ValuePtr argument);
  StepPtr evaluate(ValuePtr value);
};

template <class Node, class... Args>
std::unique_ptr<Node> make(Args &&...args) {
  return std::make_unique<Node>(std::forward<Args>(args)..., kPlace);
}

}  // namespace awl::testing
