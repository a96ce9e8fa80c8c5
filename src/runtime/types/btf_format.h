// BTF as the kernel defines it (Documentation/bpf/btf.rst): numbers shared by the reader and the writer.
#pragma once

#include <cstdint>

namespace awl {

constexpr uint16_t kBtfMagic = 0xeb9f;
constexpr uint8_t kBtfVersion = 1;
constexpr uint32_t kBtfHeaderSize = 24;

enum class BtfKind : uint8_t {
  Void = 0,
  Int = 1,
  Ptr = 2,
  Array = 3,
  Struct = 4,
  Union = 5,
  Enum = 6,
  Fwd = 7,
  Typedef = 8,
  Volatile = 9,
  Const = 10,
  Restrict = 11,
  Func = 12,
  FuncProto = 13,
  Var = 14,
  DataSec = 15,
  Float = 16,    // kernel 5.13
  DeclTag = 17,  // kernel 5.16
  TypeTag = 18,  // kernel 5.17
  Enum64 = 19,   // kernel 6.0
};
constexpr uint8_t kBtfKinds = 20;

// Of a BTF_KIND_INT's second word.
constexpr uint32_t kBtfIntSigned = 1, kBtfIntChar = 2, kBtfIntBool = 4;

constexpr uint32_t btf_info(BtfKind kind, uint32_t vlen, bool flag) {
  return static_cast<uint32_t>(kind) << 24 | vlen | static_cast<uint32_t>(flag) << 31;
}

}  // namespace awl
