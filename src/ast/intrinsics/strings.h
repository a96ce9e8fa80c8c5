// What the families of functions on strings share.
#pragma once

#include "ast/passes/inference.h"
#include "ast/passes/lowering.h"

namespace awl::ast {

// Type of an argument seen as a string: strings as they are, what stands at a pointer, arrays of bytes. Null while
// unknown, poison for what is none.
const Type *string_type(Inference &in, Expr *expr);
typed::ValuePtr string_value(Lowering &low, Expr *expr);
// A string read from where an address or an array of bytes points to, as `type`; `expr` is no string in memory.
typed::ValuePtr read_string(Lowering &low, Expr *expr, const Type *type, Span span);
// The first `count` bytes behind an address, or of a string, array or buffer.
typed::ValuePtr leading_bytes(Lowering &low, Expr *expr, uint32_t count);

// Type and value of two strings behind each other. The type's size is a power of two up to max_strlen, so that
// `$s = $s + "x"` comes to a type in few rounds.
const Type *concat_type(const CompileInput &input, const Type *left, const Type *right);
typed::ValuePtr concat_value(typed::ValuePtr left, typed::ValuePtr right, const Type *type, Span span);

}  // namespace awl::ast
