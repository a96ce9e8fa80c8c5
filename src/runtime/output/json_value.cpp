#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/output/aggregate.h"
#include "runtime/output/value_parts.h"

namespace awl {

void append_json_number(std::string &out, uint64_t number, bool is_signed) {
  // Readers may keep numbers as doubles: from 2^53 on only a string keeps every digit.
  constexpr uint64_t kExact = 1ULL << 53;
  bool negative = is_signed && static_cast<int64_t>(number) < 0;
  bool exact = (negative ? 0 - number : number) <= kExact;
  if (!exact) out += '"';
  append_number(out, number, is_signed);
  if (!exact) out += '"';
}

namespace {

void append_json_members(std::string &out, const Value &value, const FormatContext &context) {
  bool first = true;
  out += '{';
  for_each_member(value, [&](const Member &member) {
    if (!first) out += ", ";
    first = false;
    out += json_quote(*member.name);
    out += ": ";
    if (member.is_bitfield)
      append_json_number(out, member.bitfield, member.value.type && member.value.type->is_signed);
    else if (member.is_text)
      out += json_quote(string_of(member.value));
    else
      append_json(out, member.value, context);
  });
  out += '}';
}

void append_json_array(std::string &out, const Value &value, const FormatContext &context) {
  const Type &type = *value.type;
  out += '[';
  for (uint32_t i = 0; i < type.count; i++) {
    if (i) out += ',';
    append_json(out, {type.target, part_of(value.bytes, size_t{i} * type.target->size, type.target->size)}, context);
  }
  out += ']';
}

void append_json_tuple(std::string &out, const Value &value, const FormatContext &context) {
  bool first = true;
  out += '[';
  for (const Field &field : value.type->fields) {
    if (!first) out += ',';
    first = false;
    append_json(out, {field.type, part_of(value.bytes, field.offset, field.type->size)}, context);
  }
  out += ']';
}

void append_json_buffer(std::string &out, const Value &value) {
  bool first = true;
  out += '[';
  for (std::byte byte : buffer_bytes(value)) {
    if (!first) out += ',';
    first = false;
    append_unsigned(out, static_cast<uint8_t>(byte));
  }
  out += ']';
}

}  // namespace

void append_json(std::string &out, const Value &value, const FormatContext &context) {
  const Type &type = *value.type;
  auto append_quoted = [&] {
    std::string text;
    append_value(text, value, context);
    out += json_quote(text);
  };
  if (type.display == Display::Ratio) return append_json_ratio(out, value);
  if (has_display(type)) return append_quoted();
  switch (type.kind) {
    case TypeKind::Poison:
    case TypeKind::Void: out += "null"; break;
    case TypeKind::Bool: append_value(out, value, context); break;
    case TypeKind::Int:
    case TypeKind::Enum: append_json_number(out, scalar_of(value), type.is_signed); break;
    case TypeKind::Pointer: append_json_number(out, scalar_of(value), false); break;
    case TypeKind::Array: append_json_array(out, value, context); break;
    case TypeKind::Struct: append_json_members(out, value, context); break;
    case TypeKind::Stack:
      if (context.json_frames) return append_json_stack(out, value, context);
      append_quoted();
      break;
    case TypeKind::String: append_quoted(); break;
    case TypeKind::Buffer: append_json_buffer(out, value); break;
    case TypeKind::Tuple:
      if (type.is_record)
        append_json_members(out, value, context);
      else
        append_json_tuple(out, value, context);
      break;
    case TypeKind::Aggregate: append_json_map_value(out, value, 0, context); break;
  }
}

}  // namespace awl
