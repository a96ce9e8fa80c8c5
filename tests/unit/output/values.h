// Types and byte layouts for tests, made by hand.
#pragma once

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "runtime/output/value.h"

namespace awl::test {

class Types {
 public:
  const Type *add(Type type) { return &types_.emplace_back(std::move(type)); }
  const Type *integer(uint32_t size, bool is_signed) {
    Type type;
    type.kind = TypeKind::Int;
    type.size = size;
    type.is_signed = is_signed;
    return add(type);
  }
  const Type *int64() { return integer(8, true); }
  const Type *uint64() { return integer(8, false); }
  const Type *string(uint32_t size) {
    Type type;
    type.kind = TypeKind::String;
    type.size = size;
    return add(type);
  }
  const Type *simple(TypeKind kind, uint32_t size) {
    Type type;
    type.kind = kind;
    type.size = size;
    return add(type);
  }
  const Type *array(const Type *element, uint32_t count) {
    Type type;
    type.kind = TypeKind::Array;
    type.count = count;
    type.target = element;
    type.size = count * element->size;
    return add(type);
  }
  const Type *buffer(uint32_t capacity) {
    Type type;
    type.kind = TypeKind::Buffer;
    type.count = capacity;
    type.size = 4 + capacity;
    return add(type);
  }
  // Members of 1, 2, 4 and 8 bytes are aligned, others to 8.
  const Type *members(TypeKind kind, std::vector<std::pair<std::string, const Type *>> list, bool is_record = false) {
    Type type;
    type.kind = kind;
    type.is_record = is_record;
    for (auto &[name, member] : list) {
      uint32_t alignment = member->size == 1 || member->size == 2 || member->size == 4 ? member->size : 8;
      Field field;
      field.name = name;
      field.type = member;
      field.offset = (type.size + alignment - 1) / alignment * alignment;
      type.size = field.offset + member->size;
      type.fields.push_back(field);
    }
    return add(type);
  }
  const Type *tuple(std::vector<const Type *> list) {
    std::vector<std::pair<std::string, const Type *>> named;
    for (size_t i = 0; i < list.size(); i++) named.emplace_back(std::to_string(i), list[i]);
    return members(TypeKind::Tuple, named);
  }
  const Type *display(Display display, uint32_t size) {
    Type type;
    type.kind = TypeKind::Int;
    type.size = size;
    type.display = display;
    return add(type);
  }
  const Type *aggregate(AggregateKind kind, bool is_signed = true) {
    Type type;
    type.kind = TypeKind::Aggregate;
    type.aggregate = kind;
    type.target = integer(8, is_signed);
    type.size = kind == AggregateKind::Count ? 8 : 16;
    return add(type);
  }
  const Type *hist(uint32_t bits) {
    Type type;
    type.kind = TypeKind::Aggregate;
    type.aggregate = AggregateKind::Hist;
    type.hist_bits = bits;
    type.size = (hist_buckets(bits) + 1) * 8;
    return add(type);
  }
  const Type *lhist(int64_t min, int64_t max, int64_t step) {
    Type type;
    type.kind = TypeKind::Aggregate;
    type.aggregate = AggregateKind::LHist;
    type.lhist_min = min;
    type.lhist_max = max;
    type.lhist_step = step;
    type.size = (lhist_buckets(min, max, step) + 1) * 8;
    return add(type);
  }
  const Type *stack(bool user, StackMode mode) {
    Type type;
    type.kind = TypeKind::Stack;
    type.size = 8;
    type.stack_user = user;
    type.stack_mode = mode;
    return add(type);
  }

 private:
  std::deque<Type> types_;
};

// Bytes put together piece by piece.
class Bytes {
 public:
  template <class T>
  Bytes &put(T value) {
    size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
    return *this;
  }
  Bytes &text(std::string_view text, size_t size) {
    size_t at = bytes_.size();
    bytes_.resize(at + size);
    std::memcpy(bytes_.data() + at, text.data(), std::min(size, text.size()));
    return *this;
  }
  Bytes &align(size_t to) {
    bytes_.resize((bytes_.size() + to - 1) / to * to);
    return *this;
  }
  operator std::vector<std::byte>() const { return bytes_; }
  [[nodiscard]] const std::vector<std::byte> &get() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// Counters of a histogram with some buckets set.
inline std::vector<std::byte> buckets(const Type *type, const std::vector<std::pair<uint32_t, uint64_t>> &counts) {
  std::vector<std::byte> bytes(type->size);
  for (auto [bucket, count] : counts) std::memcpy(bytes.data() + size_t{bucket} * 8, &count, 8);
  return bytes;
}

}  // namespace awl::test
