// Raw BTF with its bounds checked: types by id and by (kind, name), without copying them into objects.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "runtime/types/btf_format.h"

namespace awl {

struct BtfRaw {
  uint32_t id = 0;
  BtfKind kind = BtfKind::Void;
  bool flag = false;  // kind_flag
  uint32_t vlen = 0;
  uint32_t name_off = 0;
  uint32_t size_or_type = 0;
  const char *extra = nullptr;  // what follows the common part; its length is checked
};

struct BtfMember {
  uint32_t name_off = 0;
  uint32_t type = 0;
  uint32_t bit_offset = 0;
  uint32_t bits = 0;  // kind_flag only, 0 if not a bitfield
};

struct BtfArray {
  uint32_t type = 0;
  uint32_t count = 0;
};

struct BtfInt {
  uint32_t encoding = 0;
  uint32_t bit_offset = 0;
  uint32_t bits = 0;
};

struct BtfEnumValue {
  uint32_t name_off = 0;
  int64_t value = 0;
};

// The index grows with the largest id and the furthest name asked for: a program that wants one struct near
// the beginning pays for nothing behind it.
class BtfView {
 public:
  // `bytes` must stay; `base` too, for the split BTF of a module.
  static Result<BtfView> parse(std::string_view bytes, BtfView *base = nullptr);

  [[nodiscard]] uint32_t first_id() const { return first_id_; }
  Result<BtfRaw> type(uint32_t id);
  // First type of this kind and name, 0 if there is none. Does not look into the base.
  Result<uint32_t> find(BtfKind kind, std::string_view name);
  // All ids of a kind that is found by name: struct, union, enum, typedef, function.
  Result<std::vector<uint32_t>> of_kind(BtfKind kind);

  Result<std::string_view> string(uint32_t offset) const;
  // Members, enumerators and parameters: `index` must be below vlen.
  static BtfMember member(const BtfRaw &raw, uint32_t index);
  static BtfEnumValue enum_value(const BtfRaw &raw, uint32_t index);
  static BtfMember param(const BtfRaw &raw, uint32_t index);
  static BtfArray array(const BtfRaw &raw);
  static BtfInt integer(const BtfRaw &raw);
  [[nodiscard]] bool string_is(uint32_t offset, std::string_view text) const;
  // All offsets of a string, which may be the end of a longer one. One pass over the strings in order is several times
  // faster than following the names of 60 000 functions or enumerators across them. Without those of the base.
  [[nodiscard]] std::vector<uint32_t> string_offsets(std::string_view text) const;

 private:
  // Goes on until `id` is indexed.
  void index_to(uint32_t id);
  Result<void> index_all();
  Result<uint32_t> find_by_offset(BtfKind kind, std::string_view name);
  Result<uint32_t> find_by_index(BtfKind kind, std::string_view name);
  // From id `from` on, 0 at the end of what is indexed.
  [[nodiscard]] uint32_t next_of_kind(BtfKind kind, uint32_t from) const;
  [[nodiscard]] uint32_t name_offset(uint32_t id) const;
  [[nodiscard]] BtfRaw raw_at(uint32_t id, uint32_t offset) const;
  // Ids above the base's are known only when all of it has been counted.
  Result<uint32_t> next_free_id();

  BtfView *base_ = nullptr;
  std::string_view types_;
  std::string_view strings_;
  uint32_t first_id_ = 1;
  uint32_t strings_base_ = 0;
  size_t cursor_ = 0;                    // offset in types_ of the first type not indexed
  std::string error_;                    // why indexing stopped before the end
  uint32_t count_ = 0;                   // types indexed
  std::unique_ptr<uint32_t[]> offsets_;  // of type first_id_ + index
  std::unique_ptr<uint8_t[]> kinds_;
  // By kind. Names are searched one by one at first; who asks for many of a kind gets an index.
  struct Names {
    uint32_t asked = 0;
    std::unordered_map<std::string_view, uint32_t> ids;  // the first of each name
  };
  std::array<Names, 32> names_;
};

}  // namespace awl
