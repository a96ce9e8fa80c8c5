// The parts that text and JSON forms of values share; private to this folder.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "runtime/output/value.h"

namespace awl {

// Reads a T at `offset`; bytes that are not there count as zero.
template <class T>
T load(std::span<const std::byte> bytes, size_t offset = 0) {
  T value{};
  if (offset < bytes.size()) std::memcpy(&value, bytes.data() + offset, std::min(sizeof(T), bytes.size() - offset));
  return value;
}

inline std::span<const std::byte> part_of(std::span<const std::byte> bytes, size_t offset, size_t size) {
  if (offset >= bytes.size()) return {};
  return bytes.subspan(offset, std::min(size, bytes.size() - offset));
}

void append_signed(std::string &out, int64_t number);
void append_unsigned(std::string &out, uint64_t number);
void append_number(std::string &out, uint64_t number, bool is_signed);
void append_hex(std::string &out, uint64_t number);  // lower case, without 0x
void append_json_number(std::string &out, uint64_t number, bool is_signed);

// A string with the trailer that marks it as cut.
void append_string(std::string &out, const Value &value, const FormatContext &context);

// Printable bytes as they are, others `\xNN`.
void append_buffer(std::string &out, const Value &value);
std::span<const std::byte> buffer_bytes(const Value &value);

// True if the type's text comes from its display tag.
inline bool has_display(const Type &type) { return type.display != Display::None; }
void append_display(std::string &out, const Value &value, const FormatContext &context);

// Frames, one a line, each with a newline, all after a newline; nothing if the stack is not known.
constexpr size_t kStackIndent = 8;
constexpr size_t kStackKeyIndent = 4;
void append_stack(std::string &out, const Value &value, size_t indent, const FormatContext &context);

// A list of frames: `[{"address": "0xffffffff81000000", "symbol": "f", "offset": 0, "module": "kernel"}]`.
void append_json_stack(std::string &out, const Value &value, const FormatContext &context);
// Frames from the outermost on, joined by `;`.
void append_folded_stack(std::string &out, const Value &value, const FormatContext &context);

// An integer or a Ratio as a number; 0 if it divides by zero, as in the language.
long double real_of(const Value &value);
void append_ratio(std::string &out, const Value &value);
void append_json_ratio(std::string &out, const Value &value);

// An enumerator's name, nullptr if the number has none.
const std::string *enumerator_name(const Type &type, uint64_t number);
// An array of signed bytes.
bool is_text_array(const Type &type);

// Calls visit(member) for each named member in order, through anonymous members.
struct Member {
  const std::string *name = nullptr;
  Value value;
  bool is_bitfield = false;  // then `bitfield` is the value
  bool is_text = false;      // char[] of a struct of C
  uint64_t bitfield = 0;
};
template <class Visit>
void for_each_member(const Value &value, Visit &&visit);

uint64_t bitfield_of(std::span<const std::byte> bytes, const Field &field);

template <class Visit>
void for_each_member(const Value &value, Visit &&visit) {
  for (const Field &field : value.type->fields) {
    std::span<const std::byte> bytes = part_of(value.bytes, field.offset, field.stored_size());
    if (field.name.empty() && field.type && field.type->kind == TypeKind::Struct && !field.data_loc) {
      for_each_member(Value{field.type, bytes}, visit);
      continue;
    }
    Member member{&field.name, {field.type, bytes}, field.bits != 0 || field.data_loc, false, 0};
    member.is_text = value.type->kind == TypeKind::Struct && field.type && is_text_array(*field.type);
    if (field.bits) member.bitfield = bitfield_of(value.bytes, field);
    if (field.data_loc) member.bitfield = load<uint32_t>(bytes);  // the place, not the data: it is elsewhere
    visit(member);
  }
}

}  // namespace awl
