// Builds a BTF blob type by type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/btf_format.h"

namespace awl {

class BtfWriter {
 public:
  // Offset of a name in the strings; each name is kept once.
  uint32_t string(std::string_view text);
  // Appends a type and returns its id. `extra` are the words behind the common part.
  uint32_t add(BtfKind kind, std::string_view name, uint32_t size_or_type, const std::vector<uint32_t> &extra = {},
               uint32_t vlen = 0, bool flag = false);
  uint32_t integer(std::string_view name, uint32_t size, uint32_t encoding = 0);
  uint32_t pointer(uint32_t target) { return add(BtfKind::Ptr, "", target); }
  uint32_t array(uint32_t element, uint32_t count, uint32_t index_type);

  struct Member {
    std::string name;
    uint32_t type = 0;
    uint32_t bit_offset = 0;
    uint32_t bits = 0;
  };
  uint32_t structure(std::string_view name, uint32_t size, const std::vector<Member> &members, bool is_union = false);

  [[nodiscard]] std::string finish() const;

 private:
  std::vector<uint32_t> words_;
  std::string strings_ = std::string(1, '\0');
  std::map<std::string, uint32_t, std::less<>> offsets_;
  uint32_t next_id_ = 1;
};

}  // namespace awl
