#include "runtime/output/value.h"

#include <fmt/format.h>

#include "runtime/output/aggregate.h"
#include "runtime/output/value_parts.h"

namespace awl {

void append_signed(std::string &out, int64_t number) {
  fmt::format_int text(number);
  out.append(text.data(), text.size());
}

void append_unsigned(std::string &out, uint64_t number) {
  fmt::format_int text(number);
  out.append(text.data(), text.size());
}

void append_number(std::string &out, uint64_t number, bool is_signed) {
  if (is_signed)
    append_signed(out, static_cast<int64_t>(number));
  else
    append_unsigned(out, number);
}

void append_hex(std::string &out, uint64_t number) {
  char digits[16];
  char *begin = digits + sizeof(digits);
  do {
    *--begin = "0123456789abcdef"[number & 15];
    number >>= 4;
  } while (number);
  out.append(begin, digits + sizeof(digits));
}

uint64_t scalar_of(const Value &value) {
  const Type &type = *value.type;
  bool is_signed = type.is_signed && type.kind != TypeKind::Pointer;
  auto extend = [&]<class Signed, class Unsigned>(Signed, Unsigned) {
    auto number = load<Unsigned>(value.bytes);
    return is_signed ? static_cast<uint64_t>(static_cast<int64_t>(static_cast<Signed>(number)))
                     : static_cast<uint64_t>(number);
  };
  switch (type.size) {
    case 1: return extend(int8_t{}, uint8_t{});
    case 2: return extend(int16_t{}, uint16_t{});
    case 4: return extend(int32_t{}, uint32_t{});
    default: return load<uint64_t>(value.bytes);
  }
}

std::string_view string_of(const Value &value) {
  const char *data = reinterpret_cast<const char *>(value.bytes.data());
  size_t size = value.bytes.size();
  if (value.type->size && value.type->size < size) size = value.type->size;
  return {data, size ? strnlen(data, size) : 0};
}

void append_string(std::string &out, const Value &value, const FormatContext &context) {
  std::string_view text = string_of(value);
  out += text;
  if (!context.manifest) return;
  // Without a NUL it was cut for certain. With the NUL in its last byte it was most likely cut if its size
  // is that of str(): literals, comm and str() with a length of the script's own choice fill theirs rightly.
  const ConfigValues &config = context.manifest->config;
  uint32_t size = value.type->size;
  bool cut = text.size() == size || (text.size() + 1 == size && size == config.max_strlen);
  if (cut && size > 1) out += config.str_trunc_trailer;
}

std::span<const std::byte> buffer_bytes(const Value &value) {
  return part_of(value.bytes, 4, std::min(load<uint32_t>(value.bytes), value.type->count));
}

void append_buffer(std::string &out, const Value &value) {
  constexpr char kHex[] = "0123456789abcdef";
  for (std::byte byte : buffer_bytes(value)) {
    auto c = static_cast<unsigned char>(byte);
    if (c >= 32 && c <= 126) {
      out += static_cast<char>(c);
    } else {
      const char escape[] = {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
      out.append(escape, sizeof(escape));
    }
  }
}

const std::string *enumerator_name(const Type &type, uint64_t number) {
  for (const Enumerator &entry : type.enumerators)
    if (static_cast<uint64_t>(entry.value) == number) return &entry.name;
  return nullptr;
}

bool is_text_array(const Type &type) {
  return type.kind == TypeKind::Array && type.target && type.target->kind == TypeKind::Int && type.target->size == 1 &&
         type.target->is_signed && !has_display(type);
}

uint64_t bitfield_of(std::span<const std::byte> bytes, const Field &field) {
  uint64_t unit = load<uint64_t>(part_of(bytes, field.offset, std::max<size_t>(field.stored_size(), 1)));
  unit >>= field.bit_offset;
  if (field.bits >= 64) return unit;
  uint64_t mask = (1ULL << field.bits) - 1;
  uint64_t sign = 1ULL << (field.bits - 1);
  unit &= mask;
  return field.type && field.type->is_signed && (unit & sign) ? unit | ~mask : unit;
}

namespace {

void append_members(std::string &out, const Value &value, const FormatContext &context) {
  bool first = true;
  for_each_member(value, [&](const Member &member) {
    out += first ? "{ ." : ", .";
    first = false;
    out += *member.name;
    out += " = ";
    if (member.is_bitfield)
      append_number(out, member.bitfield, member.value.type && member.value.type->is_signed);
    else if (member.is_text)
      out += string_of(member.value);
    else
      append_value(out, member.value, context);
  });
  out += first ? "{}" : " }";
}

void append_tuple(std::string &out, const Value &value, const FormatContext &context) {
  bool first = true;
  for (const Field &field : value.type->fields) {
    if (!first) out += ", ";
    first = false;
    append_value(out, {field.type, part_of(value.bytes, field.offset, field.type->size)}, context);
  }
}

void append_array(std::string &out, const Value &value, const FormatContext &context) {
  const Type &type = *value.type;
  out += '[';
  for (uint32_t i = 0; i < type.count; i++) {
    if (i) out += ',';
    append_value(out, {type.target, part_of(value.bytes, size_t{i} * type.target->size, type.target->size)}, context);
  }
  out += ']';
}

}  // namespace

void append_value(std::string &out, const Value &value, const FormatContext &context) {
  const Type &type = *value.type;
  if (has_display(type)) return append_display(out, value, context);
  switch (type.kind) {
    case TypeKind::Poison:
    case TypeKind::Void: out += "null"; break;
    case TypeKind::Bool: out += load<uint8_t>(value.bytes) ? "true" : "false"; break;
    case TypeKind::Int: append_number(out, scalar_of(value), type.is_signed); break;
    case TypeKind::Enum:
      if (const std::string *name = enumerator_name(type, scalar_of(value)))
        out += *name;
      else
        append_number(out, scalar_of(value), type.is_signed);
      break;
    case TypeKind::Pointer:
      out += "0x";
      append_hex(out, scalar_of(value));
      break;
    case TypeKind::Array: append_array(out, value, context); break;
    case TypeKind::Struct: append_members(out, value, context); break;
    case TypeKind::String: append_string(out, value, context); break;
    case TypeKind::Buffer: append_buffer(out, value); break;
    case TypeKind::Tuple:
      if (type.is_record) return append_members(out, value, context);
      out += '(';
      append_tuple(out, value, context);
      out += ')';
      break;
    case TypeKind::Stack: append_stack(out, value, kStackIndent, context); break;
    case TypeKind::Aggregate: append_map_value(out, value, 0, context); break;
  }
}

void append_key(std::string &out, const Value &key, const FormatContext &context) {
  auto append_part = [&](const Value &part) {
    if (part.type->kind == TypeKind::Stack)
      append_stack(out, part, kStackKeyIndent, context);
    else
      append_value(out, part, context);
  };
  if (key.type->kind != TypeKind::Tuple || key.type->is_record || has_display(*key.type)) return append_part(key);
  bool first = true;
  for (const Field &field : key.type->fields) {
    if (!first) out += ", ";
    first = false;
    append_part({field.type, part_of(key.bytes, field.offset, field.type->size)});
  }
}

}  // namespace awl
