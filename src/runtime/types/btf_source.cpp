#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "runtime/types/btf.h"
#include "runtime/types/btf_view.h"

namespace awl {
namespace {

constexpr int kMaxDepth = 64;        // of pointers to pointers, arrays of arrays and chains of typedefs
constexpr size_t kMaxNested = 1000;  // structs and arrays within one struct

bool is_modifier(BtfKind kind) {
  return kind == BtfKind::Const || kind == BtfKind::Volatile || kind == BtfKind::Restrict || kind == BtfKind::Typedef ||
         kind == BtfKind::TypeTag;
}

// The records of words that programs of these kinds get: "fentry [MODULE:]FUNCTION", "fexit [MODULE:]FUNCTION" (its
// last word is the result), "rawtracepoint EVENT", "iter NAME".
struct ContextName {
  std::string_view text, kind, module, name;
};

std::optional<ContextName> context_name(std::string_view text) {
  for (std::string_view kind : {"fentry", "fexit", "rawtracepoint", "iter"}) {
    if (!text.starts_with(kind) || text.size() <= kind.size() || text[kind.size()] != ' ') continue;
    std::string_view name = text.substr(kind.size() + 1), module;
    if (size_t colon = name.find(':'); colon != std::string_view::npos) {
      module = name.substr(0, colon);
      name.remove_prefix(colon + 1);
    }
    return ContextName{text, kind, module == "vmlinux" ? "" : module, name};
  }
  return std::nullopt;
}

class BtfSource : public TypeSource {
 public:
  BtfSource(std::shared_ptr<BtfBlob> blob, BtfView view, BtfSource *base)
      : blob_(std::move(blob)), view_(std::move(view)), base_(base) {}
  explicit BtfSource(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] std::string name() const override { return "kernel BTF"; }
  Result<std::optional<const Type *>> find(TypeStore &store, std::string_view name) override;
  Result<std::vector<Field>> fields(TypeStore &store, const Type *type) override;
  std::optional<std::pair<const Type *, int64_t>> enumerator(TypeStore &store, std::string_view name) override;
  std::vector<std::string> names() override;

  Result<std::optional<FunctionPrototype>> function(TypeStore &store, std::string_view name);
  // Of a raw tracepoint, without the `void *` that is for the kernel's own use.
  Result<std::optional<FunctionPrototype>> tracepoint(TypeStore &store, std::string_view name);
  Result<BtfView *> view();

 private:
  // A type behind its typedefs and qualifiers.
  struct Target {
    BtfRaw raw;
    bool user = false;              // type tag "user": the pointer to it leads into user memory
    std::string_view typedef_name;  // last typedef before raw
  };

  Result<bool> open();
  Result<Target> resolve(uint32_t id);
  Result<const Type *> type(TypeStore &store, uint32_t id, int depth = 0);
  Result<const Type *> make(TypeStore &store, const Target &target, int depth);
  Result<const Type *> make_integer(TypeStore &store, const BtfRaw &raw);
  Result<const Type *> make_struct(TypeStore &store, const Target &target);
  Result<const Type *> make_enum(TypeStore &store, const BtfRaw &raw);
  Result<const Type *> make_pointer(TypeStore &store, const BtfRaw &raw, int depth);
  Result<const Type *> make_array(TypeStore &store, const BtfRaw &raw, int depth);
  Result<const Type *> make_forward(TypeStore &store, const BtfRaw &raw);
  Result<Field> field(TypeStore &store, const BtfRaw &raw, uint32_t index);
  // Whether a value of type `id` has one of the struct `wanted` in it. `seen` are those that are looked at already.
  Result<bool> holds(uint32_t id, uint32_t wanted, std::set<uint32_t> &seen);
  Result<std::optional<const Type *>> find_context(TypeStore &store, const ContextName &wanted);
  Result<FunctionPrototype> prototype(TypeStore &store, const BtfRaw &proto, uint32_t skip);
  Result<BtfSource *> module(const std::string &name);

