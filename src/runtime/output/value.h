// Value: bytes with a type, and how they become text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/image/manifest.h"
#include "runtime/symbols/symbols.h"
#include "runtime/types/type.h"

namespace awl {

// A view of bytes laid out as `type` says (runtime/types/type.h). Aggregates are already merged over CPUs.
struct Value {
  const Type *type = nullptr;
  std::span<const std::byte> bytes;
};

// Integer behind a scalar value, sign- or zero-extended to 64 bits by its type.
uint64_t scalar_of(const Value &value);
// Bytes of a string up to its NUL.
std::string_view string_of(const Value &value);

// Frames of a stack value: asked from the stack maps by the session.
class StackSource {
 public:
  virtual ~StackSource() = default;
  // Instruction addresses, innermost first; empty if the id is unknown.
  virtual std::vector<uint64_t> frames(const Type *type, int32_t id) = 0;
};

// All that is needed to show a value.
struct FormatContext {
  const Manifest *manifest = nullptr;
  KernelSymbols *kernel_symbols = nullptr;
  UserSymbols *user_symbols = nullptr;
  StackSource *stacks = nullptr;
  const std::vector<std::string> *probe_names = nullptr;  // by attach cookie
  int64_t boot_to_wall_ns = 0;                            // added to CLOCK_BOOTTIME gives wall clock
  int64_t monotonic_to_wall_ns = 0;
  bool json_frames = false;  // JSON form of a stack: a list of frames instead of text
};

// Appends the text form of print() and map output: integers decimal, tuples "(1, abc)", stacks as lines...
void append_value(std::string &out, const Value &value, const FormatContext &context);
// JSON form (docs/json.md): integers that a double would change become strings.
void append_json(std::string &out, const Value &value, const FormatContext &context);
// Map key: tuple elements joined by ", " without parentheses.
void append_key(std::string &out, const Value &key, const FormatContext &context);

}  // namespace awl
