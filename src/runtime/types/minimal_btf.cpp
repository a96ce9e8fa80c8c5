// The smallest BTF for relocating a program: each struct with the members that the program names, nothing else.
//
// libbpf matches a program's struct with the kernel's by name, then each member by name. With all of vmlinux it
// first parses 126 000 types (14 ms); of what is written here it finds the same offsets at once. Members of
// anonymous structs are written as if they stood in the struct around them, as the program's own BTF has them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "runtime/types/btf.h"
#include "runtime/types/btf_writer.h"

namespace awl {
namespace {

class MinimalWriter {
 public:
  explicit MinimalWriter(TypeStore &store) : store_(store) {}

  // Notes that `path` is used. True if the kernel has it.
  Result<bool> need(const Type *type, const std::vector<std::string> &path, size_t at = 0) {
    while (type->kind == TypeKind::Array) type = type->target;  // elements are all alike
    if (at == path.size()) {
      if (type->kind == TypeKind::Struct) needed_[type];
      return true;
    }
    if (type->kind != TypeKind::Struct) return false;
    std::optional<FieldRef> field = TRY(store_.field(type, path[at]));
    if (!field || !TRY(need(field->type, path, at + 1))) return false;
    needed_[type].emplace(path[at], std::move(*field));
    return true;
  }

  uint32_t write(const Type *type) {
    switch (type->kind) {
      case TypeKind::Bool: return integer(1, kBtfIntBool);
      case TypeKind::Int:
      case TypeKind::Enum: return integer(type->size, type->is_signed ? kBtfIntSigned : 0);
      case TypeKind::Pointer: return pointer();
      case TypeKind::Array: return array(type);
      case TypeKind::Struct: return structure(type);
      default: return integer(1, 0);  // no other kind is a member of a kernel struct
    }
  }

  std::string finish() const { return writer_.finish(); }

 private:
  uint32_t integer(uint32_t size, uint32_t encoding) {
    uint32_t &id = integers_[{size, encoding}];
    if (!id) {
      const char *sign = encoding & kBtfIntSigned ? "" : "u";
      std::string name = encoding & kBtfIntBool ? "_Bool" : fmt::format("{}int{}", sign, size * 8);
      id = writer_.integer(name, size, encoding);
    }
    return id;
  }

  uint32_t pointer() {
    if (!pointer_) pointer_ = writer_.pointer(0);
    return pointer_;
  }

  uint32_t array(const Type *type) {
    uint32_t element = write(type->target);
    uint32_t index = integer(4, 0);
    uint32_t &id = arrays_[{element, type->count}];
    if (!id) id = writer_.array(element, type->count, index);
    return id;
  }

  // Embedded structs come first, so that every id is known when it is used.
  uint32_t structure(const Type *type) {
    auto known = structs_.find(type);
    if (known != structs_.end()) return known->second;
    std::vector<BtfWriter::Member> members;
    for (const auto &[name, field] : needed_[type]) {
      // The member of a __data_loc is its {offset, length}, not what that points to.
      uint32_t id = field.data_loc ? integer(4, 0) : write(field.type);
      members.push_back({name, id, field.offset * 8 + field.bit_offset, field.bits});
    }
    std::sort(members.begin(), members.end(), [](const auto &a, const auto &b) {
      return std::tie(a.bit_offset, a.name) < std::tie(b.bit_offset, b.name);
    });
    std::string name = btf_name(type);
    uint32_t id = writer_.structure(type->is_typedef ? "" : name, type->size, members, type->is_union);
    if (type->is_typedef) writer_.add(BtfKind::Typedef, name, id);
    structs_[type] = id;
    return id;
  }

  TypeStore &store_;
  BtfWriter writer_;
  std::map<const Type *, std::map<std::string, FieldRef>> needed_;
  std::map<const Type *, uint32_t> structs_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> integers_, arrays_;
  uint32_t pointer_ = 0;
};

std::string join_path(const std::string &root, const std::vector<std::string> &path) {
  std::string out = root;
  for (const std::string &name : path) out += "." + name;
  return out;
}

}  // namespace

Result<MinimalBtf> make_minimal_btf(TypeStore &store, const std::vector<CoreStruct> &structs) {
  MinimalBtf out;
  MinimalWriter writer(store);
  std::vector<const Type *> roots;
  for (const CoreStruct &wanted : structs) {
    auto found = TRY(store.find(wanted.name));
    if (!found || (*found)->kind != TypeKind::Struct) {
      out.missing.push_back(wanted.name);
      continue;
    }
    roots.push_back(*found);
    for (const auto &path : wanted.paths) {
      if (!TRY(writer.need(*found, path))) out.missing.push_back(join_path(wanted.name, path));
    }
  }
  for (const Type *root : roots) writer.write(root);
  out.bytes = writer.finish();
  return out;
}

std::string btf_name(const Type *type) {
  if (type->origin != Origin::Tracefs) return type->name;
  std::string out = "awl_";
  size_t underscores = 0;
  for (char c : type->name) {
    // libbpf takes three underscores for the start of a flavour, which it ignores when it compares names.
    for (char put : c == ':' ? std::string_view("__") : std::string_view(&c, 1)) {
      bool word = std::isalnum(static_cast<unsigned char>(put));
      if (!word && underscores == 2) {
        out += 'u';
        underscores = 0;
      }
      underscores = word ? 0 : underscores + 1;
      out += word ? put : '_';
    }
  }
  return out;
}

}  // namespace awl