  std::shared_ptr<BtfBlob> blob_;
  std::optional<BtfView> view_;
  std::string path_;  // to be opened when first needed
  bool absent_ = false;
  BtfSource *base_ = nullptr;
  std::unordered_map<uint32_t, const Type *> types_;
  TypeStore *store_ = nullptr;  // that types_ belongs to
  std::map<std::string, std::unique_ptr<BtfSource>> modules_;
};

// False if the kernel has no BTF.
Result<bool> BtfSource::open() {
  if (view_) return true;
  if (absent_) return false;
  auto blob = BtfBlob::open(path_);
  if (!blob) {
    if (blob.error().sys_errno != ENOENT) return std::unexpected(std::move(blob).error());
    absent_ = true;
    return false;
  }
  blob_ = *std::move(blob);
  view_ = TRY(BtfView::parse(blob_->bytes()));
  return true;
}

Result<BtfView *> BtfSource::view() {
  if (!TRY(open())) return fail("the kernel has no BTF");
  return &*view_;
}

Result<BtfSource::Target> BtfSource::resolve(uint32_t id) {
  Target target;
  for (int step = 0; step < kMaxDepth; ++step) {
    target.raw = TRY(view_->type(id));
    if (!is_modifier(target.raw.kind)) return target;
    if (target.raw.kind == BtfKind::TypeTag) target.user |= view_->string_is(target.raw.name_off, "user");
    if (target.raw.kind == BtfKind::Typedef) target.typedef_name = TRY(view_->string(target.raw.name_off));
    id = target.raw.size_or_type;
  }
  return fail(fmt::format("malformed BTF: too many typedefs around type {}", id));
}

Result<const Type *> BtfSource::type(TypeStore &store, uint32_t id, int depth) {
  if (base_ && id < view_->first_id()) return base_->type(store, id, depth);
  if (depth > kMaxDepth) return fail(fmt::format("malformed BTF: type {} is nested too deep", id));
  if (store_ != &store) types_.clear();
  store_ = &store;
  auto it = types_.find(id);
  if (it != types_.end()) return it->second;
  const Type *made = TRY(make(store, TRY(resolve(id)), depth));
  types_[id] = made;
  return made;
}

Result<const Type *> BtfSource::make(TypeStore &store, const Target &target, int depth) {
  const BtfRaw &raw = target.raw;
  switch (raw.kind) {
    case BtfKind::Void:
    case BtfKind::Func:
    case BtfKind::FuncProto: return store.void_type();
    case BtfKind::Int: return make_integer(store, raw);
    case BtfKind::Struct:
    case BtfKind::Union: return make_struct(store, target);
    case BtfKind::Enum:
    case BtfKind::Enum64: return make_enum(store, raw);
    case BtfKind::Ptr: return make_pointer(store, raw, depth);
    case BtfKind::Array: return make_array(store, raw, depth);
    case BtfKind::Fwd: return make_forward(store, raw);
    case BtfKind::Float: return store.array(store.integer(1, false), std::min<uint32_t>(raw.size_or_type, 16));
    default: return fail(fmt::format("malformed BTF: type {} cannot be a value", raw.id));
  }
}

Result<const Type *> BtfSource::make_integer(TypeStore &store, const BtfRaw &raw) {
  BtfInt encoding = BtfView::integer(raw);
  uint32_t size = raw.size_or_type;
  if (encoding.encoding & kBtfIntBool && size == 1) return store.boolean();
  if (size == 16) return store.array(store.uint64(), 2);  // __int128
  if (size != 1 && size != 2 && size != 4 && size != 8) {
    return fail(fmt::format("malformed BTF: integer type {} of {} bytes", raw.id, size));
  }
  // Plain char is signed on x86-64; not all versions of pahole say so.
  bool is_signed = encoding.encoding & kBtfIntSigned || view_->string_is(raw.name_off, "char");
  return store.integer(size, is_signed);
}

Result<const Type *> BtfSource::make_struct(TypeStore &store, const Target &target) {
  Type type;
  type.kind = TypeKind::Struct;
  type.origin = Origin::KernelBtf;
  type.is_union = target.raw.kind == BtfKind::Union;
  type.size = target.raw.size_or_type;
  type.btf_id = target.raw.id;
  type.name = TRY(view_->string(target.raw.name_off));
  if (type.name.empty() && !target.typedef_name.empty()) {
    type.name = target.typedef_name;
    type.is_typedef = true;
  }
  // A typedef of the module may lead to a struct of the base, which then knows its fields.
  TypeSource *owner = base_ && target.raw.id < view_->first_id() ? base_ : this;
  return store.incomplete(std::move(type), owner);
}

Result<const Type *> BtfSource::make_enum(TypeStore &store, const BtfRaw &raw) {
  Type type;
  type.kind = TypeKind::Enum;
  type.is_signed = raw.flag;
  type.size = raw.size_or_type;
  if (type.size != 1 && type.size != 2 && type.size != 4 && type.size != 8) {
    return fail(fmt::format("malformed BTF: enum type {} of {} bytes", raw.id, type.size));
  }
  type.name = TRY(view_->string(raw.name_off));
  type.enumerators.reserve(raw.vlen);
  for (uint32_t i = 0; i < raw.vlen; ++i) {
    BtfEnumValue value = BtfView::enum_value(raw, i);
    type.enumerators.push_back({std::string(TRY(view_->string(value.name_off))), value.value});
  }
  return store.intern(std::move(type));
}

Result<const Type *> BtfSource::make_pointer(TypeStore &store, const BtfRaw &raw, int depth) {
  Target target = TRY(resolve(raw.size_or_type));
  const Type *pointee = TRY(type(store, raw.size_or_type, depth + 1));
  return store.pointer(pointee, target.user ? AddressSpace::User : AddressSpace::Kernel);
}

Result<const Type *> BtfSource::make_array(TypeStore &store, const BtfRaw &raw, int depth) {
  BtfArray array = BtfView::array(raw);
  const Type *element = TRY(type(store, array.type, depth + 1));
  if (uint64_t{element->size} * array.count > UINT32_MAX) {
    return fail(fmt::format("malformed BTF: array type {} is too large", raw.id));
  }
  return store.array(element, array.count);
}

Result<const Type *> BtfSource::make_forward(TypeStore &store, const BtfRaw &raw) {
  std::string_view name = TRY(view_->string(raw.name_off));
  BtfKind kind = raw.flag ? BtfKind::Union : BtfKind::Struct;
  if (uint32_t id = TRY(view_->find(kind, name))) return type(store, id);
  if (base_) {
    if (uint32_t id = TRY(base_->view_->find(kind, name))) return base_->type(store, id);
  }
  Type opaque;
  opaque.kind = TypeKind::Struct;
  opaque.origin = Origin::KernelBtf;
  opaque.is_union = raw.flag;
  opaque.name = name;
  return store.intern(std::move(opaque));
}

Result<std::optional<const Type *>> BtfSource::find(TypeStore &store, std::string_view name) {
  if (std::optional<ContextName> context = context_name(name)) return find_context(store, *context);
  struct Keyword {
    std::string_view word;
    BtfKind kind, other;
  };
  static constexpr Keyword kKeywords[] = {{"struct ", BtfKind::Struct, BtfKind::Struct},
                                          {"union ", BtfKind::Union, BtfKind::Union},
                                          {"enum ", BtfKind::Enum, BtfKind::Enum64}};
  Keyword wanted = {"", BtfKind::Typedef, BtfKind::Typedef};
  for (const Keyword &keyword : kKeywords) {
    if (name.starts_with(keyword.word)) wanted = keyword;
  }
  name.remove_prefix(wanted.word.size());
  if (name.empty() || name.find_first_of(" :*[") != std::string_view::npos || !TRY(open())) return std::nullopt;
  uint32_t id = TRY(view_->find(wanted.kind, name));
  if (!id && wanted.other != wanted.kind) id = TRY(view_->find(wanted.other, name));
  if (!id) return std::nullopt;
  return TRY(type(store, id));
}

Result<Field> BtfSource::field(TypeStore &store, const BtfRaw &raw, uint32_t index) {
  BtfMember member = BtfView::member(raw, index);
  Field field;
  field.name = TRY(view_->string(member.name_off));
  field.type = TRY(type(store, member.type));
  uint32_t bits = member.bits, bit_offset = member.bit_offset;
  if (!raw.flag && field.type->is_integral()) {  // old style: the integer type is as narrow as the bitfield
    BtfRaw target = TRY(resolve(member.type)).raw;
    if (target.kind == BtfKind::Int) {
      BtfInt integer = BtfView::integer(target);
      if (integer.bits < target.size_or_type * 8 || integer.bit_offset) {
        bits = integer.bits;
        bit_offset += integer.bit_offset;
      }
    }
  }
  if (bits) {
    uint32_t unit = field.type->size * 8;
    if (!field.type->is_integral() || bits > unit) {
      return fail(fmt::format("malformed BTF: bitfield `{}` does not fit its type", field.name));
    }
    field.offset = bit_offset / unit * field.type->size;
    // In a packed struct a bitfield may straddle the units of its type: then count from its first byte.
    if (bit_offset - field.offset * 8 + bits > unit) field.offset = bit_offset / 8;
    field.bit_offset = static_cast<uint8_t>(bit_offset - field.offset * 8);
    field.bits = static_cast<uint8_t>(bits);
    return field;
  }
  field.offset = bit_offset / 8;
  if (bit_offset % 8 || uint64_t{field.offset} + field.type->size > raw.size_or_type) {
    return fail(fmt::format("malformed BTF: member `{}` does not fit type {}", field.name, raw.id));
  }
  // Only a member as large as the whole, or an array of no elements, can hold what it is in.
  std::set<uint32_t> seen;
  if ((field.type->size == raw.size_or_type || field.type->size == 0) && TRY(holds(member.type, raw.id, seen))) {
    return fail(fmt::format("malformed BTF: type {} holds itself", raw.id));
  }
  return field;
}

Result<bool> BtfSource::holds(uint32_t id, uint32_t wanted, std::set<uint32_t> &seen) {
  if (base_ && id < view_->first_id()) return false;  // the base knows nothing of this file
  if (seen.size() > kMaxNested) return fail(fmt::format("malformed BTF: type {} is nested too deep", wanted));
  BtfRaw raw = TRY(resolve(id)).raw;
  while (raw.kind == BtfKind::Array && seen.insert(raw.id).second) raw = TRY(resolve(BtfView::array(raw).type)).raw;
  if (raw.kind == BtfKind::Fwd) return true;  // of unknown size, so that it cannot be a part of anything
  if (raw.kind != BtfKind::Struct && raw.kind != BtfKind::Union) return false;
  if (raw.id == wanted) return true;
  if (!seen.insert(raw.id).second) return false;
  for (uint32_t i = 0; i < raw.vlen; ++i) {
    if (TRY(holds(BtfView::member(raw, i).type, wanted, seen))) return true;
  }
  return false;
}

Result<std::vector<Field>> BtfSource::fields(TypeStore &store, const Type *type) {
  BtfRaw raw = TRY(TRY(view())->type(type->btf_id));
  if (raw.kind != BtfKind::Struct && raw.kind != BtfKind::Union) {
    return fail(fmt::format("malformed BTF: type {} is not a struct", raw.id));
  }
  std::vector<Field> out;
  out.reserve(raw.vlen);
  for (uint32_t i = 0; i < raw.vlen; ++i) out.push_back(TRY(field(store, raw, i)));
  return out;
}

std::optional<std::pair<const Type *, int64_t>> BtfSource::enumerator(TypeStore &store, std::string_view name) {
  auto ready = open();
  if (!ready || !*ready) return std::nullopt;
  std::vector<uint32_t> offsets = view_->string_offsets(name);
  if (base_) {  // a module may use the names of the kernel
    std::vector<uint32_t> more = base_->view_->string_offsets(name);
    offsets.insert(offsets.end(), more.begin(), more.end());
  }
  if (offsets.empty()) return std::nullopt;
  for (BtfKind kind : {BtfKind::Enum, BtfKind::Enum64}) {
    auto ids = view_->of_kind(kind);
    if (!ids) return std::nullopt;
    for (uint32_t id : *ids) {
      auto raw = view_->type(id);
      for (uint32_t i = 0; raw && i < raw->vlen; ++i) {
        uint32_t name_off = BtfView::enum_value(*raw, i).name_off;
        if (std::find(offsets.begin(), offsets.end(), name_off) == offsets.end()) continue;
        auto found = type(store, id);
        if (!found) return std::nullopt;
        return std::pair{*found, (*found)->enumerators[i].value};
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> BtfSource::names() {
  auto ready = open();
  std::vector<std::string> out;
  if (!ready || !*ready) return out;
  const std::pair<BtfKind, const char *> kinds[] = {{BtfKind::Struct, "struct "},
                                                    {BtfKind::Union, "union "},
                                                    {BtfKind::Enum, "enum "},
                                                    {BtfKind::Enum64, "enum "},
                                                    {BtfKind::Typedef, ""}};
  for (const auto &[kind, keyword] : kinds) {
    auto ids = view_->of_kind(kind);
    if (!ids) return out;
    for (uint32_t id : *ids) {
      auto raw = view_->type(id);
      auto text = raw ? view_->string(raw->name_off) : fail("");
      if (text && !text->empty()) out.push_back(keyword + std::string(*text));
    }
  }
  return out;
}

Result<FunctionPrototype> BtfSource::prototype(TypeStore &store, const BtfRaw &proto, uint32_t skip) {
  if (proto.kind != BtfKind::FuncProto) return fail("malformed BTF: function without prototype");
  FunctionPrototype out;
  out.result = TRY(type(store, proto.size_or_type));
  for (uint32_t i = skip; i < proto.vlen; ++i) {
    BtfMember param = BtfView::param(proto, i);
    if (param.type == 0) break;  // `...`
    out.params.emplace_back(TRY(view_->string(param.name_off)), TRY(type(store, param.type)));
  }
  return out;
}

Result<std::optional<FunctionPrototype>> BtfSource::function(TypeStore &store, std::string_view name) {
  if (!TRY(open())) return std::nullopt;
  uint32_t id = TRY(view_->find(BtfKind::Func, name));
  if (!id) return std::nullopt;
  BtfRaw function = TRY(view_->type(id));
  return TRY(prototype(store, TRY(view_->type(function.size_or_type)), 0));
}

Result<std::optional<FunctionPrototype>> BtfSource::tracepoint(TypeStore &store, std::string_view name) {
  if (!TRY(open())) return std::nullopt;
  // Functions that the kernel makes for each event know the names of its arguments: the first since Linux 6.7.
  for (const char *function : {"__probestub_{}", "__bpf_trace_{}"})
    if (uint32_t id = TRY(view_->find(BtfKind::Func, fmt::format(fmt::runtime(function), name))))
      return TRY(prototype(store, TRY(view_->type(TRY(view_->type(id)).size_or_type)), 1));
  uint32_t id = TRY(view_->find(BtfKind::Typedef, fmt::format("btf_trace_{}", name)));
  if (!id) return std::nullopt;
  BtfRaw pointer = TRY(resolve(id)).raw;
  if (pointer.kind != BtfKind::Ptr) return fail("malformed BTF: tracepoint without prototype");
  return TRY(prototype(store, TRY(resolve(pointer.size_or_type)).raw, 1));
}

// Types of a module stand beside those of the kernel: /sys/kernel/btf/MODULE. Null if the kernel describes none.
Result<BtfSource *> BtfSource::module(const std::string &name) {
  auto known = modules_.find(name);
  if (known != modules_.end()) return known->second.get();
  std::unique_ptr<BtfSource> &slot = modules_[name];
  size_t folder = path_.rfind('/');
  if (folder == std::string::npos || name.find('/') != std::string::npos) return nullptr;
  auto blob = BtfBlob::open(path_.substr(0, folder + 1) + name);
  if (!blob) return nullptr;
  BtfView view = TRY(BtfView::parse((*blob)->bytes(), TRY(this->view())));
  slot = std::make_unique<BtfSource>(*std::move(blob), std::move(view), this);
  return slot.get();
}

Result<std::optional<const Type *>> BtfSource::find_context(TypeStore &store, const ContextName &wanted) {
  if (!TRY(open())) return std::nullopt;
  BtfSource *source = wanted.module.empty() ? this : TRY(module(std::string(wanted.module)));
  if (!source) return std::nullopt;
  auto found = TRY(wanted.kind == "rawtracepoint" ? source->tracepoint(store, wanted.name)
                   : wanted.kind == "iter"        ? source->function(store, fmt::format("bpf_iter_{}", wanted.name))
                                                  : source->function(store, wanted.name));
  if (!found) return std::nullopt;
  Type record;
  record.kind = TypeKind::Struct;
  record.origin = Origin::Context;
  record.name = wanted.text;
  auto add = [&record](const std::string &name, const Type *type) {
    Field field;
    field.name = name;
    field.type = type;
    field.offset = record.size;
    record.size += std::max(8U, (type->size + 7) & ~7U);  // a struct given by its value takes as many words as it needs
    record.fields.push_back(std::move(field));
  };
  for (const auto &[name, type] : found->params)
    add(name.empty() ? fmt::format("arg{}", record.fields.size()) : name, type);
  if (wanted.kind == "fexit") add("retval", found->result);
  return store.intern(std::move(record));
}

}  // namespace

Result<std::unique_ptr<TypeSource>> make_btf_source(std::shared_ptr<BtfBlob> blob, TypeSource *base) {
  auto *base_source = static_cast<BtfSource *>(base);
  BtfView *base_view = base_source ? TRY(base_source->view()) : nullptr;
  BtfView view = TRY(BtfView::parse(blob->bytes(), base_view));
  return std::make_unique<BtfSource>(std::move(blob), std::move(view), base_source);
}

std::unique_ptr<TypeSource> make_kernel_btf_source(const std::string &path) {
  return std::make_unique<BtfSource>(path);
}

Result<std::optional<FunctionPrototype>> btf_function(TypeStore &store, TypeSource &btf, std::string_view name) {
  return static_cast<BtfSource &>(btf).function(store, name);
}

}  // namespace awl
